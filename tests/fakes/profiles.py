"""Versions of profiles and of the policy, and decisions on the tool, in memory."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from ca.domain.errors import InvalidTransition
from ca.domain.proposals import ProposalState
from ca.domain.tool_cases import ToolCase
from ca.domain.versions import Version

_Version = TypeVar("_Version", bound=Version)


class FakeVersions(Generic[_Version]):
    def __init__(self, kept: dict[str, tuple[_Version, bytes]]) -> None:
        self._kept = kept

    def find(self, version_id: str) -> tuple[_Version, bytes] | None:
        return self._kept.get(version_id)

    def list_of(self, subject: str) -> Sequence[tuple[_Version, bytes]]:
        found = [pair for pair in self._kept.values() if pair[0].subject == subject]
        return sorted(found, key=lambda pair: (pair[0].number, pair[0].proposed_at, pair[0].id))

    def list_approved(self) -> Sequence[tuple[_Version, bytes]]:
        found = [pair for pair in self._kept.values() if pair[0].state is ProposalState.APPROVED]
        return sorted(found, key=lambda pair: (pair[0].subject, pair[0].number))

    def save(self, version: _Version, seal: bytes) -> None:
        found = self._kept.get(version.id)
        if found is not None and found[0].revision >= version.revision:
            raise InvalidTransition("this version was just decided on by somebody else; look again")
        self._kept[version.id] = (version, seal)


class FakeToolCases:
    def __init__(self, kept: dict[str, tuple[ToolCase, bytes]]) -> None:
        self._kept = kept

    def find(self, case_id: str) -> tuple[ToolCase, bytes] | None:
        return self._kept.get(case_id)

    def list(self, most: int) -> Sequence[tuple[ToolCase, bytes]]:
        by_id = sorted(self._kept.values(), key=lambda pair: pair[0].id)
        return sorted(by_id, key=lambda pair: pair[0].proposed_at, reverse=True)[:most]

    def save(self, case: ToolCase, seal: bytes) -> None:
        found = self._kept.get(case.id)
        if found is not None and found[0].revision >= case.revision:
            raise InvalidTransition("this release was just decided on by somebody else; look again")
        self._kept[case.id] = (case, seal)
