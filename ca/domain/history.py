"""What was told of a certificate at any instant, by the log's events alone (CPS section 4.10; RFC 6960 section 2).

Years later a court asks what a relying party was told on a certain day. Rows only know today; events know every day,
each with its place in the chain that proves it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import ChainedEvent
from ca.domain.certificates import CertificateStatus, standing
from ca.domain.errors import Tampered
from ca.domain.revocation import Revocation, RevocationReason, parse_reason

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
    return Moment(event, status, Revocation(parse_reason(event.event.details["reason"]), since))


def moment_at(moments: Sequence[Moment], at: datetime) -> Moment | None:
    """The last change until that second, None before the certificate was issued."""
    return next((moment for moment in reversed(moments) if moment.event.event.at <= at), None)
