"""The ports to what CA administrators decide on: versions of profiles and of the policy, and releases of the tool."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from ca.domain.tool_cases import ToolCase
from ca.domain.versions import Version

_Version = TypeVar("_Version", bound=Version)
_Content = TypeVar("_Content")


class Versions(Protocol[_Version]):
    """Versions of one kind with their seals; the use cases check the seal, the repository only keeps it."""

    def find(self, version_id: str) -> tuple[_Version, bytes] | None:
        """Locks the row in PostgreSQL: two who decide on one version take turns."""

    def list_of(self, subject: str) -> Sequence[tuple[_Version, bytes]]:
        """All of one subject, by their numbers and then by the time of the proposal."""

    def list_approved(self) -> Sequence[tuple[_Version, bytes]]:
        """Of every subject, by its name and number."""

    def save(self, version: _Version, seal: bytes) -> None:
        """Raise InvalidTransition unless the record there is older."""


class Texts(Protocol[_Content]):
    """How the configuration writes it (`config/profile_files.py`, `ca/domain/policy.py`)."""

    def parse(self, name: str, text: str) -> _Content:
        """Raises InvalidRequest with the first thing that is wrong."""

    def write(self, content: _Content) -> str: ...


class ToolCases(Protocol):
    """Decisions on the customer's tool, with their seals."""

    def find(self, case_id: str) -> tuple[ToolCase, bytes] | None: ...

    def list(self, most: int) -> Sequence[tuple[ToolCase, bytes]]:
        """The newest proposals first."""

    def save(self, case: ToolCase, seal: bytes) -> None:
        """Raise InvalidTransition unless the record there is older."""
