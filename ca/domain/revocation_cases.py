"""A revocation that two officers decide, where the profile says so (`Profile.revocation_by_two`).

The certificate is on hold from the proposal on, so that nothing is lost while the second officer is asked. What cannot
wait is no case at all: a key that others have must be blocked for everybody at once (`AT_ONCE`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, InvalidTransition
from ca.domain.proposals import TwoPersonCase
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.domain.times import timestamp

CASE_LIFE = timedelta(days=7)
"""So long the second officer may take; the hold does not end with it."""

AT_ONCE = frozenset({RevocationReason.KEY_COMPROMISE})
"""Final by one officer, whatever a profile says. cACompromise ends a CA, which is a key ceremony's work."""


class RevocationCaseState(StrEnum):
    """Where a case stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    OVERTAKEN = "overtaken"
    """Something else became of the certificate: it ended at once, it was released, or the case was opened anew."""


_S = RevocationCaseState
_NEXT: dict[RevocationCaseState, frozenset[RevocationCaseState]] = {
    _S.PROPOSED: frozenset({_S.APPROVED, _S.REJECTED, _S.OVERTAKEN}),
    _S.APPROVED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.OVERTAKEN: frozenset(),
}


def transitions() -> dict[RevocationCaseState, frozenset[RevocationCaseState]]:
    """The table, for the drawing and the property test."""
    return dict(_NEXT)


def needs_second_officer(status: CertificateStatus, reason: RevocationReason, *, by_two: bool) -> bool:
    """Whether this revocation waits for one; `by_two`: what the profile says.

    Nobody ever relied on an unconfirmed certificate, and it cannot be put on hold: it ends by one officer.
    """
    return by_two and reason not in AT_ONCE and status is not CertificateStatus.UNCONFIRMED


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationCase(TwoPersonCase):
    """One proposal to end one certificate. Counts only with the signer's seal. Raises InvalidRequest for `AT_ONCE`."""

    kind: ClassVar[str] = "revocation case"

    serial: int
    subject: str
    branch: str
    reason: RevocationReason
    invalid_since: datetime | None
    why: str
    """What the proposer tells the second officer."""
    held_since: datetime
    """The hold that it is about: with another one, or none, it is void."""
    state: RevocationCaseState = RevocationCaseState.PROPOSED

    def __post_init__(self) -> None:
        if self.reason in AT_ONCE:
            raise InvalidRequest(f"a revocation with the reason {RFC_NAMES[self.reason]} waits for nobody")

    def about(self) -> dict[str, Any]:
        """What the second officer decides on."""
        return {
            "serial": serial_text(self.serial),
            "subject": self.subject,
            "branch": self.branch,
            "reason": RFC_NAMES[self.reason],
            "invalid_since": "" if self.invalid_since is None else timestamp(self.invalid_since),
            "why": self.why,
            "held_since": timestamp(self.held_since),
        }

    def is_late(self, now: datetime) -> bool:
        """Whether nobody decided in time."""
        return self.state is RevocationCaseState.PROPOSED and now > self.expires_at

    def is_waiting(self, now: datetime) -> bool:
        """Whether it can still be approved, as far as the time goes."""
        return self.state is RevocationCaseState.PROPOSED and now <= self.expires_at

    def is_about(self, certificate: Certificate) -> bool:
        """Whether the certificate is still on the hold that the case was opened with."""
        hold = certificate.revocation
        return (
            certificate.serial == self.serial
            and certificate.status is CertificateStatus.ON_HOLD
            and hold is not None
            and hold.revoked_at == self.held_since
        )

    def decide(self, wanted: RevocationCaseState, *, by: str, reason: str = "") -> "RevocationCase":
        """Raise InvalidTransition unless it still waits; `by` is a person id."""
        if wanted not in _NEXT[self.state]:
            raise InvalidTransition(f"a revocation that is {self.state.value} cannot become {wanted.value}")
        return self.next(wanted, by, reason)
