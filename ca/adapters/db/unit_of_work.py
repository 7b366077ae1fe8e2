"""One database transaction for one use case, with the repositories that work inside it."""

from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import Session, sessionmaker

from ca.adapters.db.changes import noted
from ca.adapters.db.engine import looking
from ca.adapters.db.errors import BUSY
from ca.adapters.db.repositories.applications import SqlApplications, SqlCodes
from ca.adapters.db.repositories.audit import SqlAuditLog, SqlJobs
from ca.adapters.db.repositories.batches import SqlBatches
from ca.adapters.db.repositories.bindings import SqlBindings
from ca.adapters.db.repositories.bundles import SqlBundles
from ca.adapters.db.repositories.certificates import SqlCertificates, SqlIntents
from ca.adapters.db.repositories.crls import SqlCRLs
from ca.adapters.db.repositories.customers import SqlCustomers, SqlDevices
from ca.adapters.db.repositories.figures import SqlFigures
from ca.adapters.db.repositories.issuers import SqlBlockedKeys, SqlIssuers
from ca.adapters.db.repositories.officer_changes import SqlOfficerChanges
from ca.adapters.db.repositories.officers import SqlInvitations, SqlOfficers
from ca.adapters.db.repositories.portal import SqlAccounts, SqlCancellations, SqlCustomerSessions
from ca.adapters.db.repositories.profiles import policy_versions, profile_versions
from ca.adapters.db.repositories.receipts import SqlReceipts
from ca.adapters.db.repositories.recovery_codes import SqlRecoveryCodeSets
from ca.adapters.db.repositories.revocation_cases import SqlRevocationCases
from ca.adapters.db.repositories.sessions import SqlChallenges, SqlSessions
from ca.adapters.db.repositories.stock import SqlStock
from ca.adapters.db.repositories.tool_cases import SqlToolCases
from ca.adapters.db.repositories.unlocks import SqlUnlocks
from ca.adapters.journal.keeper import Keeper
from ca.domain.errors import NotReady
from ca.domain.journal import Entry


class SqlUnitOfWork:
    """Begins transactions on an engine; needs no Flask app."""

    def __init__(self, engine: Engine, keeper: Keeper | None = None) -> None:
        """Without a keeper nobody else tells of what is committed: for those who only read, and for tests."""
        self._sessions = sessionmaker(engine)
        self._keeper = keeper
        self._looks = sessionmaker(looking(engine))

    def __call__(self) -> "SqlWork":
        return SqlWork(self._sessions(), self._keeper)

    def look(self) -> "SqlWork":
        return SqlWork(self._looks(), None)

    def catch_up(self) -> None:
        if self._keeper is not None:
            self._keeper.catch_up()


class SqlWork:
    """One transaction. Leaving the block without commit() rolls back; after commit() the next one begins."""

    def __init__(self, session: Session, keeper: Keeper | None) -> None:
        self._session = session
        self._keeper = keeper
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
        self.bundles = SqlBundles(session)
        self.blocked_keys = SqlBlockedKeys(session)
        self.audit = SqlAuditLog(session)
        self.jobs = SqlJobs(session)
        self.receipts = SqlReceipts(session)
        self.accounts = SqlAccounts(session)
        self.customer_sessions = SqlCustomerSessions(session)
        self.cancellations = SqlCancellations(session)
        self.unlocks = SqlUnlocks(session)
        self.batches = SqlBatches(session)
        self.officer_changes = SqlOfficerChanges(session)
        self.bindings = SqlBindings(session)
        self.recovery_codes = SqlRecoveryCodeSets(session)
        self.profile_versions = profile_versions(session)
        self.policy_versions = policy_versions(session)
        self.stock = SqlStock(session)
        self.figures = SqlFigures(session)
        self.tool_cases = SqlToolCases(session)
        self.revocation_cases = SqlRevocationCases(session)

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
        """The database has it and the journal too when this returns; the act then counts whatever breaks.

        Raises NotReady when the journal cannot be written: before anything is committed if that is known already.
        """
        keeper = self._keeper
        if keeper is not None:
            keeper.require_ready()
        changes = noted(self._session)
        entry = self.audit.seal(changes)
        if keeper is not None and entry is not None:
            self._commit_kept(keeper, entry)
            return
        if keeper is not None and changes:
            tables = ", ".join(sorted({change.table for change in changes}))
            raise LookupError(f"no act without its event (DESIGN invariant 9): {tables}")
        self._session.commit()

    def _commit_kept(self, keeper: Keeper, entry: Entry) -> None:
        keeper.announce(entry)
        try:
            self._session.commit()
        except BaseException:
            keeper.withdraw(entry)
            raise
        keeper.keep(entry)
