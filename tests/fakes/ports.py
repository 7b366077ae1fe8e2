"""Ports for servers that tests start as processes of their own, which must be told theirs before they listen.

A port that the kernel gives out and that is let go again may be given to the next connection of anybody before the
server has it. So these lie below the kernel's usual range (32768 and up), and each worker of pytest-xdist walks
through a part of its own, beginning at a random place for another run on the same machine.
"""

import os
import secrets
import socket
from collections.abc import Iterator

_FIRST, _WORKERS, _EACH = 12_000, 16, 1_250


def _mine() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    # Not the module random: pytest-randomly seeds it alike in every worker and every test.
    number = secrets.randbelow(_EACH)
    while True:
        yield _FIRST + worker * _EACH + number % _EACH
        number += 1


_PORTS = _mine()


def free_port() -> int:
    """A port on 127.0.0.1 on which nobody listens, and which no other test is given."""
    for port in _PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError


def free_ports(count: int = 3) -> list[int]:
    return [free_port() for _ in range(count)]
