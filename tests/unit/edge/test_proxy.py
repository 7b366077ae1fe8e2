"""What the edge says by itself, without a network."""

import base64
import hashlib
import io
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ca.domain.vouchers import vouched
from edge.proxy import LARGEST_BODY, Edge, RefusalError, is_console, read_body, request_headers, request_target


def environ_of(**changes: object) -> dict[str, object]:
    environ: dict[str, object] = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/",
        "SERVER_NAME": "localhost",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_HOST": "bank.example",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "https",
    }
    return environ | changes


class TLS:
    """A connection whose other side showed a certificate, or None."""

    def __init__(self, certificate: bytes | None) -> None:
        self._certificate = certificate

    def getpeercert(self, *, binary_form: bool) -> bytes | None:
        return self._certificate if binary_form else b"wrong form"


class Behind:
    """A process behind the edge that gives one answer, byte for byte, and keeps what it was sent."""

    def __init__(self, path: Path, answer: bytes) -> None:
        self.seen = b""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._answer = answer
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.seen = connection.recv(65536)
            connection.sendall(self._answer)

    def close(self) -> None:
        self._thread.join(10)
        self._listener.close()


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="edge-") as name:
        yield Path(name)


def ask(directory: Path, **changes: object) -> tuple[str, list[tuple[str, str]], bytes]:
    """One request, with the answer closed as servers do."""
    return asked_of(Edge(customer_socket=directory / "customer", console_socket=directory / "console"), **changes)


def asked_of(edge: Edge, **changes: object) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    pieces = edge(environ_of(**changes), lambda status, headers, *_: started.append((status, headers)))  # type: ignore[arg-type]  # nobody calls write()
    body = b"".join(pieces)
    pieces.close()  # type: ignore[attr-defined]  # a generator or our own class
    return (*started[0], body)


def answer_of(directory: Path, answer: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    behind = Behind(directory / "customer", answer)
    try:
        return ask(directory)
    finally:
        behind.close()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/admin", True),
        ("/admin/", True),
        ("/admin?x", True),
        ("/admin/x", True),
        ("/administrator", False),
        ("/", False),
    ],
)
def test_the_console_is_what_is_under_admin(target: str, expected: bool) -> None:
    assert is_console(target) is expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/a?b=%20#c", "/a?b=%20"),
        ("//a//b", "//a//b"),
        ("https://other.example/a?b", "/a?b"),
        ("http://other.example", "/"),
    ],
)
def test_the_target_is_path_and_query_as_sent(raw: str, expected: str) -> None:
    assert request_target(environ_of(RAW_URI=raw)) == expected


def test_the_certificate_of_the_connection_is_told(directory: Path) -> None:
    headers = request_headers(environ_of(**{"gunicorn.socket": TLS(b"der")}), with_certificate=True)

    assert ("X-Vermilion-Client-Certificate", "ZGVy") in headers


@pytest.mark.parametrize("connection", [None, TLS(None), TLS(b"")])
def test_without_a_certificate_none_is_told_whatever_the_caller_claims(connection: TLS | None) -> None:
    claimed = {"HTTP_X_VERMILION_CLIENT_CERTIFICATE": "ZGVy", "gunicorn.socket": connection}

    headers = request_headers(environ_of(**claimed), with_certificate=True)

    assert "x-vermilion-client-certificate" not in [name.lower() for name, _ in headers]


DOOR = "/admin/sign-in/certificate?challenge=Y2hhbGxlbmdl"


def asked_at(directory: Path, target: str, method: str = "POST", *, open_door: bool = True) -> str:
    """What the console is sent when a caller with a certificate asks, claiming another and a voucher."""
    behind = Behind(directory / "console.sock", b"HTTP/1.1 204 No Content\r\n\r\n")
    vouch = (lambda message: b"vouched " + hashlib.sha256(message).digest()) if open_door else None
    edge = Edge(customer_socket=directory / "none", console_socket=directory / "console.sock", vouch=vouch)
    claimed = {"HTTP_X_VERMILION_CLIENT_CERTIFICATE": "Zm9yZ2Vk", "HTTP_X_VERMILION_VOUCHER": "Zm9yZ2Vk"}
    try:
        asked_of(edge, RAW_URI=target, REQUEST_METHOD=method, **claimed, **{"gunicorn.socket": TLS(b"der")})
    finally:
        behind.close()
    assert b"Zm9yZ2Vk" not in behind.seen
    return behind.seen.decode()


