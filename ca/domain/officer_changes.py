"""What gives an officer other rights, or their rights back: a case that two security officers decide (invariant 2).

It is about one version of the officer's record: when that has changed since, the proposal is void.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from ca.domain.officers import Officer, OfficerState, TrustedRole
from ca.domain.proposals import ProposalState, TwoPersonCase


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerChange(TwoPersonCase):
    """Other roles, another branch, or the end of a suspension. Counts only with the signer's seal."""

    kind: ClassVar[str] = "officer change"

    officer: str
    officer_version: int
    """Of the record that was read when the change was proposed."""
    person: str
    name: str
    old_branch: str
    old_roles: frozenset[TrustedRole]
    branch: str
    roles: frozenset[TrustedRole]
    reason: str
    state: ProposalState = ProposalState.PROPOSED
    reinstates: bool = False
    """Whether it ends a suspension; roles and branch are then those the officer had."""

    def about(self) -> dict[str, Any]:
        """What the second security officer decides on."""
        fields = {
            "officer": self.officer,
            "officer_version": self.officer_version,
            "person": self.person,
            "name": self.name,
            "old_branch": self.old_branch,
            "old_roles": sorted(role.value for role in self.old_roles),
            "branch": self.branch,
            "roles": sorted(role.value for role in self.roles),
            "reason": self.reason,
        }
        # Not in every case: those from before there were reinstatements keep their seal and their digest.
        return fields | ({"reinstates": True} if self.reinstates else {})

    def is_about(self, officer: Officer) -> bool:
        """Whether the officer's record is still the one it was proposed for."""
        return (self.officer, self.officer_version) == (officer.id, officer.version)

    def changed(self, officer: Officer) -> Officer:
        """The officer as it was approved. Raises InvalidTransition to reinstate somebody who is not suspended."""
        if self.reinstates:
            return officer.become(OfficerState.ACTIVE)
        return officer.moved(branch=self.branch, roles=self.roles)

    def decide(self, wanted: ProposalState, *, by: str, reason: str = "") -> "OfficerChange":
        """Raise InvalidTransition unless it still waits; `by` is a person id."""
        return self.next(self.state.become(wanted), by, reason)
