"""What `FakeWork` keeps of revocations that a second officer decides."""

from collections.abc import Sequence

from ca.domain.errors import InvalidTransition
from ca.domain.revocation_cases import RevocationCase


class FakeRevocationCases:
    def __init__(self, kept: dict[str, tuple[RevocationCase, bytes]]) -> None:
        self._kept = kept

    def find(self, case_id: str) -> tuple[RevocationCase, bytes] | None:
        return self._kept.get(case_id)

    def list_of(self, serial: int) -> Sequence[tuple[RevocationCase, bytes]]:
        found = [kept for kept in self._kept.values() if kept[0].serial == serial]
        return sorted(found, key=lambda kept: (kept[0].proposed_at, kept[0].id), reverse=True)

    def save(self, case: RevocationCase, seal: bytes) -> None:
        if case.id in self._kept and self._kept[case.id][0].version >= case.version:
            raise InvalidTransition("this revocation was just decided by somebody else; look again")
        self._kept[case.id] = (case, seal)
