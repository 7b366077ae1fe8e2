"""What one officer proposes and another decides: another role, a version of a profile (DESIGN invariant 2)."""

from enum import StrEnum

from ca.domain.errors import InvalidTransition


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
