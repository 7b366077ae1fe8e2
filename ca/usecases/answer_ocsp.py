"""The signer answers relying parties (RFC 6960): statuses from its own records, signed by the issuer's responder.

The caller only says which certificates are asked about. What is said of them comes from the records the signer itself
keeps, so a status process that was taken over can make nobody good. The records are kept twice, in the database and in
the standings map: where the two contradict each other, somebody changed one of them, and nothing is signed.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ca.domain import ocsp
from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate
from ca.domain.errors import InvalidRequest, NotFound, NotReady, PKIError, SigningRefused, Tampered
from ca.domain.issuers import Issuer
from ca.domain.responders import Responder, Said, require_forward
from ca.domain.serials import serial_text
from ca.domain.standings import Standing
from ca.domain.stencils import Stencils
from ca.keeping import Standings
from ca.ports import Clock, KeyId, KeyStore, UnitOfWork, Work
from ca.usecases.clock import latest_recorded
from ca.usecases.standings import FollowRecords

RESPONDER_PROFILE = "ocsp-responder"
ALARM_AGAIN = timedelta(hours=1)
_PATIENCE = 5

_log = logging.getLogger(__name__)


def responder_key(issuer: str) -> KeyId:
    """The key of an issuer's responder: one per CA key (RFC 6960 section 4.2.2.2)."""
    return KeyId(b"ocsp-" + issuer.encode("ascii"))


@dataclass
class Latest:
    """The latest instant seen, over all threads of a process; it begins with what is on record."""

    _at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, now: datetime, recorded: Callable[[], datetime | None]) -> None:
        """Raise NotReady when the clock went back by more than the tolerance; nothing is signed then."""
        with self._lock:
            if self._at is None:
                self._at = recorded()
            self._at = require_forward(now, self._at)


@dataclass(frozen=True)
class Contradictions:
    """Raises the alarm, at most once an hour for each certificate: whoever asks must not fill the audit log."""

    unit_of_work: UnitOfWork
    clock: Clock
    told: dict[int, datetime] = field(default_factory=dict)

    def tell(self, serial: int, recorded: Standing | None, acted: Standing | None) -> None:
        now = self.clock.now()
        told = self.told.get(serial)
        if told is not None and now < told + ALARM_AGAIN:
            return
        self.told[serial] = now
        details = {"recorded": _word(recorded), "acted": _word(acted)}
        _log.critical(
            "certificate %s: the database says %s, the standings map %s", serial_text(serial), *details.values()
        )
        try:
            with self.unit_of_work() as work:
                work.audit.append(AuditEvent("certificate.contradicted", serial_text(serial), "signer", now, details))
                work.commit()
        except BaseException:
            # What could not be recorded was not told: the next who asks tries again.
            self.told.pop(serial, None)
            raise


def _word(standing: Standing | None) -> str:
    return standing.status.value if standing else "never issued"


@dataclass(frozen=True, slots=True)
class _Speakers:
    """The issuers that are answered for, and the responder certificate of each."""

    issuers: Sequence[Issuer]
    responders: dict[str, Certificate | None]

    def issuer_of(self, question: ocsp.Question) -> Issuer:
        """The one issuer of all of them: a responder speaks for one CA key (RFC 6960 section 4.2.2.2)."""
        named = {one.issuer_key for one in question.cert_ids}
        for issuer in self.issuers:
            if named <= ocsp.issuer_keys(issuer.certificate_der):
                return issuer
        raise NotFound("this responder does not speak for the issuer that is asked about")

    def responder_of(self, issuer: str) -> Responder:
        certificate = self.responders[issuer]
        if certificate is None:
            raise NotReady("the OCSP responder has no certificate; run the jobs to certify it")
        if certificate.seen_by_relying_parties() is not None:
            raise NotReady("the OCSP responder's certificate does not hold; certify it anew")
        return Responder.of(certificate.der)


