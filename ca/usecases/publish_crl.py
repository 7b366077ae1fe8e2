"""Making and publishing CRLs (RFC 5280 section 5, CPS section 4.9.7; DESIGN invariants 1, 7 and 8).

Order of effects: number taken and intent recorded, signed, verified, recorded, published, recorded. A failure after
the first step leaves the CRL due, and the next run makes another one with a higher number.
"""

import hashlib
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ca.domain import der
from ca.domain.audit import AuditEvent
from ca.domain.crl import CRLRecord, ParsedCRL, crl_entry, draft_crl, gone, verify_nothing_lost
from ca.domain.errors import InvalidRequest, LintFailed, NotReady, PKIError, SigningRefused, Tampered
from ca.domain.issuers import Issuer
from ca.domain.keys import SIGNATURE_OF, PublicKey
from ca.ports import Clock, KeyId, KeyStore, Linter, Publisher, UnitOfWork, Work

ACTOR = "signer"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_STAND_IN = der.sequence(der.integer(1), der.integer(1))


@dataclass(frozen=True, slots=True)
class _Draft:
    issuer: Issuer
    number: int
    this_update: datetime
    next_update: datetime
    entries: int
    tbs_der: bytes


@dataclass(frozen=True)
class PublishCRL:
    """Everyone may know which certificates do not hold: sign a new full CRL and put it in the public place."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    publisher: Publisher
    linter: Linter
    life: timedelta = timedelta(hours=24)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __call__(self, issuer: str) -> CRLRecord:
        """Raises NotFound, NotReady (clock), Tampered (a revocation was lost), LintFailed, KeyStoreUnavailable."""
        # One at a time: of two that overlap, the one with the lower number must not be published last.
        with self._turn:
            return self._publish(issuer)

    def is_due(self, issuer: str) -> bool:
        """A status changed, or the public place does not hold the last CRL that was begun."""
        with self.unit_of_work() as work:
            last = work.crls.last(issuer)
            if last is None or last.number < work.crls.last_number(issuer) or work.crls.is_due(issuer):
                return True
        return self.publisher.find_crl(issuer) != last.der

    def _publish(self, issuer: str) -> CRLRecord:
        try:
            draft = self._intend(issuer)
        except (NotReady, Tampered) as refusal:
            self._record(AuditEvent("crl.refused", issuer, ACTOR, self.clock.now(), {"reason": str(refusal)}))
            raise
        try:
            record = self._sign(draft)
            self.publisher.publish_crl(issuer, record.der)
        except (PKIError, OSError) as failure:
            reason = str(failure) if isinstance(failure, PKIError) else "the public place cannot be written"
            self._record(_event("crl.failed", draft, self.clock.now(), reason=reason), due=True)
            raise
        self._record(_event("crl.published", draft, self.clock.now()))
        return record

    def _intend(self, name: str) -> _Draft:
        published = self._published(name)
        now = self.clock.now()
        with self.unit_of_work() as work:
            issuer = work.issuers.get(name)
            before = _before(work, issuer, published)
            for crl in before:
                if now < crl.this_update:
                    raise NotReady(f"the clock is behind CRL {crl.number}; set it right before another one is signed")
            # An expired certificate stays in one CRL more than its life (RFC 5280 section 3.3).
            seen = min((crl.this_update for crl in before), default=_EVER)
            entries = {one.serial: crl_entry(one) for one in work.certificates.list_for_crl(name, seen)}
            for crl in before:
                missing = {serial: work.certificates.find(serial) for serial in gone(crl.entries(), entries)}
                verify_nothing_lost(crl, entries, missing)
            number = work.crls.take_number(name, max((crl.number for crl in before), default=0))
            draft = _drafted(issuer, number, now, now + self.life, entries)
            # Cleared with the statuses just read: one that changes from here on makes the next CRL due.
            work.crls.set_due(name, due=False)
            digest = hashlib.sha256(draft.tbs_der).hexdigest()
            work.audit.append(_event("crl.intended", draft, now, tbs=digest, entries=str(draft.entries)))
            work.commit()
        return draft

    def _published(self, name: str) -> tuple[ParsedCRL, bytes] | None:
        blob = self.publisher.find_crl(name)
        if blob is not None:
            # Junk in the public place proves nothing and is written over.
            with suppress(InvalidRequest):
                return ParsedCRL.parse(blob), blob
        return None

    def _sign(self, draft: _Draft) -> CRLRecord:
        issuer = draft.issuer
        # Linted before the key is used: the draft under a signature that stands in for the real one.
        if findings := self.linter.lint_crl(der.signed(draft.tbs_der, SIGNATURE_OF[issuer.algorithm], _STAND_IN)):
            raise LintFailed(f"CRL {draft.number} of {issuer.name}: {'; '.join(findings)}")
        signature = self.key_store.sign(KeyId(issuer.key_id), draft.tbs_der)
        try:
            PublicKey.from_spki(issuer.spki_der).verify(signature, draft.tbs_der)
        except InvalidRequest as error:
            raise SigningRefused(f"the HSM's key is not the one of {issuer.name}'s certificate") from error
        signed = der.signed(draft.tbs_der, SIGNATURE_OF[issuer.algorithm], signature)
        record = CRLRecord(issuer.name, draft.number, draft.this_update, draft.next_update, draft.entries, signed)
        with self.unit_of_work() as work:
            work.crls.add(record)
            work.audit.append(_event("crl.signed", draft, self.clock.now()))
            work.commit()
        return record

    def _record(self, event: AuditEvent, *, due: bool = False) -> None:
        with self.unit_of_work() as work:
            if due:
                work.crls.set_due(event.subject, due=True)
            work.audit.append(event)
            work.commit()


def _before(work: Work, issuer: Issuer, published: tuple[ParsedCRL, bytes] | None) -> list[ParsedCRL]:
    """What was said last: by our records, and by the public place, which no restore of the records takes back."""
    public_key = PublicKey.from_spki(issuer.spki_der)
    before = []
    last = work.crls.last(issuer.name)
    if last is not None:
        before.append(ParsedCRL.parse(last.der))
        try:
            public_key.verify(before[0].signature, before[0].tbs_der)
        except InvalidRequest as error:
            raise Tampered(f"CRL {last.number} in the records is not signed by {issuer.name}") from error
    if published is not None and (last is None or published[1] != last.der):
        # A file that we did not sign proves nothing: it is written over.
        with suppress(InvalidRequest):
            public_key.verify(published[0].signature, published[0].tbs_der)
            before.append(published[0])
    return before


def _drafted(
    issuer: Issuer, number: int, this_update: datetime, next_update: datetime, entries: Mapping[int, bytes]
) -> _Draft:
    tbs_der = draft_crl(
        issuer=issuer, number=number, this_update=this_update, next_update=next_update, entries=entries.values()
    )
    return _Draft(issuer, number, this_update, next_update, len(entries), tbs_der)


def _event(name: str, draft: _Draft, at: datetime, **details: str) -> AuditEvent:
    return AuditEvent(name, draft.issuer.name, ACTOR, at, {"number": str(draft.number), **details})
