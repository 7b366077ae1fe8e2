"""Settings to adapters to use cases: the only place that builds adapters for the signer and the command line."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from ca.adapters.asking import HttpAsker
from ca.adapters.clock import SystemClock, system_random
from ca.adapters.db.engine import changes_of, open_database, open_read_only
from ca.adapters.db.mapping.certificates import standings_in
from ca.adapters.db.recovery import replay, require_agreement, waiting
from ca.adapters.db.schema import require_current_schema
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.adapters.files import TrustDirectory
from ca.adapters.hsm.room import SoftHsmRoom
from ca.adapters.hsm.signatures import require_signature
from ca.adapters.hsm.tokens import HsmToken, TokenDirectory
from ca.adapters.journal.checkpoints import CheckpointLines
from ca.adapters.journal.journal import Journal
from ca.adapters.journal.keeper import Keeper
from ca.adapters.journal.snapshot import SnapshotFile
from ca.adapters.publication import DirectoryPublisher
from ca.adapters.standings import StandingsMap
from ca.adapters.targets.ldap import LDAPTarget
from ca.adapters.targets.s3 import S3Target
from ca.adapters.tool_offer import ToolDirectory
from ca.domain.audit import AuditEvent
from ca.domain.errors import Tampered
from ca.domain.journal import Entry
from ca.domain.policy import Policy
from ca.domain.receipts import Place
from ca.ports import KeyId
from ca.targets import Target
from ca.usecases.audit import VerifyAudit
from ca.usecases.ceremony import HoldCeremony
from ca.usecases.look_back import LookBack
from ca.usecases.probe import Probe
from ca.usecases.receipts import Observation, OpenReceipt
from ca.usecases.standings import BuildStandings
from config.profile_files import load_profiles
from config.settings import LDAPDirectory, S3Storage, Settings, State, seconds

log = logging.getLogger("vermilion.wiring")

ISSUING, ROOT = "issuing", "root"
SEAL_KEY = KeyId(b"seals-1")


@dataclass(frozen=True)
class Files:
    """What lies beside the database."""

    trust: TrustDirectory
    checkpoints: CheckpointLines
    journal: Journal
    publisher: DirectoryPublisher
    standings: StandingsMap
    snapshot: SnapshotFile
    outbox: Path
    """Notices to customers, until somebody sends them."""
    tool: ToolDirectory

    @classmethod
    def of(cls, state: State, settings: Settings) -> "Files":
        mirror, trust = state.journal_mirror(settings), TrustDirectory(state.trust)
        return cls(
            trust,
            CheckpointLines(state.journal, mirror),
            Journal(state.journal, mirror),
            DirectoryPublisher(state.publication, state.crl_copies),
            StandingsMap(state.standings),
            SnapshotFile(state.journal, partial(verify_audit_key, trust)),
            state / "outbox",
            ToolDirectory(state.publication / "tool"),
        )

    def kept(self, entries: Sequence[Entry]) -> None:
        """Into the standings map goes what the journal has, before the act returns."""
        for entry in entries:
            self.standings.apply(standings_in(entry.changes), after=entry.first - 1, number=entry.head.number)
        if self.standings.applied() < self.journal.head.number:
            # It is new, of an earlier boot, or could not be written for a while. No row is asked (docs/adr/0024).
            BuildStandings(self.standings, self.snapshot, self.journal, standings_in)()


def verify_audit_key(trust: TrustDirectory, message: bytes, signature: bytes) -> None:
    """Raise PKIError unless the audit key made this signature; needs no HSM."""
    require_signature(trust.read("audit.spki"), message, signature)


def journaled(
    engine: Engine, journal: Journal, kept: Callable[[Sequence[Entry]], None] = lambda _: None
) -> SqlUnitOfWork:
    """Transactions that the journal keeps too. Raises NotReady, Tampered when database and journal do not agree."""
    journal.open()
    database_url = engine.url.render_as_string(hide_password=False)
    keeper = Keeper(journal, waiting=partial(_waiting, database_url), kept=kept)
    ahead = require_agreement(engine, journal.head)
    keeper.catch_up()
    if ahead and require_agreement(engine, journal.head):
        raise Tampered(f"the journal ends at event {journal.head.number} and the log goes on: somebody cut the journal")
    return SqlUnitOfWork(engine, keeper)


def _waiting(database_url: str, after: int) -> list[Entry]:
    # By a connection that only reads: who asks may hold SQLite's one turn to write, and would wait for itself.
    reader = open_read_only(database_url)
    try:
        return waiting(reader, after)
    finally:
        reader.dispose()


def issuing_token(state: State, settings: Settings) -> HsmToken:
    """Where the signer's token is."""
    module = Path(settings.hsm.module) if settings.hsm.module else None
    return TokenDirectory(state.token(ISSUING)).token(settings.hsm.issuing_token, module)


