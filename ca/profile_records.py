"""The ports to what CA administrators decide on: versions of profiles with their text, and releases of the tool."""

from collections.abc import Sequence
from typing import Protocol

from ca.domain.profile_versions import ProfileVersion
from ca.domain.profiles import Profile
from ca.domain.tool_cases import ToolCase


class ProfileVersions(Protocol):
    """Versions with their seals; the use cases check the seal, the repository only keeps it."""

    def find(self, version_id: str) -> tuple[ProfileVersion, bytes] | None:
        """Locks the row in PostgreSQL: two who decide on one version take turns."""

    def list_of(self, profile: str) -> Sequence[tuple[ProfileVersion, bytes]]:
        """All of a profile, by their numbers and then by the time of the proposal."""

    def list_approved(self) -> Sequence[tuple[ProfileVersion, bytes]]:
        """Of every profile, by name and number."""

    def save(self, version: ProfileVersion, seal: bytes) -> None:
        """Raise InvalidTransition unless the record there is older."""


class ProfileTexts(Protocol):
    """How the configuration writes a profile (config/profile_files.py)."""

    def parse(self, name: str, text: str) -> Profile:
        """Raises InvalidRequest with the first thing that is wrong."""

    def write(self, profile: Profile) -> str: ...


class ToolCases(Protocol):
    """Decisions on the customer's tool, with their seals."""

    def find(self, case_id: str) -> tuple[ToolCase, bytes] | None: ...

    def list(self, most: int) -> Sequence[tuple[ToolCase, bytes]]:
        """The newest proposals first."""

    def save(self, case: ToolCase, seal: bytes) -> None:
        """Raise InvalidTransition unless the record there is older."""
