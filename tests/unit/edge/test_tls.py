"""Waiting has an end, and looks like a reset connection, which servers pass over."""

import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.tls import Contexts, PatientSocket, server_context
from tests.fakes.software_ca import SoftwareCA


class ImpatientSocket(PatientSocket):
    handshake_seconds = 0.2
    request_seconds = 0.3
    send_seconds = 0.2


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    authority, directory = SoftwareCA(), tmp_path_factory.mktemp("tls")
    certificate, key = authority.holder("localhost").write(directory, "server")
    roots = directory / "chain.pem"
    roots.write_bytes(authority.chain_pem)
    return certificate, key, roots


@pytest.fixture
def impatient(files: tuple[Path, Path, Path]) -> ssl.SSLContext:
    context = server_context(*files)
    context.sslsocket_class = ImpatientSocket
    return context


@pytest.fixture
def ends(impatient: ssl.SSLContext) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """The server's and the client's end of one connection."""
    there, here = socket.socketpair()
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    made: list[ssl.SSLSocket] = []
    connecting = threading.Thread(target=lambda: made.append(trusting.wrap_socket(there)))
    connecting.start()
    server = impatient.wrap_socket(here, server_side=True, do_handshake_on_connect=False)
    server.do_handshake()
    connecting.join()
    with server, made[0] as client:
        yield server, client


def test_a_handshake_that_does_not_go_on_is_given_up(impatient: ssl.SSLContext) -> None:
    there, here = socket.socketpair()
    with there, impatient.wrap_socket(here, server_side=True, do_handshake_on_connect=False) as server:
        there.sendall(b"\x16\x03\x01\x02\x00\x01")

        with pytest.raises(ConnectionResetError):
            server.do_handshake()


def test_a_request_that_comes_drop_by_drop_is_given_up(ends: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    server, client = ends
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.05):
            client.send(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    started = time.monotonic()
    with pytest.raises(ConnectionResetError):
        deque(iter(lambda: server.recv(100), b""))
    stop.set()
    dripping.join()

    assert time.monotonic() - started < 2


def test_the_time_for_a_request_begins_anew_with_the_next_one(ends: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    server, client = ends
    time.sleep(0.4)
    server.setblocking(False)
    server.setblocking(True)
    client.send(b"next")

    assert server.recv(100) == b"next"


def test_a_shorter_time_that_the_server_sets_is_kept(ends: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    server, _ = ends
    server.settimeout(0.01)

    with pytest.raises(TimeoutError):
        server.recv(100)


def test_an_answer_that_nobody_takes_is_given_up(ends: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    server, _ = ends

    with pytest.raises(ConnectionResetError):
        server.sendall(bytes(10_000_000))


def test_each_connection_has_a_context_of_its_own(files: tuple[Path, Path, Path]) -> None:
    contexts = Contexts()

    assert contexts.make(*files) is not contexts.make(*files)


def test_a_pair_that_does_not_fit_is_refused_at_start_and_ignored_later(files: tuple[Path, Path, Path]) -> None:
    certificate, key, roots = files
    contexts = Contexts()
    working = contexts.make(*files)
    other, _ = SoftwareCA().holder("localhost").write(certificate.parent, "other")
    misfit = certificate.parent / "misfit.pem"
    misfit.write_bytes(other.read_bytes())

    assert contexts.make(misfit, key, roots) is working
    with pytest.raises(ssl.SSLError):
        Contexts().make(misfit, key, roots)
