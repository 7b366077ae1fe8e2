"""One client's connection to the status service: how its requests come and its answers go.

Whoever sends half a request waits alone and is told 408; whoever does not read is not written to without end.
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, cast

from ocsp.http import Response, failed, is_posted, plain
from ocsp.request import MAX_REQUEST
from ocsp.wire import Head, HeadReader, UnreadableError, read_chunks

_CONNECTIONS = 1024
_READ_AHEAD = 64 * 1024
_LINGER_SECONDS = 2.0
_LINGER_OCTETS = 1 << 20
_MUCH = 1 << 62

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long who may keep us waiting, in seconds."""

    head: float = 5.0
    body: float = 5.0
    idle: float = 30.0


Quick = bytes | Response | Awaitable[Response]
"""A response as it goes over the connection, or one that is not put together yet, or not there yet."""


class Serving(Protocol):
    """What all connections share."""

    patience: Patience
    heads: HeadReader
    connections: set["Connection"]
    moment: float

    def quick(self, head: Head, body: bytes) -> Quick | None: ...
    def respond(self, head: Head, body: bytes) -> Response | Awaitable[Response]: ...
    def encode(self, response: Response, head: Head | None) -> tuple[bytes, bytes]: ...


class Connection(asyncio.Protocol):
    """One client's requests, one after the other."""

    def __init__(self, server: Serving) -> None:
        self._server = server
        self._transport: asyncio.Transport
        self._unread = b""
        self._head: Head | None = None
        """Of the request whose body is not here yet."""
        self._answering: asyncio.Task[None] | None = None
        self._is_full = False
        """The client does not read what it was told."""
        self._lingering = -1
        """How much more is read over on a connection that ended, -1 before its end."""
        self._unsent = _MUCH
        self.deadline = 0.0

    @property
    def busy(self) -> bool:
        """A request is being answered; those behind it wait."""
        return self._answering is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        server = self._server
        self.deadline = server.moment + server.patience.head
        server.connections.add(self)
        if len(server.connections) > _CONNECTIONS:
            self._end(plain("503 Service Unavailable", "Too many are connected."))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._lingering >= 0:
            self._lingering -= len(data)
            if self._lingering < 0:
                self._transport.abort()
            return
        self._unread = self._unread + data if self._unread else data
        if (self.busy or self._is_full) and len(self._unread) > _READ_AHEAD:
            self._transport.pause_reading()
        self._proceed()

    def eof_received(self) -> bool:
        """A client that only stopped to speak still gets its answer."""
        return self.busy

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._proceed()

    def out_of_time(self) -> None:
        """The deadline is over: silence is ended, half a request is told so, and whoever reads slowly may go on."""
        unsent = self._transport.get_write_buffer_size()
        if self.busy or 0 < unsent < self._unsent:
            self.deadline = self._server.moment + self._server.patience.idle
        elif self._lingering >= 0 or unsent:
            self._transport.abort()
        elif self._unread or self._head:
            self._end(plain("408 Request Timeout", "The request took too long."))
        else:
            self._transport.close()
        self._unsent = unsent or _MUCH

    def let_go(self) -> None:
        """The process ends."""
        if not self.busy:
            self._transport.close()

    def _proceed(self) -> None:
        """Answer what is here, as far as it can be answered at once."""
        try:
            while self._unread and self._lingering < 0 and not (self.busy or self._is_full) and self._step():
                pass
        except UnreadableError as error:
            self._end(plain(error.status, error.sentence))
        except Exception:  # noqa: BLE001 - the outermost frame of the connection
            _log.exception("a connection failed")
            self._end(failed("/"))

    def _step(self) -> bool:
        """Answer the next request; False when more of it must come."""
        server, head = self._server, self._head
        if head is None:
            found = server.heads.read(self._unread)
            if found is None:
                self.deadline = min(self.deadline, server.moment + server.patience.head)
                return False
            head, start = found
            self._unread = self._unread[start:]
            self.deadline = server.moment + server.patience.body
        body = self._body(head)
        if body is None:
            if head.fields.continuing and self._head is None and not self._unread:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._head = head
            return False
        self._head = None
        self.deadline = server.moment + server.patience.idle
        # HTTP/1.0 would be told that the connection stays, which is not worth a second quick way.
        is_usual = head.version and head.keeps_alive and not self._has_unread_body(head)
        quick = server.quick(head, body) if is_usual else None
        response = server.respond(head, body) if quick is None else quick
        if isinstance(response, bytes):
            self._transport.write(response)
        elif isinstance(response, tuple):
            self._reply(response, head)
        else:
            self._answering = asyncio.get_running_loop().create_task(self._answer(head, response))
        return True

    def _body(self, head: Head) -> bytes | None:
        """None while it is not here. Of all bodies only that of an OCSP request is ever read."""
        fields = head.fields
        if head.method != "POST" or not is_posted(head.method, head.path):
            return b""
        if fields.chunked:
            chunks = read_chunks(self._unread, MAX_REQUEST)
            if chunks is None:
                # What stands in a chunk besides its octets is read over, but not without end.
                if len(self._unread) > _READ_AHEAD:
                    raise UnreadableError("413 Content Too Large", "The chunks say too much besides the body.")
                return None
            body, end = chunks
        elif fields.length > MAX_REQUEST:
            raise UnreadableError("413 Content Too Large", "An OCSP request has at most 8 KiB.")
        elif len(self._unread) < fields.length:
            return None
        else:
            body, end = self._unread[: fields.length], fields.length
        self._unread = self._unread[end:]
        return body

    def _has_unread_body(self, head: Head) -> bool:
        fields = head.fields
        return (fields.chunked or fields.length > 0) and not is_posted(head.method, head.path)

    async def _answer(self, head: Head, awaited: Awaitable[Response]) -> None:
        try:
            response = await awaited
        except Exception:  # noqa: BLE001 - the outermost frame of the task
            # The client must not wait for what will not come.
            _log.exception("a request was not answered")
            response = failed(head.path)
        self._answering = None
        self.deadline = self._server.moment + self._server.patience.idle
        self._reply(response, head)
        self._transport.resume_reading()
        self._proceed()

    def _reply(self, response: Response, head: Head) -> None:
        if head.keeps_alive and not self._has_unread_body(head):
            self._transport.writelines(self._server.encode(response, head))
        else:
            self._end(response, head)

    def _end(self, response: Response, head: Head | None = None) -> None:
        """The last word. What still comes is read over: else the client's system would throw our answer away."""
        status, headers, content = response
        closing = [*(field for field in headers if field[0] != "Connection"), ("Connection", "close")]
        self._transport.writelines(self._server.encode((status, closing, content), head))
        self._unread, self._head, self._lingering = b"", None, _LINGER_OCTETS
        self.deadline = self._server.moment + _LINGER_SECONDS
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        self._transport.resume_reading()
