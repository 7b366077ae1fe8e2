"""What one officer proposes and another decides: another role, a version of a profile (DESIGN invariant 2)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from ca.domain.canonical import canonical, digest
from ca.domain.errors import InvalidTransition
from ca.domain.times import timestamp


class ProposalState(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"

    def become(self, wanted: "ProposalState") -> "ProposalState":
        """What was wanted. Raises InvalidTransition unless the table allows it."""
        if wanted not in _NEXT[self]:
            raise InvalidTransition(f"a proposal that is {self.value} cannot become {wanted.value}")
        return wanted


_NEXT: dict[ProposalState, frozenset[ProposalState]] = {
    ProposalState.PROPOSED: frozenset({ProposalState.APPROVED, ProposalState.REJECTED}),
    ProposalState.APPROVED: frozenset(),
    ProposalState.REJECTED: frozenset(),
}


def transitions() -> dict[ProposalState, frozenset[ProposalState]]:
    """The table, for the drawing and the property test."""
    return dict(_NEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPersonCase(ABC):
    """A case that one officer proposes and another decides. Counts only with the signer's seal."""

    kind: ClassVar[str]
    """The words for it in its digest."""

    id: str
    version: int
    """Of this record; it only grows."""
    proposed_by: str
    """Person id."""
    proposed_at: datetime
    expires_at: datetime
    state: StrEnum
    decided_by: str = ""
    """Person id of who decided last."""
    decision_reason: str = ""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What is proposed, as plain values."""

    def fields(self) -> dict[str, Any]:
        """What the second officer decides on."""
        return self.about() | {
            "id": self.id,
            "proposed_by": self.proposed_by,
            "proposed_at": timestamp(self.proposed_at),
            "expires_at": timestamp(self.expires_at),
        }

    def digest(self) -> bytes:
        """SHA-256 of the case as shown."""
        return digest(f"vermilion {self.kind} v1", self.fields())

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        more = {"version": self.version, "decided_by": self.decided_by, "decision_reason": self.decision_reason}
        return canonical(self.fields() | more | {"state": self.state.value})

    def next(self, state: StrEnum, by: str, reason: str) -> Self:
        """The record after a step that the kind's own table allows; `by` is a person id."""
        return replace(self, version=self.version + 1, state=state, decided_by=by, decision_reason=reason)