def test_at_the_open_door_the_console_is_told_of_the_certificate_with_our_word_for_it(directory: Path) -> None:
    seen = asked_at(directory, DOOR)

    voucher = base64.b64encode(b"vouched " + hashlib.sha256(vouched(DOOR, b"der")).digest()).decode()
    assert "X-Vermilion-Client-Certificate: ZGVy\r\n" in seen
    assert f"X-Vermilion-Voucher: {voucher}\r\n" in seen


def test_looking_at_the_door_is_not_vouched_for(directory: Path) -> None:
    seen = asked_at(directory, DOOR, "GET")

    assert "X-Vermilion-Client-Certificate: ZGVy\r\n" in seen
    assert "Voucher" not in seen


@pytest.mark.parametrize(
    "target",
    [
        "/admin/sign-in",
        "/admin/",
        "/admin/sign-in/certificate/",
        "/admin//sign-in/certificate",
        "/admin/sign-in/%63ertificate",
        "/admin/sign-in/certificate;x",
        "/admin/x?/admin/sign-in/certificate",
    ],
)
def test_at_no_other_path_is_the_console_told(directory: Path, target: str) -> None:
    assert "Vermilion" not in asked_at(directory, target)


def test_while_the_door_is_closed_the_console_is_told_nothing(directory: Path) -> None:
    assert "Vermilion" not in asked_at(directory, DOOR, open_door=False)


def test_a_body_is_read_whole_with_the_length_it_announced() -> None:
    assert read_body(environ_of(CONTENT_LENGTH="3", **{"wsgi.input": io.BytesIO(b"abc")})) == b"abc"


def test_no_body_is_not_an_empty_body() -> None:
    assert read_body(environ_of()) is None
    assert read_body(environ_of(CONTENT_LENGTH="0")) == b""


@pytest.mark.parametrize(
    ("changes", "sent", "status"),
    [
        ({"CONTENT_LENGTH": str(LARGEST_BODY + 1)}, b"", "413"),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, bytes(LARGEST_BODY + 1), "413"),
        ({"CONTENT_LENGTH": "4"}, b"abc", "400"),
    ],
)
def test_a_body_too_large_or_cut_short_is_refused(changes: dict[str, str], sent: bytes, status: str) -> None:
    with pytest.raises(RefusalError) as refused:
        read_body(environ_of(**changes, **{"wsgi.input": io.BytesIO(sent)}))

    assert refused.value.status.startswith(status)


def test_a_process_that_is_not_there_is_503(directory: Path) -> None:
    status, headers, body = ask(directory)

    assert status == "503 Service Unavailable"
    assert ("Retry-After", "5") in headers
    assert b"try again" in body


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200]
)
def test_nonsense_from_behind_is_502(directory: Path, answer: bytes) -> None:
    status, _, body = answer_of(directory, answer)

    assert status == "502 Bad Gateway"
    assert b"nonsense" not in body


def test_the_answer_is_passed_back_without_what_concerns_one_connection(directory: Path) -> None:
    hop_by_hop = b"Server: x\r\nConnection: close\r\nKeep-Alive: 1\r\n"
    answer = b"HTTP/1.1 200 OK\r\n" + hop_by_hop + b"A: 1\r\nA: 2\r\nContent-Length: 2\r\n\r\nok"

    assert answer_of(directory, answer) == ("200 OK", [("A", "1"), ("A", "2"), ("Content-Length", "2")], b"ok")


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_a_request_without_a_body_is_passed_on_without_one(directory: Path, method: str) -> None:
    behind = Behind(directory / "customer", b"HTTP/1.1 204 No Content\r\n\r\n")

    ask(directory, REQUEST_METHOD=method, RAW_URI="/a?b")
    behind.close()

    assert behind.seen.startswith(f"{method} /a?b HTTP/1.1\r\n".encode())
    assert b"Content-Length" not in behind.seen
    assert behind.seen.endswith(b"\r\n\r\n")
