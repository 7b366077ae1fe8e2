"""Routing behind TLS: `/admin` to the console, the rest to the customer's process, both on Unix sockets.

What the edge says about a caller (where from, which host, which client certificate) can come from the edge only:
every inbound header with one of those names is dropped, in whatever spelling, before ours are added. A request body
is read whole, up to a limit, before the process behind is bothered, so that slow senders cost no thread there and a
body's length is never in doubt (RFC 9112 section 11.2). Paths and queries pass untouched.
"""

import base64
import http.client
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ca.domain.vouchers import DOOR, vouched

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLIENT_CERTIFICATE = "X-Vermilion-Client-Certificate"
VOUCHER = "X-Vermilion-Voucher"
"""Our signature that the request came from the certificate's holder (ca/domain/vouchers.py), base64."""
LARGEST_BODY = 1024 * 1024
_LARGEST_DRAIN = 16 * LARGEST_BODY
_PIECE = 64 * 1024
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0

# RFC 9110 section 7.6.1; Expect is answered by the server in front of us.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_OURS = ("x-vermilion-", "x-forwarded-")
_OURS_EXACTLY = frozenset({"forwarded", "host", "content-length", "content-type", "x-real-ip"})
# The server in front writes its own.
_NOT_PASSED_BACK = _HOP_BY_HOP | {"server", "date"}

_TOO_LARGE = "The request is too large: 1 MiB is the most that is accepted."
_CUT_SHORT = "The request ended before its announced length."
_BAD_TARGET = "The request names no path."
_NO_HOST = "The request does not name one host."
_STARTING = "This part of the bank's service is starting or stopped. Nothing is lost: try again in a minute."
_BROKEN = "This part of the bank's service gave no proper answer. Try again in a minute."
_LATE = "This part of the bank's service took too long. Try again in a minute."


class RefusalError(Exception):
    """The edge answers by itself: a status line and a sentence."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_CONNECT_SECONDS)
        self.sock.connect(str(self._path))
        self.sock.settimeout(_ANSWER_SECONDS)


class Edge:
    """The WSGI app."""

    def __init__(
        self, *, customer_socket: Path, console_socket: Path, vouch: Callable[[bytes], bytes] | None = None
    ) -> None:
        """`vouch` signs; without it the console is told of no client certificate (docs/adr/0041)."""
        self._customer, self._console, self._vouch = customer_socket, console_socket, vouch

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            require_host(environ)
            target = request_target(environ)
            body = read_body(environ)
            return self._forward(environ, target, body, start_response)
        except RefusalError as refusal:
            return _refuse(refusal, environ, start_response)

    def _forward(
        self, environ: "WSGIEnvironment", target: str, body: bytes | None, start_response: "StartResponse"
    ) -> Iterable[bytes]:
        to_console = is_console(target)
        connection = _UnixConnection(self._console if to_console else self._customer)
        headers = request_headers(environ, with_certificate=not to_console)
        if to_console:
            headers += self._at_the_door(environ, target)
        try:
            response = _exchange(connection, str(environ["REQUEST_METHOD"]), target, headers, body)
        except BaseException:
            connection.close()
            raise
        passed = [(name, value) for name, value in response.getheaders() if name.lower() not in _NOT_PASSED_BACK]
        start_response(f"{response.status} {response.reason or 'OK'}", passed)
        return _Pieces(connection, response)

    def _at_the_door(self, environ: "WSGIEnvironment", target: str) -> list[tuple[str, str]]:
        """What the console is told at the officers' door, and at no other path: the certificate, with our word for it
        when the request is the one that signs in."""
        if self._vouch is None or target.partition("?")[0] != DOOR:
            return []
        certificate = _client_certificate(environ.get("gunicorn.socket"))
        if not certificate:
            return []
        told = [(CLIENT_CERTIFICATE, _base64(certificate))]
        if environ["REQUEST_METHOD"] == "POST":
            told.append((VOUCHER, _base64(self._vouch(vouched(target, certificate)))))
        return told


class _Pieces:
    """The answer's body, piece by piece; closing it closes the connection behind."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection, self._response = connection, response

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._response.read(_PIECE):
            yield piece

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def is_console(target: str) -> bool:
    """By the path as sent: an encoded or dotted spelling is no console path, and the customer's process has none."""
    path = target.partition("?")[0]
    return path == "/admin" or path.startswith("/admin/")


