"""Which version of the customer's tool is offered: one officer proposes, another approves, one alone withdraws.

A case is about the program and the exact files that the signer packed from it; nobody hands the signer anything to sign
(docs/adr/0037). What changes with the settings alone (where the bank's portal is) is packed anew without a case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from ca.domain.canonical import canonical, digest
from ca.domain.errors import InvalidTransition
from ca.domain.times import timestamp
from ca.domain.tool_releases import Packed


@dataclass(frozen=True, slots=True)
class Program:
    """The sources beside the signer. `digest`: SHA-256 over all of them, hex; settings do not enter it."""

    version: str
    digest: str


class ToolState(StrEnum):
    """Where a case stands. The newest one that is approved or withdrawn says what is offered."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


_S = ToolState
_NEXT: dict[ToolState, frozenset[ToolState]] = {
    _S.PROPOSED: frozenset({_S.APPROVED, _S.REJECTED}),
    _S.APPROVED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class ToolCase:
    """A proposal to release what is installed, or a withdrawal. Counts only with the signer's seal."""

    id: str
    revision: int
    """Of this record; it only grows."""
    program: str
    """Digest of the sources."""
    tool_version: str
    files: tuple[tuple[str, str, int], ...]
    """Name, SHA-256 and length of each package, as it was packed when this was proposed."""
    reason: str
    maker_person: str
    proposed_at: datetime
    state: ToolState
    decided_by: str = ""
    decided_at: datetime | None = None

    def fields(self) -> dict[str, Any]:
        """What the second officer approves."""
        return {
            "case": self.id,
            "program": self.program,
            "tool_version": self.tool_version,
            "files": [list(one) for one in self.files],
            "reason": self.reason,
            "maker_person": self.maker_person,
            "proposed_at": timestamp(self.proposed_at),
        }

    def digest(self) -> bytes:
        """SHA-256 of the case as shown."""
        return digest("vermilion tool case v1", self.fields())

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        decided = timestamp(self.decided_at) if self.decided_at else ""
        more = {"revision": self.revision, "state": self.state.value, "decided_by": self.decided_by}
        return canonical(self.fields() | more | {"decided_at": decided})

    def become(self, wanted: ToolState, by: str, at: datetime) -> "ToolCase":
        """Raise InvalidTransition unless the table allows it."""
        if wanted not in _NEXT[self.state]:
            raise InvalidTransition(f"a release that is {self.state.value} cannot become {wanted.value}")
        return replace(self, revision=self.revision + 1, state=wanted, decided_by=by, decided_at=at)

    def is_of(self, program: Program, packed: Sequence[Packed]) -> bool:
        """Whether this is about exactly these packages."""
        return self.program == program.digest and self.files == files_of(packed)


def files_of(packed: Sequence[Packed]) -> tuple[tuple[str, str, int], ...]:
    """Name, SHA-256 and length of each, by name."""
    return tuple(sorted((one.name, one.sha256, len(one.content)) for one in packed))
