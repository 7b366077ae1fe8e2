"""The status service over HTTP: OCSP by POST and GET (RFC 6960 appendix A, RFC 9919), CRLs, CA certificates
and bundles.

The server decodes the path once and keeps `//`, `+` and `=` as they came. The base64 of a GET has no `%`, so the one
decoding loses nothing, whichever way the client wrote `/`, `+` and `=` (`tests/integration/ocsp/test_served.py`).
"""

import binascii
import json
import logging
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from ca.domain.errors import InvalidRequest, PKIError
from ca.domain.ocsp import ErrorStatus
from ca.domain.standings import KEY_OCTETS
from ocsp.files import BUNDLE_PATCH, Publication, PublishedFile
from ocsp.history import PATH as HISTORY
from ocsp.history import History
from ocsp.kept import KeptAnswer
from ocsp.responder import Reply, Responder, Wanted, refusal
from ocsp.store import Statuses

Headers = list[tuple[str, str]]
Response = tuple[str, Headers, bytes]
"""Status line, headers, body."""
Answer = Callable[[bytes], Reply | Wanted]

MAX_PATH = 4096
OCSP_RESPONSE = "application/ocsp-response"
RETRY_SECONDS = 5

# A revocation must not wait in somebody's cache for long; asking again by ETag costs next to nothing.
_OCSP_SECONDS = 60
CRL_MAX_AGE = timedelta(seconds=300)
CERTIFICATE_MAX_AGE = timedelta(hours=1)
PATCH_MAX_AGE = timedelta(seconds=60)

_POSTED_TO = {"/ocsp", "/ocsp/"}
_NO_STORE = ("Cache-Control", "no-store")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_log = logging.getLogger(__name__)


class MustAskError(Exception):
    """Something must be signed before there is a response."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self.wanted = wanted


class StatusApp:
    """What is answered to a request in WSGI's words. `ocsp/server.py` is between it and the connection."""

    def __init__(
        self,
        *,
        responder: Responder,
        publication: Publication,
        statuses: Statuses,
        history: History,
        now: Callable[[], datetime],
    ) -> None:
        self._history = history
        self._responder = responder
        self._publication = publication
        self._statuses = statuses
        self._now = now

    def respond(self, environ: dict[str, Any], body: bytes = b"", reply: Reply | None = None) -> Response:
        """The response, with its body also to a HEAD. Raises MustAskError; then again, with the `reply` made of it."""
        try:
            return self._route(environ, body, self._responder.reply if reply is None else lambda _: reply)
        except MustAskError:
            raise
        except Exception:  # noqa: BLE001 - the outermost frame of the process
            _log.exception("the status service failed")
            return failed(environ["PATH_INFO"])

    def _route(self, environ: dict[str, Any], body: bytes, answer: Answer) -> Response:
        path: str = environ["PATH_INFO"]
        if len(path) > MAX_PATH:
            return plain("414 URI Too Long", "The path is too long.")
        if is_posted(environ["REQUEST_METHOD"], path):
            return ocsp_response(_answered(answer(body)))
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            allowed = "POST, GET, HEAD" if path in _POSTED_TO else "GET, HEAD"
            return plain("405 Method Not Allowed", "This method is not for this address.", ("Allow", allowed))
        return self._read(path, environ, answer)

    def _read(self, path: str, environ: dict[str, Any], answer: Answer) -> Response:
        if is_ocsp(path):
            return self._get(path.removeprefix("/ocsp"), environ, answer)
        if path == "/health":
            return self._health()
        if path == HISTORY:
            return self._history.respond(environ["QUERY_STRING"])
        file = self._publication.find(path.removeprefix("/"))
        if file is None:
            return plain("404 Not Found", "There is nothing at this address.")
        return self._file(file, environ)

    def _get(self, text: str, environ: dict[str, Any], answer: Answer) -> Response:
        try:
            reply = _answered(answer(request_in_path(text)))
        except InvalidRequest as error:
            reply = refusal(error)
        if reply.fresh is None:
            return ocsp_response(reply)
        headers = ocsp_caching(reply.etag, reply.fresh, int(self._now().timestamp()))
        return _conditional(environ, headers, OCSP_RESPONSE, reply.der)

    def _file(self, file: PublishedFile, environ: dict[str, Any]) -> Response:
        headers: Headers = [("ETag", file.etag), ("Last-Modified", http_date(file.modified))]
        if file.next_update is None:
            headers.append(("Cache-Control", f"public, max-age={_seconds(CERTIFICATE_MAX_AGE)}"))
        else:
            longest = PATCH_MAX_AGE if file.media_type == BUNDLE_PATCH else CRL_MAX_AGE
            age = _seconds(min(longest, file.next_update - self._now()))
            headers.append(("Cache-Control", f"public, max-age={age}, no-transform, must-revalidate"))
            headers.append(("Expires", http_date(file.next_update)))
        return _conditional(environ, headers, file.media_type, file.content)

    def _health(self) -> Response:
        now = self._now()
        try:
            self._statuses.find(bytes(KEY_OCTETS))
            readable = True
        except PKIError:
            readable = False
        crls = {name: _crl_health(file, now) for name, file in self._publication.crls().items()}
        issuers = self._publication.issuers()
        # An issuer without its CRL, or a CRL whose issuer's certificate is lost: relying parties get no answer for it.
        complete = bool(issuers) and set(issuers) <= set(crls) and all(_is_of(name, issuers) for name in crls)
        well = readable and complete and all(crl["current"] for crl in crls.values())
        found = {"status": "ok" if well else "failing", "standings": readable, "issuers": issuers, "crls": crls}
        body = json.dumps(found).encode()
        status = "200 OK" if well else "503 Service Unavailable"
        return status, [("Content-Type", "application/json"), _NO_STORE], body


