"""What gives an officer other rights, or their rights back: a case that two security officers decide (invariant 2).

It is about one version of the officer's record: when that has changed since, the proposal is void.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ca.domain.canonical import canonical, digest
from ca.domain.officers import Officer, OfficerState, TrustedRole
from ca.domain.proposals import ProposalState
from ca.domain.times import timestamp


@dataclass(frozen=True, slots=True)
class OfficerChange:
    """Other roles, another branch, or the end of a suspension. Counts only with the signer's seal."""

    id: str
    version: int
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
    proposed_by: str
    """Person id of the security officer who proposed it."""
    proposed_at: datetime
    expires_at: datetime
    state: ProposalState = ProposalState.PROPOSED
    decided_by: str = ""
    decision_reason: str = ""
    reinstates: bool = False
    """Whether it ends a suspension; roles and branch are then those the officer had."""

    def fields(self) -> dict[str, Any]:
        """What the second security officer decides on."""
        fields = {
            "id": self.id,
            "officer": self.officer,
            "officer_version": self.officer_version,
            "person": self.person,
            "name": self.name,
            "old_branch": self.old_branch,
            "old_roles": sorted(role.value for role in self.old_roles),
            "branch": self.branch,
            "roles": sorted(role.value for role in self.roles),
            "reason": self.reason,
            "proposed_by": self.proposed_by,
            "proposed_at": timestamp(self.proposed_at),
            "expires_at": timestamp(self.expires_at),
        }
        # Not in every case: those from before there were reinstatements keep their seal and their digest.
        return fields | ({"reinstates": True} if self.reinstates else {})

    def digest(self) -> bytes:
        """SHA-256 of the change as shown."""
        return digest("vermilion officer change v1", self.fields())

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
        return replace(
            self, version=self.version + 1, state=self.state.become(wanted), decided_by=by, decision_reason=reason
        )
