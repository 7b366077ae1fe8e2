"""The TLS side of the edge: TLS 1.2 with AEAD or 1.3 (RFC 8996, RFC 9325), client certificate optional, and an end to
connections whose other side takes its time (T-40).

A client certificate that is presented must lead to our root: the handshake ends otherwise. Whether it is revoked is
for the signer to say, which knows it first.
"""

import errno
import os
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
_LINGERING = threading.BoundedSemaphore(64)
"""So many answered connections are waited for at once; further ones are closed without waiting."""


class PatientSocket(ssl.SSLSocket):
    """Patient, but not for ever: the server's threads block on it, and each may wait only so long.

    The server calls `setblocking(True)` before it reads each request, which is when the time for it begins. Running
    out of it looks like a connection that was reset, which servers expect and pass over in silence.
    """

    handshake_seconds = 5.0
    request_seconds = 30.0
    """In which a request must have arrived, head and body."""
    send_seconds = 30.0
    """In which the other side must take a piece of the answer."""
    linger_seconds = 2.0
    """In which the other side should hang up after the answer."""
    _read_until = float("inf")
    _given_up = False
    _said_all = False

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the base class's signature
        self.settimeout(self.handshake_seconds)
        try:
            super().do_handshake(block)
        except TimeoutError as error:
            raise self._reset() from error
        self._read_until = time.monotonic() + self.request_seconds
        self.settimeout(self.request_seconds)

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the base class's signature
        if not flag:
            super().setblocking(False)  # noqa: FBT003 - the base class's signature
            return
        self._read_until = time.monotonic() + self.request_seconds
        self.settimeout(self.request_seconds)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        if self._said_all:
            return b""
        left = self._read_until - time.monotonic()
        if left <= 0:
            raise self._reset()
        current = self.gettimeout()
        if current is None or current > left:
            self.settimeout(left)
        try:
            return super().recv(buflen, flags)
        except TimeoutError as error:
            if time.monotonic() < self._read_until:
                raise
            raise self._reset() from error

    def send(self, data: Any, flags: int = 0) -> int:
        self.settimeout(self.send_seconds)
        try:
            return super().send(data, flags)
        except TimeoutError as error:
            raise self._reset() from error

    def shutdown(self, how: int) -> None:
        """The server says that the answer was all, and would then wait for the other side to hang up: in the one
        thread that accepts connections, two seconds for each of those that do not. We wait elsewhere."""
        super().shutdown(how)
        self._said_all = True
        if not self._given_up and _LINGERING.acquire(blocking=False):
            rest = socket.socket(fileno=os.dup(self.fileno()))
            threading.Thread(target=_linger, args=(rest, self.linger_seconds), daemon=True).start()

    def _reset(self) -> ConnectionResetError:
        self._given_up = True
        return ConnectionResetError(errno.ECONNRESET, "the other side took too long")


def _linger(rest: socket.socket, seconds: float) -> None:
    """Take what still comes (RFC 9112 section 9.6): closed over it, the answer's last piece might be lost."""
    deadline = time.monotonic() + seconds
    try:
        with rest:
            while (left := deadline - time.monotonic()) > 0:
                rest.settimeout(left)
                if not rest.recv(65536):
                    return
    except OSError:
        return
    finally:
        _LINGERING.release()


def server_context(certificate: Path, key: Path, client_roots: Path) -> ssl.SSLContext:
    """`client_roots`: PEM of the CA certificates from which client certificates are accepted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # A resumed session would keep a client certificate alive that ended since, so each connection proves anew; for
    # the sessions of TLS 1.2 without tickets see Contexts.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(client_roots)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.sslsocket_class = PatientSocket
    return context


class Contexts:
    """A new context for each connection: a TLS 1.2 session lives in its context, and Python has no other way to keep
    it from being resumed. It costs about two milliseconds, and a renewed server certificate is used at once."""

    def __init__(self) -> None:
        self._working: ssl.SSLContext | None = None

    def make(self, certificate: Path, key: Path, client_roots: Path) -> ssl.SSLContext:
        """While files are being replaced the pair may not fit: then the last context that worked serves on."""
        try:
            self._working = server_context(certificate, key, client_roots)
        except OSError:
            if self._working is None:
                raise
        return self._working
