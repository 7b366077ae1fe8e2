"""The status service for granian's RSGI interface: bodies are awaited here, so that none of them holds a thread.

Whoever sends half a request waits alone and is told 408. A request that is here in full is answered with what is
kept, at once or in a thread that reads; only one that no kept answer serves waits for the signer, among threads of
its own. So neither slow clients nor a signer that hangs silence CRLs, health and kept answers (docs/adr/0014).
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

from ocsp.http import RETRY_SECONDS, Headers, Response, StatusApp, is_ocsp, is_posted, plain
from ocsp.request import MAX_REQUEST
from ocsp.responder import MustAskError


class Fields(Protocol):
    """The header fields as they came: names in lower case, one item for each line."""

    def items(self) -> list[tuple[str, str]]: ...


class Scope(Protocol):
    """What granian says of a request. The path is decoded once, as WSGI has it."""

    @property
    def http_version(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def headers(self) -> Fields: ...


class Exchange(Protocol):
    """The body that comes, and the way to answer. What is not read is granian's to close."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_empty(self, status: int, headers: Headers) -> None: ...
    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...


class _Threads:
    """Some threads and a bounded number of requests that wait for them. Used from the event loop only."""

    def __init__(self, name: str, threads: int, places: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads + places

    async def run(self, work: Callable[[], Response]) -> Response:
        if self._free == 0:
            return plain("503 Service Unavailable", "Too many are waiting.", ("Retry-After", str(RETRY_SECONDS)))
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._free += 1

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class StatusServer:
    """An RSGI application. With `reads_at_once` a row of the database takes microseconds, and no thread."""

    def __init__(
        self,
        app: StatusApp,
        *,
        reads_at_once: bool,
        threads: int = 8,
        waiting: int = 256,
        body_seconds: float = 5.0,
    ) -> None:
        self._app = app
        self._reads_at_once = reads_at_once
        self._reading = _Threads("read", threads, waiting)
        self._asking = _Threads("ask", threads, waiting)
        self._body_seconds = body_seconds

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        status, headers, body = await self._respond(scope, exchange)
        code, fields = int(status[:3]), [(name.lower(), value) for name, value in headers]
        if code != 304:  # a 304 would say the length of what it leaves out
            fields.append(("content-length", str(len(body))))
        if scope.method == "HEAD" or not body:
            exchange.response_empty(code, fields)
        else:
            exchange.response_bytes(code, fields, body)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """The process ends: nobody waits for an answer any more."""
        del loop
        self._reading.stop()
        self._asking.stop()

    async def _respond(self, scope: Scope, exchange: Exchange) -> Response:
        fields = scope.headers.items()
        if scope.http_version == "1.1" and sum(name == "host" for name, _ in fields) != 1:
            return plain("400 Bad Request", "A request has exactly one Host.", ("Connection", "close"))
        environ, body = _environ(scope, fields), b""
        if is_posted(scope.method, scope.path):
            try:
                async with asyncio.timeout(self._body_seconds):
                    body = await _body(exchange, environ["CONTENT_LENGTH"])
            except TimeoutError:
                return plain("408 Request Timeout", "The request took too long.", ("Connection", "close"))

        def work(*, may_ask: bool) -> Response:
            return self._app.respond(environ | {"wsgi.input": io.BytesIO(body)}, may_ask=may_ask)

        try:
            if self._reads_at_once and is_ocsp(scope.path):
                return work(may_ask=False)
            # A CRL that is new is parsed, which may take its time.
            return await self._reading.run(partial(work, may_ask=False))
        except MustAskError:
            return await self._asking.run(partial(work, may_ask=True))


def _environ(scope: Scope, fields: list[tuple[str, str]]) -> dict[str, Any]:
    """The names WSGI gives to a request; lines of one name are one value with commas (RFC 9110 section 5.2)."""
    environ = {"REQUEST_METHOD": scope.method, "PATH_INFO": scope.path, "CONTENT_LENGTH": ""}
    for name, value in fields:
        key = "CONTENT_LENGTH" if name == "content-length" else f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]}, {value}" if environ.get(key) else value
    return environ


async def _body(exchange: Exchange, announced: str) -> bytes:
    """What was sent, read no further than to see that it is too much."""
    body = bytearray()
    if not announced.isdigit() or int(announced) <= MAX_REQUEST:
        async for piece in exchange:
            body += piece
            if len(body) > MAX_REQUEST:
                break
    return bytes(body)
