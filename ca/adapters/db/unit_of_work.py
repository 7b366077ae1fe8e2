"""One database transaction for one use case, with the repositories that work inside it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import Session, sessionmaker

from ca.adapters.db.errors import BUSY
from ca.adapters.db.repositories.applications import SqlApplications, SqlCodes
from ca.adapters.db.repositories.audit import SqlAuditLog, SqlJobs
from ca.adapters.db.repositories.certificates import SqlCertificates, SqlIntents
from ca.adapters.db.repositories.customers import SqlCustomers, SqlDevices
from ca.adapters.db.repositories.issuers import SqlBlockedKeys, SqlCRLs, SqlIssuers
from ca.adapters.db.repositories.officers import SqlInvitations, SqlOfficers
from ca.adapters.db.repositories.sessions import SqlChallenges, SqlSessions
from ca.domain.audit import Head
from ca.domain.certificates import Certificate
from ca.domain.errors import NotReady


@dataclass(frozen=True, slots=True)
class Committed:
    """What a transaction has left behind: where the audit chain ends now, and the certificates it made or changed."""

    after: int
    """The number that the audit chain had before."""
    head: Head
    certificates: tuple[Certificate, ...]


class SqlUnitOfWork:
    """Begins transactions on an engine; needs no Flask app."""

    def __init__(self, engine: Engine, *, after_commit: Callable[[Committed], None] | None = None) -> None:
        """`after_commit` is told of every commit that made the audit chain longer, before the commit returns."""
        self._sessions = sessionmaker(engine)
        self._after_commit = after_commit and _InOrder(after_commit)

    def __call__(self) -> "SqlWork":
        return SqlWork(self._sessions(), self._after_commit)


class _InOrder:
    """Commits of one process are told of in the order in which they were made.

    The chain's head is locked until its commit, so whoever waits here would have waited for that lock anyway.
    """

    def __init__(self, tell: Callable[[Committed], None]) -> None:
        self.turn = threading.Lock()
        self.tell = tell


class SqlWork:
    """One transaction. Leaving the block without commit() rolls back; after commit() the next one begins."""

    def __init__(self, session: Session, after_commit: _InOrder | None = None) -> None:
        self._session = session
        self._after_commit = after_commit
        self.customers = SqlCustomers(session)
        self.devices = SqlDevices(session)
        self.officers = SqlOfficers(session)
        self.invitations = SqlInvitations(session)
        self.sessions = SqlSessions(session)
        self.challenges = SqlChallenges(session)
        self.applications = SqlApplications(session)
        self.codes = SqlCodes(session)
        self.certificates = SqlCertificates(session)
        self.intents = SqlIntents(session)
        self.issuers = SqlIssuers(session)
        self.crls = SqlCRLs(session)
        self.blocked_keys = SqlBlockedKeys(session)
        self.audit = SqlAuditLog(session)
        self.jobs = SqlJobs(session)

    def __enter__(self) -> Self:
        # Begin here and not at the first statement: on SQLite this is where threads take turns.
        try:
            self._session.connection()
        except PoolExhausted as error:
            raise NotReady(BUSY) from error
        return self

    def __exit__(self, *exc: object) -> None:
        self._session.close()

    def commit(self) -> None:
        head, self.audit.appended = self.audit.appended, None
        changed, self.certificates.changed = self.certificates.changed, {}
        if head is None or self._after_commit is None:
            self._session.commit()
            return
        with self._after_commit.turn:
            self._session.commit()
            self._after_commit.tell(Committed(self.audit.after, head, tuple(changed.values())))