def require_host(environ: "WSGIEnvironment") -> None:
    """Raise RefusalError unless a request of HTTP/1.1 names one host (RFC 9112 section 3.2)."""
    host = environ.get("HTTP_HOST")
    if (host is None and environ["SERVER_PROTOCOL"] == "HTTP/1.1") or "," in str(host or ""):
        raise RefusalError("400 Bad Request", _NO_HOST)


def request_target(environ: "WSGIEnvironment") -> str:
    """Path and query exactly as sent; of an absolute form, those parts (RFC 9112 section 3.2.2)."""
    raw = str(environ["RAW_URI"])
    if raw.startswith("/"):
        return raw.partition("#")[0]
    try:
        parts = urlsplit(raw)
    except ValueError as error:
        raise RefusalError("400 Bad Request", _BAD_TARGET) from error
    if parts.scheme not in {"http", "https"}:
        raise RefusalError("400 Bad Request", _BAD_TARGET)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def read_body(environ: "WSGIEnvironment") -> bytes | None:
    """The whole body, None when there is none. Raises RefusalError when it is too large or cut short."""
    announced = str(environ.get("CONTENT_LENGTH") or "")
    if not announced and "HTTP_TRANSFER_ENCODING" not in environ:
        return None
    if announced and int(announced) > LARGEST_BODY:
        raise RefusalError("413 Content Too Large", _TOO_LARGE)
    body: bytes = environ["wsgi.input"].read(int(announced) if announced else LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise RefusalError("413 Content Too Large", _TOO_LARGE)
    if announced and len(body) != int(announced):
        raise RefusalError("400 Bad Request", _CUT_SHORT)
    return body


def request_headers(environ: "WSGIEnvironment", *, with_certificate: bool) -> list[tuple[str, str]]:
    """What the process behind is told: the caller's headers without those that only we may set, then ours."""
    named_hop_by_hop = {name.strip().lower() for name in str(environ.get("HTTP_CONNECTION", "")).split(",")}
    headers = []
    for key, value in environ.items():
        if not key.startswith("HTTP_"):
            continue
        # Underscores and dashes are one in environ, so both spellings of a header meet the same rule here.
        name = key[5:].replace("_", "-").lower()
        if name in _HOP_BY_HOP or name in named_hop_by_hop or name in _OURS_EXACTLY or name.startswith(_OURS):
            continue
        headers.append((name.title(), str(value)))
    host = str(environ.get("HTTP_HOST") or environ["SERVER_NAME"])
    if environ.get("CONTENT_TYPE"):
        headers.append(("Content-Type", str(environ["CONTENT_TYPE"])))
    headers += [
        ("Host", host),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Proto", str(environ["wsgi.url_scheme"])),
        ("X-Forwarded-For", str(environ.get("REMOTE_ADDR", ""))),
    ]
    certificate = _client_certificate(environ.get("gunicorn.socket")) if with_certificate else None
    if certificate:
        headers.append((CLIENT_CERTIFICATE, _base64(certificate)))
    return headers


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _client_certificate(tls: Any) -> bytes | None:
    """What the caller proved to hold, verified by the handshake against our CA; None without one or without TLS."""
    certificate: bytes | None = tls.getpeercert(binary_form=True) if hasattr(tls, "getpeercert") else None
    return certificate


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    body: bytes | None,
) -> http.client.HTTPResponse:
    try:
        connection.connect()
    except OSError as error:
        raise RefusalError("503 Service Unavailable", _STARTING) from error
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        with suppress(BrokenPipeError, ConnectionResetError):
            # Who answers before it has read everything (413, say) closes on us; its answer is there to be read.
            connection.endheaders(body)
        return connection.getresponse()
    except TimeoutError as error:
        raise RefusalError("504 Gateway Timeout", _LATE) from error
    except http.client.InvalidURL as error:
        raise RefusalError("400 Bad Request", _BAD_TARGET) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise RefusalError("502 Bad Gateway", _BROKEN) from error


def _refuse(refusal: RefusalError, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
    body = (refusal.sentence + "\n").encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
    ]
    if refusal.status.startswith("503"):
        headers.append(("Retry-After", "5"))
    start_response(refusal.status, headers)
    return _answer_then_drain(body, environ)


def _answer_then_drain(body: bytes, environ: "WSGIEnvironment") -> Iterator[bytes]:
    """Closing on a client that is still sending would reset the connection and lose the sentence."""
    yield body
    left = _LARGEST_DRAIN
    while left > 0 and (piece := environ["wsgi.input"].read(_PIECE)):
        left -= len(piece)
