"""The database in memory: one transaction at a time, nothing visible before commit, all undone without it.

It passes the same contract tests (`tests/contracts/work.py`) as SQLite and PostgreSQL.
"""

import threading
from dataclasses import dataclass, field, fields
from typing import Self

from ca.domain.accounts import Account, Cancellation, CustomerSession
from ca.domain.applications import Application
from ca.domain.audit import AuditEvent, ChainedEvent, Checkpoint
from ca.domain.batches import Batch
from ca.domain.bindings import CertificateBinding
from ca.domain.bundle import BundleKind, BundleRecord
from ca.domain.case_contents import FormerCase
from ca.domain.certificates import Certificate, Intent
from ca.domain.codes import CodePair
from ca.domain.crl import CRLRecord, Listing
from ca.domain.custody import Consignment, Move
from ca.domain.customers import Customer
from ca.domain.decisions import Evidence
from ca.domain.devices import Device
from ca.domain.errors import NotReady
from ca.domain.figures import Figure
from ca.domain.issuers import Issuer
from ca.domain.jobs import JobRun, Lease
from ca.domain.journal import Entry
from ca.domain.officer_changes import OfficerChange
from ca.domain.officers import Invitation, Officer
from ca.domain.policy import PolicyVersion
from ca.domain.profile_versions import ProfileVersion
from ca.domain.receipts import Receipt
from ca.domain.recovery import RecoveryCodes
from ca.domain.revocation_cases import RevocationCase
from ca.domain.sessions import Challenge, Session
from ca.domain.stock import Alarm, Balance
from ca.domain.times import Millis
from ca.domain.tool_cases import ToolCase
from ca.domain.unlocking import UnlockCase
from tests.fakes import repositories as fake
from tests.fakes.bundles import FakeBundles
from tests.fakes.certificates import FakeCertificates, FakeCRLs
from tests.fakes.figures import FakeFigures
from tests.fakes.officers import FakeBindings, FakeOfficerChanges, FakeRecoveryCodeSets
from tests.fakes.portal import FakeAccounts, FakeCancellations, FakeCustomerSessions, FakeUnlocks
from tests.fakes.profiles import FakeToolCases, FakeVersions
from tests.fakes.receipts import FakeReceipts
from tests.fakes.revocation_cases import FakeRevocationCases
from tests.fakes.standings import FakeStandings
from tests.fakes.stock import FakeStock