@dataclass(frozen=True, slots=True)
class _Records:
    """What one look into the records found."""

    speakers: _Speakers
    standings: dict[int, Standing]
    contradicted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is to be signed as the answer to a question."""

    issuer: str
    responder: Responder
    data: bytes
    place: int
    """Of the question."""

    def signed(self, signature: bytes) -> bytes | PKIError:
        try:
            self.responder.public_key.verify(signature, self.data)
        except InvalidRequest:
            return SigningRefused("the HSM's responder key is not the one the responder's certificate names")
        return self.responder.response(self.data, signature)


@dataclass(frozen=True)
class AnswerOCSP:
    """Relying parties ask how certificates stand (RFC 6960 section 2.2)."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    standings: Standings
    contradictions: Contradictions
    life: timedelta = timedelta(hours=1)
    policy: ocsp.Policy = ocsp.PLAIN
    known: dict[int, _Speakers] = field(default_factory=dict)
    """Who speaks for whom, as of an audit event: nobody who may changes it without another event."""
    latest: Latest = field(default_factory=Latest)
    stencils: Stencils = field(default_factory=Stencils)

    def __call__(self, cert_ids: Sequence[bytes], nonce: bytes | None = None) -> bytes:
        """The OCSPResponse, signed and verified.

        Raises InvalidRequest; NotFound when the issuer is not one of those we answer for (nothing is signed);
        NotReady when the responder's certificate or the clock does not allow an answer now; Tampered.
        """
        (answer,) = self.each([ocsp.Question.parse(cert_ids, nonce)])
        if isinstance(answer, PKIError):
            raise answer
        return answer

    def each(self, questions: Sequence[ocsp.Question]) -> list[bytes | PKIError]:
        """To each question its own answer, or why there is none; the records and the HSM are asked once for all."""
        now = self.clock.now()
        self.latest.advance(now, self._latest_recorded)
        records = self._records({one.serial for question in questions for one in question.cert_ids})
        answers: list[bytes | PKIError] = []
        drafts: dict[str, list[_Draft]] = {}
        for place, question in enumerate(questions):
            try:
                draft = self._draft(question, records, now, place)
            except PKIError as error:
                answers.append(error)
            else:
                drafts.setdefault(draft.issuer, []).append(draft)
                answers.append(b"")
        for issuer, of_issuer in drafts.items():
            for draft, answer in zip(of_issuer, self._signed(issuer, of_issuer), strict=True):
                answers[draft.place] = answer
        return answers

    def _draft(self, question: ocsp.Question, records: _Records, now: datetime, place: int) -> _Draft:
        issuer = records.speakers.issuer_of(question)
        if any(one.serial in records.contradicted for one in question.cert_ids):
            raise Tampered("the database and the standings map contradict each other about this certificate")
        responder = records.speakers.responder_of(issuer.name)
        said = Said(issuer.name, issuer.not_before, self.policy, records.standings, now, self.life)
        cert_id, nonce = question.cert_ids[0], question.nonce
        one = records.standings.get(cert_id.serial) if len(question.cert_ids) == 1 else None
        if nonce is None or one is None or not one.holds(issuer.name, now):
            return _Draft(issuer.name, responder, responder.data(question, said), place)
        responder.require_valid(now)

        def good(of: ocsp.Question) -> bytes:
            return responder.data(of, replace(said, standings={of.cert_ids[0].serial: one}))

        data = self.stencils.data(cert_id, nonce, (responder.certificate_der, now), good)
        return _Draft(issuer.name, responder, data, place)

    def _records(self, serials: Iterable[int]) -> _Records:
        wanted = sorted(serials)
        follow = FollowRecords(self.unit_of_work, self.standings)
        for _ in range(_PATIENCE):
            # The map before the database: when both are at one event, nothing came in between.
            applied = self.standings.applied()
            acted = {serial: found for serial in wanted if (found := self.standings.find(serial))}
            with self.unit_of_work.look() as work:
                standings = work.certificates.find_standings(wanted)
                speakers = self.known.get(applied) or self._speakers(work, applied)
                ends_at = applied if standings == acted else work.audit.head().number
            if standings == acted:
                return _Records(speakers, standings)
            if ends_at <= applied:
                differing = frozenset(each for each in wanted if standings.get(each) != acted.get(each))
                for serial in differing:
                    self.contradictions.tell(serial, standings.get(serial), acted.get(serial))
                return _Records(speakers, standings, differing)
            # A commit is on its way into the map, or another signer made it.
            follow()
        raise NotReady("the records change faster than they can be compared; try again")

    def _latest_recorded(self) -> datetime | None:
        with self.unit_of_work.look() as work:
            return latest_recorded(work)

    def _speakers(self, work: Work, applied: int) -> _Speakers:
        # An issuer without an OCSP address has no responder: its certificates are looked up in its CRL.
        issuers = [issuer for issuer in work.issuers.list() if issuer.ocsp_url]
        names = [issuer.name for issuer in issuers]
        responders = {name: work.certificates.find_newest(name, RESPONDER_PROFILE) for name in names}
        speakers = _Speakers(issuers, responders)
        if applied:
            self.known.clear()
            self.known[applied] = speakers
        return speakers

    def _signed(self, issuer: str, drafts: Sequence[_Draft]) -> list[bytes | PKIError]:
        """All with one key, in one turn at the HSM; each is verified before it leaves (DESIGN invariant 1)."""
        try:
            signatures = self.key_store.sign_each(responder_key(issuer), [draft.data for draft in drafts])
        except PKIError as error:
            return [error] * len(drafts)
        return [draft.signed(signature) for draft, signature in zip(drafts, signatures, strict=True)]