def _is_of(crl: str, issuers: Sequence[str]) -> bool:
    """Whether a CRL's file, of whatever scope, is of one of them (`CRLScope.name`)."""
    return any(re.fullmatch(f"{re.escape(issuer)}(-delta|-p[0-9]+)?", crl) for issuer in issuers)


def _crl_health(file: PublishedFile, now: datetime) -> dict[str, Any]:
    return {
        "age_seconds": _seconds(now - file.modified),
        "current": file.next_update is not None and file.modified <= now < file.next_update,
    }


def request_in_path(text: str) -> bytes:
    """The request in a path. Standard or URL-safe alphabet, padded or not, `%` written twice: all mean one thing."""
    # A request starts with a SEQUENCE, so its base64 with M: slashes before it were put in by somebody on the way.
    unpadded = unquote(text).lstrip("/").rstrip("=").replace(" ", "+").replace("-", "+").replace("_", "/")
    if len(unpadded) % 4 == 1:
        # No base64 has such a length: the last slash was put in, too.
        unpadded = unpadded.removesuffix("/")
    try:
        return binascii.a2b_base64(unpadded + "=" * (-len(unpadded) % 4), strict_mode=True)
    except ValueError as error:
        raise InvalidRequest("the path is not base64") from error


def is_posted(method: str, path: str) -> bool:
    """Whether the body is an OCSP request; no other body is ever read."""
    return method == "POST" and path in _POSTED_TO


def is_ocsp(path: str) -> bool:
    """Whether OCSP is spoken at this path, by GET or POST."""
    return path == "/ocsp" or path.startswith("/ocsp/")


def failed(path: str) -> Response:
    """Something failed that we did not foresee; a relying party is told so in its own language."""
    if is_ocsp(path):
        return ocsp_response(refusal(PKIError("an error that was not foreseen")))
    return plain("500 Internal Server Error", "Something failed on our side.")


def _answered(reply: Reply | Wanted) -> Reply:
    if isinstance(reply, Wanted):
        raise MustAskError(reply)
    return reply


def ocsp_response(reply: Reply) -> Response:
    """An answer that nobody is to keep."""
    # Errors too are 200: HTTP did its part (RFC 6960 appendix A.2).
    headers: Headers = [("Content-Type", OCSP_RESPONSE), _NO_STORE]
    if reply.error is ErrorStatus.TRY_LATER:
        headers.append(("Retry-After", str(RETRY_SECONDS)))
    return "200 OK", headers, reply.der


def ocsp_caching(etag: str, fresh: KeptAnswer, now: int) -> Headers:
    """What caches are told of an answer that is for everybody."""
    # Strictly less than what is left of the answer's life (RFC 9919 section 7.2).
    age = max(0, min(_OCSP_SECONDS, fresh.next_update - now - 1))
    return [
        ("Cache-Control", f"max-age={age}, public, no-transform, must-revalidate"),
        ("ETag", etag),
        ("Last-Modified", _date_of(fresh.produced_at)),
        ("Expires", _date_of(fresh.next_update)),
    ]


@lru_cache(maxsize=4096)
def _date_of(seconds: int) -> str:
    return http_date(datetime.fromtimestamp(seconds, UTC))


def _conditional(environ: dict[str, Any], headers: Headers, media_type: str, body: bytes) -> Response:
    """304 when the client has it already (RFC 9110 section 13); `headers` has the validators."""
    validators = dict(headers)
    wanted: str | None = environ.get("HTTP_IF_NONE_MATCH")
    if wanted is not None:
        tags = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
        same = validators["ETag"] in tags or "*" in tags
    else:
        # The very date we gave: another one, older or newer, says nothing of this content.
        same = environ.get("HTTP_IF_MODIFIED_SINCE") == validators["Last-Modified"]
    if same:
        return "304 Not Modified", headers, b""
    return "200 OK", [("Content-Type", media_type), *headers], body


def plain(status: str, sentence: str, *more: tuple[str, str]) -> Response:
    """A sentence for whoever reads it."""
    return status, [("Content-Type", "text/plain; charset=utf-8"), _NO_STORE, *more], f"{sentence}\n".encode()


def _seconds(span: timedelta) -> int:
    return max(0, int(span.total_seconds()))


def http_date(at: datetime) -> str:
    """IMF-fixdate of RFC 9110 section 5.6.7, in English whatever the locale."""
    utc = at.astimezone(UTC)
    return f"{_DAYS[utc.weekday()]}, {utc.day:02d} {_MONTHS[utc.month - 1]} {utc:%Y %H:%M:%S} GMT"