@dataclass
class Stored:
    """Everything kept. Values are frozen, so copying the collections copies the state."""

    customers: dict[str, Customer] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    officers: dict[str, tuple[Officer, bytes]] = field(default_factory=dict)
    invitations: dict[str, tuple[Invitation, bytes]] = field(default_factory=dict)
    sessions: dict[str, tuple[Session, bytes]] = field(default_factory=dict)
    challenges: dict[tuple[str, bytes], Challenge] = field(default_factory=dict)
    applications: dict[str, tuple[Application, bytes]] = field(default_factory=dict)
    evidence: list[tuple[str, Evidence]] = field(default_factory=list)
    codes: dict[str, CodePair] = field(default_factory=dict)
    certificates: dict[int, Certificate] = field(default_factory=dict)
    listings: dict[int, Listing] = field(default_factory=dict)
    intents: dict[int, Intent] = field(default_factory=dict)
    issuers: dict[str, Issuer] = field(default_factory=dict)
    crls: list[CRLRecord] = field(default_factory=list)
    crl_due: dict[str, bool] = field(default_factory=dict)
    crl_numbers: dict[str, int] = field(default_factory=dict)
    bundles: dict[tuple[str, BundleKind], BundleRecord] = field(default_factory=dict)
    bundle_numbers: dict[str, int] = field(default_factory=dict)
    crl_partitions: dict[tuple[str, int, str], None] = field(default_factory=dict)
    blocked_keys: dict[str, str] = field(default_factory=dict)
    audit: list[ChainedEvent] = field(default_factory=list)
    outbox: list[Entry] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    leases: dict[str, Lease] = field(default_factory=dict)
    runs: dict[str, JobRun] = field(default_factory=dict)
    receipts: dict[tuple[int, Millis], Receipt] = field(default_factory=dict)
    accounts: dict[str, tuple[Account, bytes]] = field(default_factory=dict)
    customer_sessions: dict[str, tuple[CustomerSession, bytes]] = field(default_factory=dict)
    cancellations: dict[int, Cancellation] = field(default_factory=dict)
    unlocks: dict[str, tuple[UnlockCase, bytes]] = field(default_factory=dict)
    former: list[tuple[FormerCase, bytes]] = field(default_factory=list)
    batches: dict[str, tuple[Batch, bytes]] = field(default_factory=dict)
    officer_changes: dict[str, tuple[OfficerChange, bytes]] = field(default_factory=dict)
    bindings: dict[str, tuple[CertificateBinding, bytes]] = field(default_factory=dict)
    recovery_codes: dict[str, tuple[RecoveryCodes, bytes]] = field(default_factory=dict)
    profile_versions: dict[str, tuple[ProfileVersion, bytes]] = field(default_factory=dict)
    policy_versions: dict[str, tuple[PolicyVersion, bytes]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    consignments: dict[str, Consignment] = field(default_factory=dict)
    balances: dict[str, Balance] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    tool_cases: dict[str, tuple[ToolCase, bytes]] = field(default_factory=dict)
    revocation_cases: dict[str, tuple[RevocationCase, bytes]] = field(default_factory=dict)

    def copy(self) -> "Stored":
        return Stored(**{each.name: getattr(self, each.name).copy() for each in fields(self)})


class FakeWork:
    """One transaction: works on a copy and puts it in place at commit."""

    def __init__(self, world: "FakeUnitOfWork") -> None:
        self._world = world

    def __enter__(self) -> Self:
        self._world.begin()
        self._open()
        return self

    def __exit__(self, *exc: object) -> None:
        self._world.end()

    def commit(self) -> None:
        self._world.replace(self._stored)
        self._open()

    def _open(self) -> None:
        self._stored = stored = self._world.stored.copy()
        self.customers = fake.FakeCustomers(stored.customers)
        self.devices = fake.FakeDevices(stored.devices)
        self.officers = fake.FakeOfficers(stored.officers)
        self.invitations = fake.FakeInvitations(stored.invitations)
        self.sessions = fake.FakeSessions(stored.sessions)
        self.challenges = fake.FakeChallenges(stored.challenges)
        self.applications = fake.FakeApplications(stored.applications, stored.evidence, stored.former)
        self.codes = fake.FakeCodes(stored.codes)
        self.certificates = FakeCertificates(stored.certificates, stored.listings, stored.crl_numbers)
        self.intents = fake.FakeIntents(stored.intents)
        self.issuers = fake.FakeIssuers(stored.issuers)
        self.crls = FakeCRLs(stored.crls, stored.crl_due, stored.crl_numbers, stored.crl_partitions)
        self.bundles = FakeBundles(stored.bundles, stored.bundle_numbers)
        self.blocked_keys = fake.FakeBlockedKeys(stored.blocked_keys)
        self.audit = fake.FakeAuditLog(stored.audit, stored.outbox, stored.checkpoints)
        self.jobs = fake.FakeJobs(stored.leases, stored.runs)
        self.receipts = FakeReceipts(stored.receipts)
        self.accounts = FakeAccounts(stored.accounts)
        self.customer_sessions = FakeCustomerSessions(stored.customer_sessions)
        self.cancellations = FakeCancellations(stored.cancellations)
        self.unlocks = FakeUnlocks(stored.unlocks)
        self.batches = fake.FakeBatches(stored.batches)
        self.officer_changes = FakeOfficerChanges(stored.officer_changes)
        self.bindings = FakeBindings(stored.bindings)
        self.recovery_codes = FakeRecoveryCodeSets(stored.recovery_codes)
        self.profile_versions = FakeVersions(stored.profile_versions)
        self.policy_versions = FakeVersions(stored.policy_versions)
        self.stock = FakeStock(stored.moves, stored.consignments, stored.balances, stored.alarms, stored.devices)
        self.figures = FakeFigures(stored.figures, stored)
        self.tool_cases = FakeToolCases(stored.tool_cases)
        self.revocation_cases = FakeRevocationCases(stored.revocation_cases)


class FakeUnitOfWork:
    """Begins transactions and lets a test look at what was committed (`stored`, `events`, `certificates`, …)."""

    def __init__(self) -> None:
        self.stored = Stored()
        self.standings = FakeStandings()
        """Kept in the act of each commit, as the signer's wiring does."""
        self.commits = 0
        self._turn = threading.Lock()
        self._holder: int | None = None
        self._refused_commit: int | None = None

    def __call__(self) -> FakeWork:
        return FakeWork(self)

    def look(self) -> FakeWork:
        return FakeWork(self)

    def catch_up(self) -> None:
        """As if each act had been in the outbox of another signer."""
        self.standings.follow({}, self.stored.certificates, after=0, number=len(self.stored.audit))

    @property
    def events(self) -> list[AuditEvent]:
        return [chained.event for chained in self.stored.audit]

    @property
    def event_names(self) -> list[str]:
        return [event.name for event in self.events]

    @property
    def certificates(self) -> dict[int, Certificate]:
        return self.stored.certificates

    @property
    def applications(self) -> dict[str, Application]:
        return {key: application for key, (application, _seal) in self.stored.applications.items()}

    @property
    def officers(self) -> dict[str, Officer]:
        return {key: officer for key, (officer, _seal) in self.stored.officers.items()}

    def refuse_commit(self, which: int = 1) -> None:
        """Make the `which`-th commit from now fail as a full disk would, and those before and after it succeed."""
        self._refused_commit = self.commits + which

    def begin(self) -> None:
        if self._holder == threading.get_ident():
            raise NotReady("this thread has a transaction open already; a second one would wait for it for ever")
        self._turn.acquire()
        self._holder = threading.get_ident()

    def end(self) -> None:
        self._holder = None
        self._turn.release()

    def replace(self, stored: Stored) -> None:
        """What a commit does."""
        self.commits += 1
        if self.commits == self._refused_commit:
            raise NotReady("the disk that holds the database is full; free some space and try again")
        before, self.stored = self.stored, stored
        numbers = {"after": len(before.audit), "number": len(stored.audit)}
        self.standings.follow(before.certificates, stored.certificates, **numbers)
