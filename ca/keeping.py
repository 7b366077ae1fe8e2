"""The ports to what is kept outside the database, where no restore takes it back: trust, checkpoints, the journal."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ca.domain.audit import Checkpoint
from ca.domain.journal import Entry


class TrustFiles(Protocol):
    """Where the public parts that everything else is checked against are kept: CA certificates, the audit key."""

    def write(self, name: str, content: bytes) -> None: ...


class CheckpointFile(Protocol):
    """Signed checkpoints kept outside the database, so that a restore cannot take them back."""

    def append(self, checkpoint: Checkpoint) -> None: ...

    def read(self) -> Sequence[Checkpoint]: ...


class Journal(Protocol):
    """The audit log kept a second time, outside the database."""

    def read(self) -> Iterator[Entry]:
        """Every entry there is when it is called, each checked to follow the one before. Raises Tampered."""

    def require_mirrored(self) -> None:
        """Raise Tampered unless the journal's mirror says the same."""
