"""ocsp/signer.py: one kept connection, asked again when it was closed, never waiting for ever."""

import base64
import json
import re
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotFound, NotReady, PKIError
from ca.domain.ocsp import Question
from ocsp.signer import SocketSigner
from tests.fakes.ocsp_requests import cert_id

pytestmark = pytest.mark.socket

PATIENCE = 60.0


class Stub:
    """A signer's door for OCSP that answers each frame from a script and counts connections."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connections = 0
        self.requests: list[dict[str, object]] = []
        self.script: Callable[[int], bytes | None] = lambda _: signed(b"r")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(ConnectionError), connection, connection.makefile("rb") as reader:
            while length := reader.read(4):
                self.requests.append(json.loads(reader.read(int.from_bytes(length, "big"))))
                answer = self.script(len(self.requests))
                if answer is None:
                    return
                connection.sendall(answer)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def frame(answer: object) -> bytes:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return len(body).to_bytes(4, "big") + body


def signed(*responses: bytes) -> bytes:
    return frame({"answers": [{"response": base64.b64encode(response).decode()} for response in responses]})


@pytest.fixture
def stub() -> Iterator[Stub]:
    with tempfile.TemporaryDirectory() as directory:
        stub = Stub(Path(directory) / "ocsp.sock")
        yield stub
        stub.close()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


ONE = Question.parse([cert_id(1)])
TWO = Question.parse([cert_id(1), cert_id(2)], b"n")


def asking(path: Path) -> SocketSigner:
    return SocketSigner(path.with_name("unused.sock"), path, timeout=PATIENCE)


def ask(signer: SocketSigner) -> bytes | PKIError:
    (answer,) = signer.answer([ONE])
    return answer


def test_it_asks_about_cert_ids_and_nonce_over_one_connection(stub: Stub) -> None:
    signer = asking(stub.path)
    stub.script = lambda count: signed(b"r", b"s") if count == 1 else signed(b"t")
    assert signer.answer([TWO, ONE]) == [b"r", b"s"]
    assert signer.answer([ONE]) == [b"t"]
    one = {"cert_ids": [b64(cert_id(1))], "nonce": None}
    two = {"cert_ids": [b64(cert_id(1)), b64(cert_id(2))], "nonce": "bg=="}
    assert [asked["questions"] for asked in stub.requests] == [[two, one], [one]]
    assert stub.connections == 1
    signer.close()


def test_a_connection_that_was_closed_meanwhile_is_made_anew(stub: Stub) -> None:
    signer = asking(stub.path)
    good = stub.script
    ask(signer)
    stub.script = lambda count: None if count == 2 else good(count)
    assert ask(signer) == b"r"
    assert (stub.connections, len(stub.requests)) == (2, 3)
    signer.close()


def test_a_signer_that_hangs_up_on_a_new_connection_is_not_ready(stub: Stub) -> None:
    stub.script = lambda _: None
    assert isinstance(ask(asking(stub.path)), NotReady)
    assert len(stub.requests) == 1


def test_a_signer_that_is_slow_is_not_ready_and_not_asked_twice(stub: Stub) -> None:
    signer = asking(stub.path)
    ask(signer)
    asked, release = threading.Event(), threading.Event()

    def wait(_: int) -> None:
        asked.set()
        release.wait(PATIENCE)

    stub.script = wait
    assert signer._frames.connection is not None
    signer._frames.connection.settimeout(0.2)
    assert isinstance(ask(signer), NotReady)
    assert asked.wait(PATIENCE)
    release.set()
    assert (stub.connections, len(stub.requests)) == (1, 2)


def test_a_signer_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    assert isinstance(ask(asking(tmp_path / "missing.sock")), NotReady)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("not-ready", NotReady),
        ("key-store-unavailable", KeyStoreUnavailable),
        ("not-found", NotFound),
        ("invalid-request", InvalidRequest),
        ("tampered", PKIError),
    ],
)
def test_what_the_signer_refuses_is_known_here(stub: Stub, code: str, kind: type[PKIError]) -> None:
    refusal = {"error": code, "message": "because"}
    signer = asking(stub.path)
    for answer in (frame(refusal), frame({"answers": [refusal]})):
        stub.script = lambda _, answer=answer: answer
        refused = ask(signer)
        assert type(refused) is kind
        assert str(refused) == "because"
    signer.close()


@pytest.mark.parametrize(
    "answer",
    [
        frame({}),
        frame([]),
        frame({"answers": []}),
        frame({"answers": [{"response": "not base64!"}]}),
        frame({"answers": [{"response": 5}]}),
        frame({"answers": [{}]}),
        frame({"error": []}),
        frame({"answers": [{"error": []}]}),
        frame(b"not JSON"),
        frame(b"\xff"),
        b"\xff" * 8,
    ],
)
def test_anything_else_is_not_ready(stub: Stub, answer: bytes) -> None:
    stub.script = lambda _: answer
    signer = asking(stub.path)
    assert isinstance(ask(signer), NotReady)
    signer.close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    answer: bytes = b""
    asked: bytes = b""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.readline()
        length = int(re.search(rb"(?i)content-length: ([0-9]+)", head)[1])  # type: ignore[index]
        self.server.asked = head.split(b"\r\n")[0] + b" " + self.rfile.read(length)
        self.wfile.write(self.server.answer)


@pytest.fixture
def http_signer() -> Iterator[tuple[_Server, SocketSigner]]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "signer.sock"
        with _Server(str(path), _Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            yield server, SocketSigner(path, path.with_name("unused.sock"), timeout=PATIENCE)
            server.shutdown()
            thread.join(PATIENCE)


def told(status: int, answer: object) -> bytes:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def test_other_operations_are_posted(http_signer: tuple[_Server, SocketSigner]) -> None:
    server, signer = http_signer
    server.answer = told(200, {"certificate": "AA=="})
    assert signer.call("ocsp/certify-key", {"proof": "AA=="}) == {"certificate": "AA=="}
    assert server.asked == b'POST /v1/ocsp/certify-key HTTP/1.1 {"proof": "AA=="}'


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (told(422, {"error": "invalid-request", "message": "no"}), InvalidRequest),
        (told(409, {"error": "tampered", "message": "no"}), PKIError),
        (told(500, {"message": "no"}), NotReady),
        (told(200, []), NotReady),
        (told(200, b"not JSON"), NotReady),
        (b"junk\r\n\r\n", NotReady),
        (b"", NotReady),
    ],
)
def test_what_an_operation_is_refused_with_is_raised(
    http_signer: tuple[_Server, SocketSigner], answer: bytes, kind: type[PKIError]
) -> None:
    server, signer = http_signer
    server.answer = answer
    with pytest.raises(PKIError) as refused:
        signer.call("status/history", {})
    assert type(refused.value) is kind
