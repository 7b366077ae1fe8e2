"""A certificate that lets an officer into the console besides their passkeys: a case that two security officers decide.

It is bound to one certificate, to the last byte: what follows that one (RFC 3647 section 4.7) is bound anew.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ca.domain.canonical import canonical, digest
from ca.domain.errors import InvalidTransition
from ca.domain.times import timestamp

BINDING_LIFE = timedelta(days=7)
"""So long the second security officer may take."""


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


@dataclass(frozen=True, slots=True)
class CertificateBinding:
    """Which certificate is whose. Counts only with the signer's seal."""

    id: str
    version: int
    officer: str
    person: str
    name: str
    serial: int
    fingerprint: str
    """SHA-256 of the certificate, hex."""
    subject: str
    """As in the certificate, for people to compare with the officer's record."""
    reason: str
    proposed_by: str
    """Person id of the security officer who proposed it."""
    proposed_at: datetime
    expires_at: datetime
    state: BindingState = BindingState.PROPOSED
    decided_by: str = ""
    """Person id of who approved or rejected it; of who ended it, once it is ended."""
    decision_reason: str = ""

    def fields(self) -> dict[str, Any]:
        """What the second security officer decides on."""
        return {
            "id": self.id,
            "officer": self.officer,
            "person": self.person,
            "name": self.name,
            "serial": f"{self.serial:x}",
            "fingerprint": self.fingerprint,
            "subject": self.subject,
            "reason": self.reason,
            "proposed_by": self.proposed_by,
            "proposed_at": timestamp(self.proposed_at),
            "expires_at": timestamp(self.expires_at),
        }

    def digest(self) -> bytes:
        """SHA-256 of the binding as shown."""
        return digest("vermilion certificate binding v1", self.fields())

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        return canonical(
            self.fields()
            | {
                "version": self.version,
                "state": self.state.value,
                "decided_by": self.decided_by,
                "decision_reason": self.decision_reason,
            }
        )

    def become(self, wanted: BindingState, *, by: str, reason: str = "") -> "CertificateBinding":
        """Raise InvalidTransition unless the table allows it; `by` is a person id."""
        if wanted not in _NEXT[self.state]:
            raise InvalidTransition(f"a binding that is {self.state.value} cannot become {wanted.value}")
        return replace(self, version=self.version + 1, state=wanted, decided_by=by, decision_reason=reason)
