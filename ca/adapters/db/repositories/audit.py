"""The audit log and the jobs' records in the database."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from ca.adapters.clock import system_random
from ca.adapters.db.log_rows import (
    AuditCheckpointRow,
    AuditEventRow,
    AuditHeadRow,
    JobLeaseRow,
    JobRunRow,
    JournalOutboxRow,
)
from ca.adapters.db.mapping.audit import chained_event_values, to_chained_event, to_checkpoint
from ca.adapters.db.repositories.statements import change_row, find_row, insert_missing, list_rows, put_row
from ca.domain.audit import AuditEvent, ChainedEvent, Checkpoint, Head
from ca.domain.errors import Tampered
from ca.domain.jobs import JobRun, Lease
from ca.domain.journal import Change, Entry, chained

_CHUNK = 1000
_SALT_OCTETS = 16
_WAITING = 1000
"""Events after which an entry no longer waits for the journal."""


def _salt() -> bytes:
    return system_random(_SALT_OCTETS)


class SqlAuditLog:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._appended: list[AuditEvent] = []

    def append(self, event: AuditEvent) -> None:
        self._appended.append(event)

    def seal(self, changes: Sequence[Change]) -> Entry | None:
        """Chain what was appended and write it; None when nothing was. The last statements before commit."""
        if not self._appended:
            return None
        # The lock on the head is held until commit: the next writer waits and then builds on these events.
        entry = chained(self._head(lock=True), self._appended, changes, salt=_salt)
        self._appended = []
        self.add(entry)
        line = {"number": entry.head.number, "line": entry.line()}
        self._session.execute(insert(JournalOutboxRow).values(**line))
        # Long since in the journal: a commit is refused while what came before it is not.
        self._session.execute(delete(JournalOutboxRow).where(JournalOutboxRow.number <= entry.first - _WAITING))
        return entry

    def add(self, entry: Entry) -> None:
        """Write an entry's events as they are, behind those that are there."""
        self._session.execute(insert(AuditEventRow), [chained_event_values(one) for one in entry.events])
        self._session.execute(update(AuditHeadRow).values(number=entry.head.number, hash=entry.head.hash))

    def about(self, subject: str) -> Iterator[ChainedEvent]:
        wanted = select(AuditEventRow).where(AuditEventRow.subject == subject).order_by(AuditEventRow.number)
        for row in self._session.scalars(wanted.execution_options(yield_per=_CHUNK, populate_existing=True)):
            yield to_chained_event(row)

    def waiting(self, after: int) -> Iterator[Entry]:
        """Entries behind the event `after` that are still kept for the journal."""
        wanted = select(JournalOutboxRow.line).where(JournalOutboxRow.number > after).order_by(JournalOutboxRow.number)
        for line in self._session.scalars(wanted.execution_options(yield_per=_CHUNK)):
            yield Entry.parse(line)

    def head(self) -> Head:
        return self._head(lock=False)

    def _head(self, *, lock: bool) -> Head:
        row = find_row(self._session, select(AuditHeadRow), lock=lock)
        if row is None:
            raise Tampered("the record of where the audit log ends is gone: somebody deleted it")
        return Head(row.number, row.hash)

    def find_last(self, name: str, subject: str, until: datetime, before: int | None = None) -> ChainedEvent | None:
        wanted = select(AuditEventRow).where(
            AuditEventRow.subject == subject, AuditEventRow.name == name, AuditEventRow.at <= until
        )
        if before is not None:
            wanted = wanted.where(AuditEventRow.number < before)
        row = find_row(self._session, wanted.order_by(AuditEventRow.at.desc(), AuditEventRow.number.desc()))
        return to_chained_event(row) if row else None

    def read(self, after: int = 0) -> Iterator[ChainedEvent]:
        wanted = (
            select(AuditEventRow)
            .where(AuditEventRow.number > after)
            .order_by(AuditEventRow.number)
            .execution_options(yield_per=_CHUNK, populate_existing=True)
        )
        for row in self._session.scalars(wanted):
            yield to_chained_event(row)

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        self._session.execute(
            insert(AuditCheckpointRow).values(
                number=checkpoint.number,
                hash=checkpoint.hash,
                at=checkpoint.at,
                signature=checkpoint.signature,
            )
        )

    def find_checkpoint(self, number: int) -> Checkpoint | None:
        behind = select(AuditCheckpointRow).where(AuditCheckpointRow.number >= number)
        row = find_row(self._session, behind.order_by(AuditCheckpointRow.number))
        return to_checkpoint(row) if row else None

    def list_checkpoints(self) -> Sequence[Checkpoint]:
        rows = list_rows(self._session, select(AuditCheckpointRow).order_by(AuditCheckpointRow.id))
        return [to_checkpoint(row) for row in rows]


class SqlJobs:
    def __init__(self, session: Session) -> None:
        self._session = session

    def take_lease(self, name: str, holder: str, now: datetime, until: datetime) -> Lease:
        insert_missing(self._session, JobLeaseRow, {"name": name, "holder": holder, "until": until})
        row = find_row(self._session, select(JobLeaseRow).where(JobLeaseRow.name == name), lock=True)
        if row is not None and row.holder != holder and row.until > now:
            return Lease(row.name, row.holder, row.until)
        change_row(self._session, JobLeaseRow, {"name": name}, {"holder": holder, "until": until})
        return Lease(name, holder, until)

    def record(self, run: JobRun) -> None:
        put_row(
            self._session,
            JobRunRow,
            {"name": run.name},
            {"ran_at": run.ran_at, "ok": run.ok, "result": run.result},
            refusal=f"the job {run.name} was just recorded by somebody else",
        )

    def list(self) -> Sequence[JobRun]:
        rows = list_rows(self._session, select(JobRunRow).order_by(JobRunRow.name))
        return [JobRun(row.name, row.ran_at, row.ok, row.result) for row in rows]