def open_current_database(state: State, settings: Settings) -> Engine:
    """The database, of exactly the schema this release works with. Raises NotReady."""
    engine = open_database(state.database_url(settings))
    require_current_schema(engine)
    return engine


def open_to_read(state: State, settings: Settings) -> Engine:
    """The same, for those who only look: the signer goes on meanwhile. Raises NotReady."""
    engine = open_read_only(state.database_url(settings))
    require_current_schema(engine)
    return engine


@contextmanager
def disposing(engine: Engine) -> Iterator[Engine]:
    """No connection of it stays open behind the block."""
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def open_ceremony(state: State, settings: Settings, engine: Engine) -> Iterator[HoldCeremony]:
    """A ceremony over the state directory's tokens."""
    files = Files.of(state, settings)
    module = Path(settings.hsm.module) if settings.hsm.module else None
    labels = {"root": settings.hsm.root_token, ISSUING: settings.hsm.issuing_token}
    with closing(files.journal):
        yield HoldCeremony(
            unit_of_work=journaled(engine, files.journal),
            clock=SystemClock(),
            random=system_random,
            room=SoftHsmRoom(state / "hsm", labels, module),
            publisher=files.publisher,
            trust=files.trust,
            profiles=load_profiles(settings.profiles),
            public_url=settings.public_url,
            seals_in=ISSUING,
            seal_key=SEAL_KEY,
        )


def replay_journal(state: State, settings: Settings) -> Counter[str]:
    """Bring a restored database up to the journal; how many events of each name it lacked. The signer is stopped.

    Raises NotReady while somebody writes the journal, Tampered when it does not continue what the database holds.
    """
    engine, files = open_current_database(state, settings), Files.of(state, settings)
    with closing(files.journal), disposing(engine):
        files.journal.open()
        before = files.journal.head
        done = replay(engine, files.journal)
        if done:
            with journaled(engine, files.journal)() as work:
                now, details = SystemClock().now(), {"events": str(done.total())}
                work.audit.append(AuditEvent("journal.replayed", str(before.number), "operator", now, details))
                work.commit()
    return done


def open_receipt(settings: Settings, policy: Callable[[], Policy]) -> OpenReceipt:
    """What begins a receipt with each change of a status."""
    # A bank has the cache of deploy/nginx.conf in front of status, the demo has none.
    period = seconds(settings.times.crl_period)
    return OpenReceipt(SystemClock(), period, places(settings), policy, cached=not settings.demo)


def places(settings: Settings) -> tuple[Place, ...]:
    """Where CRLs are published, each a channel of every receipt."""
    others = [target for target in settings.publication.targets if target.public_url]
    return (
        Place("directory", f"{settings.public_url}/crl"),
        *(Place(target.name, f"{target.public_url.rstrip('/')}/crl") for target in others),
    )


def open_targets(settings: Settings) -> list[Target]:
    """The further places of publication. Raises NotReady when what one needs is not installed."""
    return [_open_target(each) for each in settings.publication.targets]


def _open_target(chosen: S3Storage | LDAPDirectory) -> Target:
    if isinstance(chosen, S3Storage):
        return S3Target(
            chosen.name,
            endpoint_url=chosen.endpoint_url,
            bucket=chosen.bucket,
            prefix=chosen.prefix,
            region=chosen.region,
            credentials=Path(chosen.credentials_file),
        )
    return LDAPTarget(
        chosen.name,
        url=chosen.url,
        ca_file=Path(chosen.ca_file) if chosen.ca_file else None,
        base=chosen.base,
        bind_dn=chosen.bind_dn,
        password=Path(chosen.password_file),
    )


def build_probe(
    state: State, settings: Settings, report: Callable[[Sequence[Observation]], None]
) -> tuple[Probe, Callable[[], bool], str]:
    """What asks as relying parties do, whether there is anything new for it, and which kind of database it reads."""
    engine = open_to_read(state, settings)
    say = logging.getLogger("vermilion.prober").info
    probe = Probe(SqlUnitOfWork(engine), SystemClock(), HttpAsker(SystemClock()), report, places(settings), say)
    return probe, changes_of(engine), engine.dialect.name


def build_look_back(state: State, settings: Settings) -> LookBack:
    """What tells how certificates stood; only reads."""
    return look_back(settings, SqlUnitOfWork(open_to_read(state, settings)))


def look_back(settings: Settings, unit_of_work: SqlUnitOfWork) -> LookBack:
    """The same over records that are open already."""
    return LookBack(unit_of_work, SystemClock(), seconds(settings.times.ocsp_life))


def build_audit(state: State, settings: Settings) -> tuple[VerifyAudit, SqlUnitOfWork]:
    """What verifies the audit log: needs no HSM, only the audit key's public half from the trust directory."""
    files = Files.of(state, settings)
    unit_of_work = SqlUnitOfWork(open_to_read(state, settings))
    verify = partial(verify_audit_key, files.trust)
    return VerifyAudit(unit_of_work, files.checkpoints, files.journal, verify), unit_of_work
