"""The ports to the log: audit events with their checkpoints, and the record of jobs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ca.domain.audit import AuditEvent, ChainedEvent, Checkpoint, Head
from ca.domain.jobs import JobRun, Lease
from ca.domain.journal import Entry


class AuditLog(Protocol):
    def append(self, event: AuditEvent) -> None:
        """It joins the chain, behind all others, when the transaction commits."""

    def head(self) -> Head: ...

    def read(self, after: int = 0) -> Iterator[ChainedEvent]: ...

    def about(self, subject: str) -> Iterator[ChainedEvent]:
        """The events about one thing, in order."""

    def find_last(self, name: str, subject: str, until: datetime, before: int | None = None) -> ChainedEvent | None:
        """The last event of that name about one thing, until an instant; with `before`, of those before that event."""

    def waiting(self, after: int) -> Iterator[Entry]:
        """Entries behind the event `after` that are kept for the journal, in order."""

    def add_checkpoint(self, checkpoint: Checkpoint) -> None: ...

    def find_checkpoint(self, number: int) -> Checkpoint | None:
        """The first that covers the event of that number."""

    def list_checkpoints(self) -> Sequence[Checkpoint]: ...


class Jobs(Protocol):
    def take_lease(self, name: str, holder: str, now: datetime, until: datetime) -> Lease:
        """The lease as it stands after asking: ours, or another's that has not run out."""

    def record(self, run: JobRun) -> None: ...

    def list(self) -> Sequence[JobRun]: ...
