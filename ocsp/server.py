"""The status service's connections: HTTP/1.1 spoken by asyncio, so that nobody who is slow holds a thread.

A request that is met again and again takes the quick way: no header is built, no request is read. Everything else is
StatusApp's. Whoever sends half a request waits alone and is told 408; whoever needs a signature waits for those who
sign, and holds up nobody else (docs/adr/0014, docs/adr/0018).
"""

import asyncio
import binascii
import hashlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from ca.domain.errors import PKIError
from ca.domain.ocsp import Question
from ocsp.asking import Asking, TooManyError
from ocsp.connection import Connection, Patience, Quick
from ocsp.http import (
    RETRY_SECONDS,
    MustAskError,
    Response,
    StatusApp,
    http_date,
    is_ocsp,
    ocsp_caching,
    ocsp_response,
    plain,
)
from ocsp.kept import KeptAnswer
from ocsp.responder import Reply, Responder, Wanted
from ocsp.shapes import Asked
from ocsp.wire import Head, HeadReader

_READERS = 8
_WAITING_READERS = 256
_TICK_SECONDS = 0.25


class Background(Protocol):
    """What works beside the connections for as long as they are served."""

    def start(self, responder: Responder) -> None: ...
    def stop(self) -> None: ...


class AtOnce(Protocol):
    """Who signs without keeping anybody waiting; None when only the signer can."""

    def answer_now(self, question: Question) -> bytes | PKIError | None: ...
    def answer_asked(self, asked: Asked, second: int) -> bytes | PKIError | None: ...


PATIENT = Patience()


