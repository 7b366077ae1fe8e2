"""The connections of one worker of status with everything behind them faked, and requests as they come over one."""

import asyncio
import base64
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ca.domain.errors import PKIError
from ca.domain.ocsp import ErrorStatus, Question, error_response
from ocsp.asking import Asking
from ocsp.connection import Connection, Patience
from ocsp.files import Publication
from ocsp.history import History
from ocsp.http import StatusApp
from ocsp.kept import KeptAnswer
from ocsp.responder import Reply, Wanted
from ocsp.server import AtOnce, StatusServer
from ocsp.shapes import Asked, Shape
from tests.fakes.clock import FakeClock
from tests.fakes.connections import FakeTransport
from tests.fakes.ocsp_requests import cert_id

QUESTION = Question.parse([cert_id(1)])
ASKED = Asked(Shape.of("issuing", QUESTION.cert_ids[0]), b"\x01", b"n" * 32)
CLOCK = FakeClock()
SECOND = int(CLOCK.now().timestamp())
KEPT = KeptAnswer(b"kept", SECOND, SECOND + 3600)
WAIT = 20


class FakeResponder:
    """Has `kept` at once and `slow` on the way of StatusApp; for `new` it wants a signature."""

    def quick(self, blob: bytes, now: int) -> KeptAnswer | None:
        assert now == SECOND
        return KEPT if blob == b"kept" else None

    def quick_asked(self, blob: bytes) -> Asked | None:
        return ASKED if blob == b"nonce" else None

    def reply(self, blob: bytes) -> Reply | Wanted:
        if blob == b"new":
            return Wanted(QUESTION, "issuing")
        return Reply(b"slow:" + blob, fresh=KEPT)

    def finish(self, wanted: Wanted, outcome: bytes | PKIError) -> Reply:
        return Reply(outcome if isinstance(outcome, bytes) else error_response(ErrorStatus.TRY_LATER))


class FakeSigner:
    """Answers when `signed` is set."""

    def __init__(self) -> None:
        self.signed = threading.Event()
        self.batches: list[int] = []

    def answer(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
        self.batches.append(len(questions))
        assert self.signed.wait(WAIT)
        return [b"signed"] * len(questions)


class FakeAtOnce:
    """Signs by itself."""

    outcome: bytes | PKIError | None = b"now"

    def answer_now(self, question: Question) -> bytes | PKIError | None:
        assert question == QUESTION
        return self.outcome

    def answer_asked(self, asked: Asked, second: int) -> bytes | PKIError | None:
        assert (asked, second) == (ASKED, SECOND)
        return self.outcome


class Unasked:
    def find(self, key: bytes) -> None:
        """Nothing was ever issued."""


class FakeBackground:
    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, responder: object) -> None:
        self.said.append("start")

    def stop(self) -> None:
        self.said.append("stop")


@dataclass
class Told:
    """What came back, response by response."""

    status: int
    headers: dict[str, str]
    body: bytes


def told(written: bytes) -> list[Told]:
    responses = []
    while written:
        head, _, rest = written.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = dict(each.split(": ", 1) for each in lines)
        assert len(headers) == len(lines)
        length = int(headers.get("content-length", 0))
        responses.append(Told(int(line.split()[1]), headers, rest[:length]))
        written = rest[length:]
    return responses


class Site:
    def __init__(self, directory: Path, *, reads_at_once: bool, at_once: AtOnce | None = None) -> None:
        self.signer = FakeSigner()
        self.background = FakeBackground()
        responder: Any = FakeResponder()
        statuses: Any = Unasked()
        app = StatusApp(
            responder=responder,
            publication=Publication(directory),
            statuses=statuses,
            history=History(statuses, CLOCK.now),
            now=CLOCK.now,
        )
        self.server = StatusServer(
            app,
            responder,
            Asking(self.signer, threads=1, waiting=2),
            now=CLOCK.now,
            reads_at_once=reads_at_once,
            at_once=at_once,
            background=[self.background],
            patience=Patience(head=5, body=5, idle=30),
        )

    def run(self, scenario: Callable[["Site"], Coroutine[Any, Any, None]]) -> None:
        async def prepared() -> None:
            self.server.count_time()
            await scenario(self)
            self.signer.signed.set()

        asyncio.run(prepared())

    def connect(self) -> tuple[Connection, FakeTransport]:
        connection, transport = self.server(), FakeTransport()
        connection.connection_made(transport)
        return connection, transport

    def pass_time(self, connection: Connection) -> None:
        """So much that the connection is overdue."""
        connection.deadline = self.server.moment - 1
        self.server.count_time()

    async def ask(self, *pieces: bytes) -> tuple[list[Told], FakeTransport]:
        connection, transport = self.connect()
        for piece in pieces:
            connection.data_received(piece)
        await settled(connection)
        return told(transport.written), transport


async def settled(connection: Connection) -> None:
    async with asyncio.timeout(WAIT):
        while connection._answering is not None:
            await asyncio.wait([connection._answering])


def post(body: bytes, *fields: bytes, path: bytes = b"/ocsp") -> bytes:
    length = (
        []
        if any(field.startswith((b"Content-L", b"Transfer")) for field in fields)
        else [b"Content-Length: %d" % len(body)]
    )
    lines = (b"POST " + path + b" HTTP/1.1", b"Host: status", *length, *fields)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def get(path: bytes, *fields: bytes, method: bytes = b"GET", version: bytes = b"1") -> bytes:
    return b"\r\n".join((method + b" " + path + b" HTTP/1." + version, b"Host: status", *fields)) + b"\r\n\r\n"


KEPT_PATH = b"/ocsp/" + base64.b64encode(b"kept")
SLOW_PATH = b"/ocsp/" + base64.b64encode(b"slow")
