"""A certificate that lets an officer into the console besides their passkeys: a case that two security officers decide.

It is bound to one certificate, to the last byte: what follows that one (RFC 3647 section 4.7) is bound anew.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from ca.domain.errors import InvalidTransition
from ca.domain.proposals import TwoPersonCase


class BindingState(StrEnum):
    """Where a binding stands."""

    PROPOSED = "proposed"
    BOUND = "bound"
    REJECTED = "rejected"
    ENDED = "ended"


_NEXT: dict[BindingState, frozenset[BindingState]] = {
    BindingState.PROPOSED: frozenset({BindingState.BOUND, BindingState.REJECTED}),
    BindingState.BOUND: frozenset({BindingState.ENDED}),
    BindingState.REJECTED: frozenset(),
    BindingState.ENDED: frozenset(),
}


def transitions() -> dict[BindingState, frozenset[BindingState]]:
    """The table, for the drawing and the property test."""
    return dict(_NEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateBinding(TwoPersonCase):
    """Which certificate is whose. Counts only with the signer's seal."""

    kind: ClassVar[str] = "certificate binding"

    officer: str
    person: str
    name: str
    serial: int
    fingerprint: str
    """SHA-256 of the certificate, hex."""
    subject: str
    """As in the certificate, for people to compare with the officer's record."""
    reason: str
    state: BindingState = BindingState.PROPOSED

    def about(self) -> dict[str, Any]:
        """What the second security officer decides on."""
        return {
            "officer": self.officer,
            "person": self.person,
            "name": self.name,
            "serial": f"{self.serial:x}",
            "fingerprint": self.fingerprint,
            "subject": self.subject,
            "reason": self.reason,
        }

    def become(self, wanted: BindingState, *, by: str, reason: str = "") -> "CertificateBinding":
        """Raise InvalidTransition unless the table allows it; `by` is a person id."""
        if wanted not in _NEXT[self.state]:
            raise InvalidTransition(f"a binding that is {self.state.value} cannot become {wanted.value}")
        return self.next(wanted, by, reason)