class StatusServer:
    """Everything the connections of one worker share. Calling it makes the protocol of a new connection."""

    def __init__(
        self,
        app: StatusApp,
        responder: Responder,
        asking: Asking,
        *,
        now: Callable[[], datetime],
        reads_at_once: bool,
        at_once: AtOnce | None = None,
        background: Sequence[Background] = (),
        patience: Patience = PATIENT,
    ) -> None:
        """With `reads_at_once` a standing takes microseconds, and no thread; then so does `at_once`."""
        self.responder = responder
        self.patience = patience
        self.reads_at_once = reads_at_once
        self.heads = HeadReader()
        self.connections: set[Connection] = set()
        self.moment = 0.0
        """The event loop's time, a quarter of a second old at most."""
        self.second = 0
        self.date = b""
        """The Date field of all responses of this second (RFC 9110 section 6.6.1)."""
        self._app = app
        self._asking = asking
        self._at_once = at_once if reads_at_once else None
        self._now = now
        self._background = background
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="read")
        self._reads = 0

    def __call__(self) -> "Connection":
        return Connection(self)

    async def serve(self, sockets: Sequence[socket.socket], *, tick: Callable[[], bool]) -> None:
        """Until `tick`, which is called a few times a second, says that it is enough."""
        loop = asyncio.get_running_loop()
        self.count_time()
        servers = [await loop.create_server(self, sock=each, backlog=2048) for each in sockets]
        for each in self._background:
            each.start(self.responder)
        while tick():
            await asyncio.sleep(_TICK_SECONDS)
            self.count_time()
        for server in servers:
            server.close()
        await self._end()

    def count_time(self) -> None:
        """Close what is overdue, and look at the clock for everybody."""
        self.moment = asyncio.get_running_loop().time()
        now = self._now()
        self.second = int(now.timestamp())
        self.date = b"date: %s\r\n" % http_date(now).encode()
        for connection in [each for each in self.connections if each.deadline < self.moment]:
            connection.out_of_time()

    async def _end(self) -> None:
        """Whoever is being answered is, within a second; whoever says nothing is let go."""
        for _ in range(20):
            for connection in list(self.connections):
                connection.let_go()
            if not self.connections:
                break
            await asyncio.sleep(0.05)
        for each in self._background:
            each.stop()
        self._asking.stop()
        self._reading.shutdown(wait=False, cancel_futures=True)

    def quick(self, head: Head, body: bytes) -> Quick | None:
        """The whole response to a request whose shape was met before, if what is kept may be given or a nonce is all.

        None for what must be read.
        """
        posted = head.method == "POST"
        is_plain = head.method == "GET" and not head.fields.conditional
        blob = body if posted else _in_target(head.target) if is_plain else None
        kept = None if blob is None else self.responder.quick(blob, self.second)
        if kept is None:
            return self._quick_signed(body) if posted else None
        caching = _NO_STORE if posted else _caching(kept.produced_at, kept.next_update, self.second)
        tag = b"" if posted else b'etag: "%b"\r\n' % hashlib.sha256(kept.der).hexdigest().encode()
        return b"".join((_QUICK, self.date, caching, tag, b"content-length: %d\r\n\r\n" % len(kept.der), kept.der))

    def _quick_signed(self, blob: bytes) -> Quick | None:
        asked = self.responder.quick_asked(blob)
        if asked is None:
            return None
        at_once = self._at_once.answer_asked(asked, self.second) if self._at_once else None
        if isinstance(at_once, bytes):
            return b"".join((_QUICK, self.date, _NO_STORE, b"content-length: %d\r\n\r\n" % len(at_once), at_once))
        # An error, too, is told by those who know its words.
        return self._finish(Wanted(asked.question, asked.shape.issuer), at_once, ocsp_response)

    def respond(self, head: Head, body: bytes) -> Response | Awaitable[Response]:
        """The response to a request that did not take the quick way; at once if nothing keeps us waiting."""
        environ = environ_of(head)
        if not (self.reads_at_once and is_ocsp(environ["PATH_INFO"])):
            return self._read(environ, body)
        try:
            return self._app.respond(environ, body)
        except MustAskError as asked:
            return self._sign(asked.wanted, partial(self._app.respond, environ, body))

    async def _read(self, environ: dict[str, Any], body: bytes) -> Response:
        """In a thread: a CRL that is new is parsed, and a database may keep us waiting."""
        if self._reads >= _WAITING_READERS:
            return _busy()
        self._reads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, self._app.respond, environ, body)
        except MustAskError as asked:
            return await self._ask(asked.wanted, partial(self._app.respond, environ, body))
        finally:
            self._reads -= 1

    def _sign(self, wanted: Wanted, then: Callable[[Reply], Response]) -> Response | Awaitable[Response]:
        return self._finish(wanted, self._at_once.answer_now(wanted.question) if self._at_once else None, then)

    def _finish(
        self, wanted: Wanted, outcome: bytes | PKIError | None, then: Callable[[Reply], Response]
    ) -> Response | Awaitable[Response]:
        return self._ask(wanted, then) if outcome is None else then(self.responder.finish(wanted, outcome))

    async def _ask(self, wanted: Wanted, then: Callable[[Reply], Response]) -> Response:
        try:
            outcome = await self._asking.ask(wanted.question)
        except TooManyError:
            return _busy()
        return then(self.responder.finish(wanted, outcome))

    def encode(self, response: Response, head: Head | None) -> tuple[bytes, bytes]:
        """Head and body as they go over the connection; a long body is not copied. To a HEAD it is empty."""
        status, headers, content = response
        fields = [f"HTTP/1.1 {status}\r\n", *(f"{name.lower()}: {value}\r\n" for name, value in headers)]
        if head is not None and head.version == 0 and head.keeps_alive:
            fields.append("connection: keep-alive\r\n")
        if not status.startswith("304"):  # a 304 would say the length of what it leaves out
            fields.append(f"content-length: {len(content)}\r\n")
        sent = b"" if head is not None and head.method == "HEAD" else content
        return b"".join(("".join(fields).encode("latin-1"), self.date, b"\r\n")), sent


_QUICK = b"HTTP/1.1 200 OK\r\ncontent-type: application/ocsp-response\r\n"
_NO_STORE = b"cache-control: no-store\r\n"
_GET = b"/ocsp/"


@lru_cache(maxsize=1024)
def _in_target(target: bytes) -> bytes | None:
    """What a GET asks, where it is written as RFC 6960 has it; whatever else is written is StatusApp's to read."""
    if not target.startswith(_GET):
        return None
    text = target[len(_GET) :]
    if b"%" in text:
        text = unquote_to_bytes(text)
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _caching(produced_at: int, next_update: int, now: int) -> bytes:
    fields = ocsp_caching("", KeptAnswer(b"", produced_at, next_update), now)
    return b"".join(f"{name.lower()}: {value}\r\n".encode() for name, value in fields if value)


def _busy() -> Response:
    return plain("503 Service Unavailable", "Too many are waiting.", ("Retry-After", str(RETRY_SECONDS)))


def environ_of(head: Head) -> dict[str, Any]:
    """The names WSGI gives to a request."""
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in head.fields.by_name.items()}
    query = head.target.partition(b"?")[2].decode("latin-1")
    return named | {"REQUEST_METHOD": head.method, "PATH_INFO": head.path, "QUERY_STRING": query}
