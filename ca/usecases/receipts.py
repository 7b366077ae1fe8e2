"""Receipts in the signer: opened with each change of status, completed by what the prober saw."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate
from ca.domain.crl import CRLScope
from ca.domain.policy import Policy
from ca.domain.receipts import Place, Receipt, Verdict, promised_channels
from ca.domain.serials import serial_text
from ca.domain.times import CLOCK_TOLERANCE, Millis
from ca.ports import Clock, UnitOfWork, Work
from ca.probing import ExactClock
from ca.usecases.publish_crl import PublishCRL

_MILLISECOND = timedelta(milliseconds=1)
_ACTOR = "prober"


@dataclass(frozen=True)
class OpenReceipt:
    """In the transaction that changes a status, as its last act before the commit."""

    clock: ExactClock
    crl_period: timedelta
    places: Sequence[Place]
    policy: Callable[[], Policy]
    cached: bool = False
    """Whether what is asked for by GET comes through a cache."""

    def __call__(self, work: Work, certificate: Certificate) -> None:
        earlier = work.receipts.about(certificate.serial)
        for receipt in earlier:
            if receipt.missing:
                work.receipts.save(replace(receipt, overtaken=True))
        last = work.crls.find_last(CRLScope(certificate.issuer))
        is_short = last is None or last.entries < PublishCRL.short
        sightings = promised_channels(
            certificate,
            full_at_once=is_short or certificate.is_compromised,
            crl_period=self.crl_period // _MILLISECOND,
            crl_within=self.policy().crl_within // _MILLISECOND,
            places=self.places,
            cached=self.cached,
        )
        # One instant names one change, whatever a coarse clock says.
        now = max([self.clock.milliseconds(), *(Millis(receipt.changed_at + 1) for receipt in earlier)])
        after_crl = work.crls.last_number(certificate.issuer)
        work.receipts.add(
            Receipt(certificate.serial, now, certificate.issuer, certificate.status, after_crl, sightings)
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """What the prober says of one channel of one receipt."""

    serial: int
    changed_at: Millis
    channel: str
    not_before: Millis | None
    seen_at: Millis | None


class BothClocks(Clock, ExactClock, Protocol):
    """Whole seconds for events, milliseconds for receipts."""


@dataclass(frozen=True)
class RecordSightings:
    """Add what was seen to the receipts. Who took the prober over can lie about instants, and about nothing else."""

    unit_of_work: UnitOfWork
    clock: BothClocks

    def __call__(self, observations: Sequence[Observation]) -> int:
        """How many receipts say more now. Raises NotFound, InvalidRequest: then nothing is recorded."""
        by_receipt: dict[tuple[int, Millis], list[Observation]] = defaultdict(list)
        for observation in observations:
            by_receipt[observation.serial, observation.changed_at].append(observation)
        changed = 0
        with self.unit_of_work() as work:
            # In one order, so that two who report do not wait for each other.
            for key in sorted(by_receipt):
                changed += self._record(work, work.receipts.get(*key), by_receipt[key])
            if changed:
                work.commit()
        return changed

    def _record(self, work: Work, before: Receipt, observations: Sequence[Observation]) -> bool:
        latest = Millis(self.clock.milliseconds() + CLOCK_TOLERANCE // _MILLISECOND)
        after = before
        for one in observations:
            after = after.see(one.channel, one.not_before, one.seen_at, now=latest)
        if after == before:
            return False
        work.receipts.save(after)
        self._tell(work, before, after)
        return True

    def _tell(self, work: Work, before: Receipt, after: Receipt) -> None:
        subject, now = serial_text(after.serial), self.clock.now()
        new = [one for one, old in zip(after.sightings, before.sightings, strict=True) if one != old]
        seen = {one.channel: str(one.seen_at - after.changed_at) for one in new if one.seen_at is not None}
        if seen:
            work.audit.append(AuditEvent("receipt.seen", subject, _ACTOR, now, seen))
        known_late = {one.channel for one in before.sightings if one.verdict(before.changed_at) is Verdict.LATE}
        late = {
            one.channel: str(one.promised)
            for one in new
            if one.verdict(after.changed_at) is Verdict.LATE and one.channel not in known_late
        }
        if late:
            work.audit.append(AuditEvent("receipt.late", subject, _ACTOR, now, late))
        if not seen and not late:
            work.audit.append(AuditEvent("receipt.asked", subject, _ACTOR, now))
