"""What was told of a certificate at any instant, by the log's events alone (CPS section 4.10; RFC 6960 section 2).

Years later a court asks what a relying party was told on a certain day. Rows only know today; events know every day,
each with its place in the chain that proves it. What a CRL said is told by the event of its publication, which says up
to which event the list shows everything, and by what had become of the certificate by then.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import ChainedEvent
from ca.domain.certificates import Certificate, CertificateStatus, standing
from ca.domain.crl import Listing, revocation_entry
from ca.domain.errors import Tampered
from ca.domain.revocation import Revocation, RevocationReason, parse_reason
from ca.domain.times import instant

PUBLISHED, NUMBERED = "crl.published", "crl.numbered"

_ISSUED = "certificate.issued"
_BECAME = {
    "certificate.confirmed": CertificateStatus.ACTIVE,
    "certificate.held": CertificateStatus.ON_HOLD,
    "certificate.released": CertificateStatus.ACTIVE,
    "certificate.revoked": CertificateStatus.REVOKED,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """From an event on: how the certificate stood, and what relying parties were told of it."""

    event: ChainedEvent
    status: CertificateStatus
    told: Revocation | None
    """None: good."""


def history(events: Iterable[ChainedEvent]) -> list[Moment]:
    """Every change of one certificate's status, oldest first, from the events about it in the chain's order.

    Raises Tampered when they tell of a change before the certificate was issued.
    """
    moments: list[Moment] = []
    for event in events:
        if event.event.name == _ISSUED:
            status = CertificateStatus(event.event.details["status"])
            moments.append(Moment(event, status, standing(status, event.event.at, None)))
        elif event.event.name in _BECAME:
            if not moments:
                raise Tampered(f"audit event {event.number} changes a certificate that was never issued")
            moments.append(_after(moments[-1], event))
    return moments


def _after(before: Moment, event: ChainedEvent) -> Moment:
    status = _BECAME[event.event.name]
    if status is CertificateStatus.ACTIVE:
        return Moment(event, status, None)
    if status is CertificateStatus.ON_HOLD:
        return Moment(event, status, Revocation(RevocationReason.CERTIFICATE_HOLD, event.event.at))
    # Nobody could rely on it since it was put on hold, or ever, if it was never confirmed.
    since = before.told.revoked_at if before.told else event.event.at
    details = event.event.details
    invalid_since = instant(details["invalid_since"]) if "invalid_since" in details else None
    return Moment(event, status, Revocation(parse_reason(details["reason"]), since, invalid_since))


def moment_at(moments: Sequence[Moment], at: datetime) -> Moment | None:
    """The last change until that second, None before the certificate was issued."""
    return next((moment for moment in reversed(moments) if moment.event.event.at <= at), None)


@dataclass(frozen=True, slots=True)
class PublishedCRL:
    """A CRL, as the event of its publication tells of it."""

    event: ChainedEvent
    number: int
    base: int | None
    """The full CRL that a delta builds on."""
    this_update: datetime
    next_update: datetime
    sha256: str
    """Of the whole file, in hexadecimal."""
    shows: int
    """The audit event up to which it shows everything."""
    unexpired_at: datetime
    """Of certificates that had expired by then it says nothing."""

    @classmethod
    def of(cls, event: ChainedEvent) -> "PublishedCRL":
        """Raises Tampered."""
        details = event.event.details
        try:
            return cls(
                event,
                int(details["number"]),
                int(details["base"]) if "base" in details else None,
                instant(details["this_update"]),
                instant(details["next_update"]),
                details["sha256"],
                int(details["shows"]),
                instant(details["unexpired_at"]),
            )
        except (KeyError, ValueError) as error:
            raise Tampered(f"audit event {event.number} does not tell of a CRL") from error

    @property
    def name(self) -> str:
        return self.event.event.subject


@dataclass(frozen=True, slots=True)
class SaidByCRL:
    """What a CRL said of one certificate."""

    crl: PublishedCRL
    revocation: Revocation | None
    """None: it was not listed, or a hold was lifted."""
    is_removal: bool = False
    """A delta took back what its base said (removeFromCRL)."""


def said_by(
    crl: PublishedCRL, certificate: Certificate, moments: Sequence[Moment], numbered: Callable[[ChainedEvent], int]
) -> SaidByCRL:
    """`numbered` gives the last CRL number that had been taken before an event."""
    listing, told = Listing(), None
    for moment in moments:
        if moment.event.number > crl.shows:
            break
        told = moment.told
        entry = None if told is None else revocation_entry(certificate.serial, told)
        listing = listing.become(entry, numbered(moment.event) + 1)
    is_said = certificate.not_after >= crl.unexpired_at
    if crl.base is not None:
        is_said = is_said and listing.changed is not None and listing.changed > crl.base
    if not is_said:
        return SaidByCRL(crl, None)
    return SaidByCRL(crl, told, is_removal=crl.base is not None and told is None)
