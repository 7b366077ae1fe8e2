"""Request in, response out: answers signed once, kept, and checked against the standing each time one is given.

Kept answers never decide anything. Each time, the standing is read; only while it says what the answer says, and the
answer is young, the kept one is given again. So a revocation shows in the next answer of every worker (DESIGN
invariant 7), and what cannot be checked is not answered (invariant 11).
"""

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotFound, NotReady, PKIError
from ca.domain.ocsp import PLAIN, CertId, ErrorStatus, Policy, Question, error_response, said_of
from ca.domain.serials import SERIAL_OCTETS
from ca.domain.standings import KEY_OCTETS, Standing, face_of, issuer_of, serial_key
from ocsp.kept import KeptAnswer, KeptAnswers, variant
from ocsp.request import parse_request
from ocsp.response import SignedAnswer, parse_answer
from ocsp.shapes import Asked, Shapes
from ocsp.store import Statuses

_log = logging.getLogger(__name__)

_STATUS: dict[type[PKIError], ErrorStatus] = {
    InvalidRequest: ErrorStatus.MALFORMED_REQUEST,
    NotFound: ErrorStatus.UNAUTHORIZED,
    NotReady: ErrorStatus.TRY_LATER,
    KeyStoreUnavailable: ErrorStatus.TRY_LATER,
}
_CLOCK_TOLERANCE_SECONDS = 60
_STRANGERS = 4096
_PADDING = bytes(KEY_OCTETS - SERIAL_OCTETS)


class Issuers(Protocol):
    """Which issuers there are to ask about."""

    def find(self, cert_id: CertId) -> str | None:
        """The issuer's name, None when it is not one of ours."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send. With `fresh` it may be kept by others until then and given to whoever asks the same."""

    der: bytes
    error: ErrorStatus | None = None
    fresh: KeptAnswer | None = None

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.der).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question that only a responder's key answers, and what there is until it has."""

    question: Question
    issuer: str
    standing: bytes | None = None
    """Of the one certificate that is asked about; what is answered may be kept when `is_for_keeping`."""
    kept: KeptAnswer | None = None
    """Old, but good enough while nobody can sign."""
    is_for_keeping: bool = False


