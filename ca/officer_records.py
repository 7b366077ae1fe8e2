"""The ports to what is kept of officers' access besides their records."""

from typing import Protocol

from ca.domain.officer_changes import OfficerChange


class OfficerChanges(Protocol):
    """Proposed changes with their seals; the use cases check the seal, the repository only keeps it."""

    def find(self, change_id: str) -> tuple[OfficerChange, bytes] | None:
        """Locks the row in PostgreSQL: two decisions on one change take turns."""

    def save(self, change: OfficerChange, seal: bytes) -> None:
        """Raise InvalidTransition unless the change there is older."""
