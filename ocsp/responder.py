"""Request in, response out: answers signed once, kept, and checked against the standing each time one is given.

Kept answers never decide anything. Each time, the standing is read; only while it says what the answer says,
and the answer is young, the kept one is given again. So a revocation shows in the next answer of every worker
(DESIGN invariant 7), and what cannot be checked is not answered (invariant 11).
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotFound, NotReady, PKIError
from ca.domain.ocsp import CertId, ErrorStatus, Policy, error_response, said_of
from ca.domain.standings import Standing, serial_key
from ocsp.request import OCSPRequest, parse_request
from ocsp.response import SignedAnswer, parse_answer
from ocsp.signer import Signer
from ocsp.store import Statuses

_log = logging.getLogger(__name__)

_STATUS: dict[type[PKIError], ErrorStatus] = {
    InvalidRequest: ErrorStatus.MALFORMED_REQUEST,
    NotFound: ErrorStatus.UNAUTHORIZED,
    NotReady: ErrorStatus.TRY_LATER,
    KeyStoreUnavailable: ErrorStatus.TRY_LATER,
}
_CLOCK_TOLERANCE = timedelta(seconds=60)


class Issuers(Protocol):
    """Which issuers there are to ask about."""

    def find(self, cert_id: CertId) -> str | None:
        """The issuer's name, None when it is not one of ours."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Between when an answer holds, and its validator for HTTP."""

    this_update: datetime
    next_update: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send. With `fresh` it may be kept by others until then and given to whoever asks the same."""

    der: bytes
    error: ErrorStatus | None = None
    fresh: Freshness | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    reply: Reply
    standing: bytes | None
    usable_from: datetime
    fresh_until: datetime
    usable_until: datetime

    def is_usable(self, standing: bytes | None, now: datetime) -> bool:
        return self.standing == standing and self.usable_from <= now < self.usable_until


class MustAskError(Exception):
    """No kept answer serves; only the signer can tell."""


class _NobodyToAsk:
    def answer(self, cert_ids: Sequence[bytes], nonce: bytes | None) -> bytes:
        del cert_ids, nonce
        raise MustAskError


_NOBODY_TO_ASK = _NobodyToAsk()


class _Memory:
    """Kept answers by CertID, the oldest forgotten first. Reading takes no lock."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[bytes, _Kept] = {}
        self._lock = threading.Lock()

    def find(self, cert_id: bytes) -> _Kept | None:
        return self._kept.get(cert_id)

    def keep(self, cert_id: bytes, kept: _Kept) -> None:
        with self._lock:
            self._kept.pop(cert_id, None)
            if len(self._kept) >= self._size:
                del self._kept[next(iter(self._kept))]
            self._kept[cert_id] = kept


class Responder:
    """Answers OCSP requests. Never raises, and never says good without the signer's signature."""

    def __init__(
        self,
        *,
        issuers: Issuers,
        statuses: Statuses,
        signer: Signer,
        now: Callable[[], datetime],
        kept_answers: int = 50_000,
    ) -> None:
        self._issuers = issuers
        self._statuses = statuses
        self._signer = signer
        self._now = now
        self._issued = _Memory(kept_answers)
        # Serials that were never issued are without number: they must not push the others out.
        self._unknown = _Memory(max(1, kept_answers // 10))

    def answer(self, blob: bytes) -> Reply:
        """The response to a request as it came. Whatever goes wrong is one of the errors of RFC 6960 section 4.2.1."""
        return self._answer_or_refuse(blob, self._signer)

    def answer_kept(self, blob: bytes) -> Reply:
        """The same, as far as it needs no signer and therefore no waiting. Else raises MustAskError."""
        return self._answer_or_refuse(blob, _NOBODY_TO_ASK)

    def _answer_or_refuse(self, blob: bytes, signer: Signer) -> Reply:
        try:
            return self._answer(parse_request(blob), signer)
        except PKIError as error:
            return refusal(error)

    def _answer(self, request: OCSPRequest, signer: Signer) -> Reply:
        issuer = self._issuer_of(request)
        if request.nonce is not None or len(request.cert_ids) > 1:
            # Asked of the signer each time, which looks into its own records.
            return Reply(signer.answer([each.der for each in request.cert_ids], request.nonce))
        key = serial_key(request.cert_ids[0].serial)
        standing = None if key is None else self._statuses.find(key)
        return self._kept_or_new(request.cert_ids[0].der, issuer, standing, signer)

    def _issuer_of(self, request: OCSPRequest) -> str:
        names = {self._issuers.find(each) for each in request.cert_ids}
        name = names.pop()
        # One response has one signature, and each issuer a responder of its own (RFC 6960 section 4.2.2.2).
        if name is None or names:
            raise NotFound("the certificates asked about are not all of one issuer of ours")
        return name

    def _kept_or_new(self, cert_id: bytes, issuer: str, standing: bytes | None, signer: Signer) -> Reply:
        now = self._now()
        memory = self._unknown if standing is None else self._issued
        kept = memory.find(cert_id)
        usable = kept if kept is not None and kept.is_usable(standing, now) else None
        if usable is not None and now < usable.fresh_until:
            return usable.reply
        try:
            answer = parse_answer(signer.answer([cert_id], None))
        except (NotReady, KeyStoreUnavailable):
            # Young enough, and the standing has just said the same.
            if usable is not None:
                return usable.reply
            raise
        reply = Reply(answer.der, fresh=Freshness(answer.this_update, answer.next_update, _etag(answer.der)))
        # A status that changed while the signer answered: its answer is the newer one, and not for keeping.
        if answer.said == (_expected(cert_id, issuer, standing),):
            memory.keep(cert_id, _kept(reply, answer, standing))
        return reply


def _kept(reply: Reply, answer: SignedAnswer, standing: bytes | None) -> _Kept:
    half = (answer.next_update - answer.this_update) / 2
    return _Kept(
        reply,
        standing,
        usable_from=answer.this_update - _CLOCK_TOLERANCE,
        fresh_until=answer.this_update + half,
        usable_until=answer.next_update,
    )


def _expected(cert_id: bytes, issuer: str, packed: bytes | None) -> bytes:
    standing = None if packed is None else Standing.unpack(packed)
    return said_of(cert_id, Policy().status(standing, issuer))


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()}"'


def refusal(error: PKIError) -> Reply:
    """The error response for what went wrong; the reason stays in our log."""
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), ErrorStatus.INTERNAL_ERROR)
    if status in {ErrorStatus.TRY_LATER, ErrorStatus.INTERNAL_ERROR}:
        _log.warning("no OCSP answer: %s: %s", error.code, error)
    return Reply(error_response(status), error=status)