class _Strangers:
    """Answers about serials that were never issued: without number, so they are few, and the oldest makes room."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[bytes, KeptAnswer] = {}
        self._lock = threading.Lock()

    def find(self, cert_id: bytes) -> KeptAnswer | None:
        return self._kept.get(cert_id)

    def keep(self, cert_id: bytes, kept: KeptAnswer) -> None:
        with self._lock:
            self._kept.pop(cert_id, None)
            if len(self._kept) >= self._size:
                del self._kept[next(iter(self._kept))]
            self._kept[cert_id] = kept


class Responder:
    """Answers OCSP requests as far as no key is needed. Never raises, and never says good without a signature."""

    def __init__(
        self,
        *,
        issuers: Issuers,
        statuses: Statuses,
        kept: KeptAnswers,
        now: Callable[[], datetime],
        refresh: Callable[[Wanted], None],
        policy: Policy = PLAIN,
        strangers: int = _STRANGERS,
    ) -> None:
        """`refresh` is told of kept answers past half their life; it may forget them."""
        self._issuers = issuers
        self._statuses = statuses
        self._kept = kept
        self._now = now
        self._refresh = refresh
        self._policy = policy
        self._strangers = _Strangers(strangers)
        self._shapes = Shapes()

    def quick(self, blob: bytes, now: int) -> KeptAnswer | None:
        """The kept and young answer to a request of a shape that was met before, without reading the request.

        `now` is in seconds since 1970.
        """
        found = self._shapes.find(blob)
        if found is None:
            return None
        shape, serial = found
        try:
            standing = self._statuses.find(_PADDING + serial)
        except PKIError:
            return None
        if standing is None or issuer_of(standing) != shape.issuer_octets:
            return None
        kept = self._kept.find(shape.variant, serial, face_of(standing))
        return kept if kept is not None and _is_usable(kept, now) and _age(kept, now) < 1 / 2 else None

    def quick_asked(self, blob: bytes) -> Asked | None:
        """What a request with a nonce asks, if it is of a shape that was met before, without reading the request."""
        return self._shapes.find_asked(blob)

    def reply(self, blob: bytes) -> Reply | Wanted:
        """The response to a request as it came, or what must be signed for it.

        Whatever goes wrong is one of the errors of RFC 6960 section 4.2.1.
        """
        try:
            return self._reply(blob)
        except PKIError as error:
            return refusal(error)

    def finish(self, wanted: Wanted, outcome: bytes | PKIError) -> Reply:
        """The response, once somebody signed or said why not."""
        if isinstance(outcome, PKIError):
            if wanted.kept is not None and isinstance(outcome, NotReady | KeyStoreUnavailable):
                return Reply(wanted.kept.der, fresh=wanted.kept)
            return refusal(outcome)
        if not wanted.is_for_keeping:
            return Reply(outcome)
        try:
            answer = parse_answer(outcome)
            kept = KeptAnswer(answer.der, int(answer.produced_at.timestamp()), int(answer.next_update.timestamp()))
            self._keep(wanted, answer, kept)
        except PKIError as error:
            return refusal(error)
        return Reply(outcome, fresh=kept)

    def _reply(self, blob: bytes) -> Reply | Wanted:
        request = parse_request(blob)
        issuer = self._issuer_of(request)
        if len(request.cert_ids) > 1:
            return Wanted(request, issuer)
        self._shapes.learn(blob, request, issuer)
        return Wanted(request, issuer) if request.nonce is not None else self.look_up(request.cert_ids[0], issuer)

    def look_up(self, cert_id: CertId, issuer: str) -> Reply | Wanted:
        """The kept answer about one certificate, or what must be signed."""
        key, now = serial_key(cert_id.serial), int(self._now().timestamp())
        standing = None if key is None else self._statuses.find(key)
        kept = self._find(cert_id, issuer, standing)
        usable = kept if kept is not None and _is_usable(kept, now) else None
        wanted = Wanted(Question((cert_id,)), issuer, standing, usable, is_for_keeping=True)
        if usable is None or _age(usable, now) >= 3 / 4:
            return wanted
        if _age(usable, now) >= 1 / 2:
            self._refresh(wanted)
        return Reply(usable.der, fresh=usable)

    def _find(self, cert_id: CertId, issuer: str, standing: bytes | None) -> KeptAnswer | None:
        if _is_strangers(standing, issuer):
            return self._strangers.find(cert_id.der)
        assert standing is not None  # noqa: S101 - then it is a stranger's
        return self._kept.find(variant(cert_id.head), cert_id.serial_octets, face_of(standing))

    def _keep(self, wanted: Wanted, answer: SignedAnswer, kept: KeptAnswer) -> None:
        (cert_id,) = wanted.question.cert_ids
        standing = None if wanted.standing is None else Standing.unpack(wanted.standing)
        # A status that changed while it was signed: the answer is the newer one, and not for keeping.
        if answer.said != (said_of(cert_id.der, self._policy.status(standing, wanted.issuer)),):
            return
        if wanted.standing is None or _is_strangers(wanted.standing, wanted.issuer):
            self._strangers.keep(cert_id.der, kept)
        else:
            self._kept.keep(cert_id, wanted.standing, answer)

    def _issuer_of(self, question: Question) -> str:
        names = {self._issuers.find(each) for each in question.cert_ids}
        name = names.pop()
        # One response has one signature, and each issuer a responder of its own (RFC 6960 section 4.2.2.2).
        if name is None or names:
            raise NotFound("the certificates asked about are not all of one issuer of ours")
        return name


def _is_strangers(standing: bytes | None, issuer: str) -> bool:
    return standing is None or issuer_of(standing) != issuer.encode("ascii")


def _is_usable(kept: KeptAnswer, now: int) -> bool:
    return kept.produced_at - _CLOCK_TOLERANCE_SECONDS <= now < kept.next_update


def _age(kept: KeptAnswer, now: int) -> float:
    """How much of its life is over: 0 to 1."""
    return (now - kept.produced_at) / (kept.next_update - kept.produced_at)


def refusal(error: PKIError) -> Reply:
    """The error response for what went wrong; the reason stays in our log."""
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), ErrorStatus.INTERNAL_ERROR)
    if status in {ErrorStatus.TRY_LATER, ErrorStatus.INTERNAL_ERROR}:
        _log.warning("no OCSP answer: %s: %s", error.code, error)
    return Reply(error_response(status), error=status)
