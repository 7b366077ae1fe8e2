"""What a certificate was worth on a certain day: for relying parties, courts and auditors, years later."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from ca.domain.audit import GENESIS, ChainedEvent, Checkpoint, Proof
from ca.domain.certificates import Certificate
from ca.domain.crl import CRLScope
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.history import NUMBERED, PUBLISHED, Moment, PublishedCRL, SaidByCRL, history, moment_at, said_by
from ca.domain.serials import serial_text
from ca.domain.times import CLOCK_TOLERANCE
from ca.ports import Clock, UnitOfWork, Work


@dataclass(frozen=True, slots=True)
class LookedBack:
    """How a certificate stood at an instant, what relying parties were told, and what proves it."""

    serial: int
    at: datetime
    certificate: Certificate | None
    """None: no certificate of ours has this serial number, now or then."""
    moment: Moment | None
    """The change of status that held at that instant; None before it was issued."""
    older_until: datetime | None = None
    """Until then somebody may still have held an OCSP answer from before that change; None when nobody did."""
    crls: Sequence[SaidByCRL] = ()
    """Of each kind the one that was the newest then."""
    proofs: Sequence[Proof] = ()
    unproven: Sequence[ChainedEvent] = ()
    """No checkpoint covers these yet, or only one that is too far away."""

    @property
    def is_expired(self) -> bool:
        return self.certificate is not None and self.certificate.is_expired(self.at)

    @property
    def checkpoint(self) -> Checkpoint | None:
        """What proves the change of status."""
        about = [proof for proof in self.proofs if self.moment and proof.event.number == self.moment.event.number]
        return about[0].checkpoint if about else None


@dataclass(frozen=True)
class LookBack:
    """Ask the log, not the rows: rows only know today (DESIGN invariant 8)."""

    unit_of_work: UnitOfWork
    clock: Clock
    answers_live: timedelta = timedelta(hours=1)
    """How long an OCSP answer may be given to others by whoever has it."""

    def __call__(self, serial: int, at: datetime, *, longest: int | None = None) -> LookedBack:
        """With `longest`, no proof has more links.

        Raises InvalidRequest for an instant to come; Tampered when the events about the certificate make no sense, do
        not fit the records, or are not the ones that the checkpoints were made of.
        """
        if at > self.clock.now():
            raise InvalidRequest("that instant has not come yet: ask about the past")
        with self.unit_of_work.look() as work:
            certificate = work.certificates.find(serial)
            moments = history(work.audit.about(serial_text(serial)))
            _require_fit(serial, certificate, moments)
            moment = moment_at(moments, at)
            if certificate is None or moment is None:
                return LookedBack(serial, at, certificate, None)
            crls = list(_crls(work, certificate, moments, at))
            events = [moment.event, *(said.crl.event for said in crls)]
            proofs = [proof for event in events if (proof := _proof(work, event, longest))]
        proven = {proof.event.number for proof in proofs}
        return LookedBack(
            serial,
            at,
            certificate,
            moment,
            self._older_until(moments, moment, at),
            crls,
            proofs,
            [event for event in events if event.number not in proven],
        )

    def _older_until(self, moments: Sequence[Moment], moment: Moment, at: datetime) -> datetime | None:
        until = moment.event.event.at + self.answers_live
        return until if moments[0] is not moment and at < until else None


def _require_fit(serial: int, certificate: Certificate | None, moments: Sequence[Moment]) -> None:
    """A change that the log lost, or a record that was changed behind its back."""
    recorded = None if certificate is None else (certificate.status, certificate.seen_by_relying_parties())
    told = (moments[-1].status, moments[-1].told) if moments else None
    if recorded != told:
        raise Tampered(f"the log and the record of certificate {serial_text(serial)} contradict each other")


def _crls(work: Work, certificate: Certificate, moments: Sequence[Moment], at: datetime) -> Iterator[SaidByCRL]:
    issuer = certificate.issuer
    scopes = [CRLScope(issuer), CRLScope(issuer, delta=True)]
    if certificate.crl_partition is not None:
        scopes.append(CRLScope(issuer, certificate.crl_partition))

    def numbered(event: ChainedEvent) -> int:
        taken = work.audit.find_last(NUMBERED, issuer, event.event.at + CLOCK_TOLERANCE, before=event.number)
        return int(taken.event.details["number"]) if taken else 0

    for scope in scopes:
        published = work.audit.find_last(PUBLISHED, scope.name, at)
        if published is not None:
            yield said_by(PublishedCRL.of(published), certificate, moments, numbered)


def _proof(work: Work, event: ChainedEvent, longest: int | None) -> Proof | None:
    checkpoint = work.audit.find_checkpoint(event.number)
    if checkpoint is None or (longest is not None and checkpoint.number - event.number > longest):
        return None
    before = list(islice(work.audit.read(after=event.number - 2), 1)) if event.number > 1 else []
    previous = before[0].hash if before else GENESIS
    behind = islice(work.audit.read(after=event.number), checkpoint.number - event.number)
    proof = Proof(event, previous, tuple(each.digest for each in behind), checkpoint)
    proof.require()
    return proof
