"""Waiting has an end, and looks like a reset connection, which servers pass over."""

import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import tls
from edge.tls import Contexts, PatientSocket, server_context
from tests.fakes.software_ca import SoftwareCA

PATIENCE = 120.0


class ServersSocket(PatientSocket):
    """Patient beyond any machine's slowness; a test that wants an end to it says for what."""

    handshake_seconds = request_seconds = send_seconds = linger_seconds = PATIENCE


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    authority, directory = SoftwareCA(), tmp_path_factory.mktemp("tls")
    certificate, key = authority.holder("localhost").write(directory, "server")
    roots = directory / "chain.pem"
    roots.write_bytes(authority.chain_pem)
    return certificate, key, roots


@pytest.fixture
def patient(files: tuple[Path, Path, Path]) -> ssl.SSLContext:
    context = server_context(*files)
    context.sslsocket_class = ServersSocket
    return context


@pytest.fixture
def ends(patient: ssl.SSLContext) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """The server's and the client's end of one connection."""
    there, here = socket.socketpair()
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    made: list[ssl.SSLSocket] = []
    connecting = threading.Thread(target=lambda: made.append(trusting.wrap_socket(there)))
    connecting.start()
    server = patient.wrap_socket(here, server_side=True, do_handshake_on_connect=False)
    server.do_handshake()
    connecting.join()
    with server, made[0] as client:
        yield server, client


def test_a_handshake_that_does_not_go_on_is_given_up(patient: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServersSocket, "handshake_seconds", 0.2)
    there, here = socket.socketpair()
    with there, patient.wrap_socket(here, server_side=True, do_handshake_on_connect=False) as server:
        there.sendall(b"\x16\x03\x01\x02\x00\x01")

        with pytest.raises(ConnectionResetError):
            server.do_handshake()


def test_a_request_that_comes_drop_by_drop_is_given_up(
    ends: tuple[ssl.SSLSocket, ssl.SSLSocket], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = ends
    stop = threading.Event()

    def drip() -> None:
        """For long enough that a server without an end to its patience sees it end."""
        for _ in range(1000):
            if stop.wait(0.01):
                return
            client.send(b"x")
        client.shutdown(socket.SHUT_WR)

    monkeypatch.setattr(ServersSocket, "request_seconds", 0.3)
    server.setblocking(True)
    dripping = threading.Thread(target=drip)
    dripping.start()
    with pytest.raises(ConnectionResetError):
        deque(iter(lambda: server.recv(100), b""))
    stop.set()
    dripping.join()


def test_the_time_for_a_request_begins_anew_with_the_next_one(ends: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    server, client = ends
    client.send(b"next")
    server._read_until = time.monotonic()  # type: ignore[attr-defined]  # ours
    with pytest.raises(ConnectionResetError):
        server.recv(100)

    server.setblocking(False)
    server.setblocking(True)

    assert server.recv(100) == b"next"


def test_a_shorter_time_that_the_server_sets_is_kept(ends: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    server, _ = ends
    server.settimeout(0.01)

    with pytest.raises(TimeoutError):
        server.recv(100)


def test_an_answer_that_nobody_takes_is_given_up(
    ends: tuple[ssl.SSLSocket, ssl.SSLSocket], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = ends
    monkeypatch.setattr(ServersSocket, "send_seconds", 0.2)

    with pytest.raises(ConnectionResetError):
        server.sendall(bytes(10_000_000))


def test_after_the_answer_the_other_side_is_waited_for_elsewhere(ends: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    server, client = ends
    server.sendall(b"answer")

    server.shutdown(socket.SHUT_WR)
    assert server.recv(100) == b""
    server.close()

    client.sendall(b"what was still on its way")
    assert client.recv(100) == b"answer"


def test_who_took_too_long_is_not_waited_for(
    ends: tuple[ssl.SSLSocket, ssl.SSLSocket], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = ends
    monkeypatch.setattr(ServersSocket, "request_seconds", 0.01)
    server.setblocking(True)
    with pytest.raises(ConnectionResetError):
        server.recv(100)

    server.shutdown(socket.SHUT_WR)
    server.close()

    with pytest.raises((BrokenPipeError, ssl.SSLEOFError)):
        client.sendall(b"still here")


def test_when_too_many_linger_the_next_is_closed_at_once(
    ends: tuple[ssl.SSLSocket, ssl.SSLSocket], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = ends
    monkeypatch.setattr(tls, "_LINGERING", threading.BoundedSemaphore(1))
    tls._LINGERING.acquire()

    server.shutdown(socket.SHUT_WR)
    server.close()

    with pytest.raises((BrokenPipeError, ssl.SSLEOFError)):
        client.sendall(b"still here")


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
