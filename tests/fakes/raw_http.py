"""Octets as they go over a connection, for requests that no client library sends."""

import contextlib
import socket


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side closes. What was sent in excess may make it a reset instead of an end."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return received


def sent(connection: socket.socket, raw: bytes) -> bytes:
    """Say this, and take all that comes back."""
    with connection:
        connection.sendall(raw)
        return everything(connection)
