"""The tables of the audit log (ca/domain/audit.py), of its way into the journal, and of the jobs' records."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row, RowNumber


class AuditEventRow(Row):
    """An event of the hash chain. `details` is canonical JSON, `changes` empty but for a transaction's last event."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_about", "subject", "name", "at"),
        # A report of what officers did in some days reads this alone.
        Index(None, "name", "at", "actor"),
        *(Index(None, column, "number") for column in ("name", "subject", "actor")),
    )
    journaled = False

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str]
    subject: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    details: Mapped[str]
    hash: Mapped[bytes]
    changes: Mapped[bytes]
    salt: Mapped[bytes]


class AuditHeadRow(Row):
    """Where the chain ends: the one row that every writer locks, so that the chain never forks."""

    __tablename__ = "audit_head"
    journaled = False

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes]


class AuditCheckpointRow(Row):
    """The chain's head at a moment, signed with the HSM's audit key."""

    __tablename__ = "audit_checkpoints"
    journaled = False

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, index=True)
    hash: Mapped[bytes]
    at: Mapped[datetime]
    signature: Mapped[bytes]


class JournalOutboxRow(Row):
    """A line on its way into the journal, by its last event: committed with the act, so that no crash loses it."""

    __tablename__ = "journal_outbox"
    journaled = False

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    line: Mapped[bytes]


class JobLeaseRow(Row):
    """Who leads a job until when."""

    __tablename__ = "job_leases"
    journaled = False

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


class JobRunRow(Row):
    """The last run of a job."""

    __tablename__ = "job_runs"
    journaled = False

    name: Mapped[str] = mapped_column(primary_key=True)
    ran_at: Mapped[datetime]
    ok: Mapped[bool]
    result: Mapped[str]
