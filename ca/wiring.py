"""Settings to adapters to use cases: the only place that builds adapters for the signer and the command line."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from ca.adapters.asking import HttpAsker
from ca.adapters.clock import SystemClock, system_random
from ca.adapters.db.engine import open_database, open_read_only
from ca.adapters.db.mapping.certificates import standings_in
from ca.adapters.db.recovery import replay, require_agreement, waiting
from ca.adapters.db.schema import require_current_schema
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.adapters.files import TrustDirectory
from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.room import SoftHsmRoom
from ca.adapters.hsm.seals import Pkcs11Seals
from ca.adapters.hsm.sessions import TokenSessions
from ca.adapters.hsm.signatures import require_signature
from ca.adapters.hsm.tokens import HsmToken, TokenDirectory
from ca.adapters.journal.checkpoints import CheckpointLines
from ca.adapters.journal.journal import Journal
from ca.adapters.journal.keeper import Keeper
from ca.adapters.linter import PkilintLinter
from ca.adapters.publication import DirectoryPublisher
from ca.adapters.standings import StandingsMap
from ca.adapters.webauthn import WebAuthnAuthenticators
from ca.domain.audit import AuditEvent
from ca.domain.crl import with_partition
from ca.domain.errors import PKIError, Tampered
from ca.domain.issuers import Issuer
from ca.domain.journal import Entry
from ca.domain.ocsp import Policy
from ca.domain.profiles import Profile
from ca.domain.receipts import Place
from ca.handlers import UseCases
from ca.ports import KeyId
from ca.schedule import Schedule
from ca.state_files import republish
from ca.usecases.answer_ocsp import RESPONDER_PROFILE, AnswerOCSP, Contradictions, responder_key
from ca.usecases.apply import SubmitApplication
from ca.usecases.approve import DecideOnApplication
from ca.usecases.audit import AUDIT_KEY, MakeCheckpoint, RecordRefusal, VerifyAudit
from ca.usecases.authorize import Authorize
from ca.usecases.ceremony import HoldCeremony
from ca.usecases.codes import CheckCodes, HandOutCodes
from ca.usecases.confirm import ConfirmCertificate
from ca.usecases.customers import RegisterCustomer
from ca.usecases.devices import RegisterDevice
from ca.usecases.dossier import Dossier
from ca.usecases.enrol import Drafter, Enrol
from ca.usecases.health import CheckHealth
from ca.usecases.issuance import Issuance
from ca.usecases.jobs import RunJob
from ca.usecases.look_back import LookBack
from ca.usecases.officers import ChangeOfficer, InviteOfficer, RedeemInvitation
from ca.usecases.probe import Probe
from ca.usecases.publish_bundle import BUNDLE_PROFILE, PublishBundle, bundle_key
from ca.usecases.publish_crl import PublishCRL
from ca.usecases.receipts import Observation, OpenReceipt, RecordSightings
from ca.usecases.reconcile import Reconcile
from ca.usecases.renew import ReEnrol
from ca.usecases.report_unknown import ReportUnknownCertificate
from ca.usecases.responder import CertifyMemoryKey, CertifyResponder, own_profile
from ca.usecases.revoke import ChangeStatus
from ca.usecases.sign_in import SignIn
from ca.usecases.standings import FollowRecords
from ca.usecases.sweep import Sweep
from config.profile_files import load_profiles
from config.settings import Settings, State, seconds

log = logging.getLogger("vermilion.wiring")

ISSUING, ROOT = "issuing", "root"
SEAL_KEY = KeyId(b"seals-1")
PROFILES = Path(__file__).parent.parent / "config" / "profiles"


@dataclass(frozen=True)
class Files:
    """What lies beside the database."""

    trust: TrustDirectory
    checkpoints: CheckpointLines
    journal: Journal
    publisher: DirectoryPublisher
    standings: StandingsMap

    @classmethod
    def of(cls, state: State, settings: Settings) -> "Files":
        mirror = state.journal_mirror(settings)
        return cls(
            TrustDirectory(state.trust),
            CheckpointLines(state.journal, mirror),
            Journal(state.journal, mirror),
            DirectoryPublisher(state.publication, state.crl_copies),
            StandingsMap(state.standings),
        )

    def kept(self, records: SqlUnitOfWork, entries: Sequence[Entry]) -> None:
        """Into the standings map goes what the journal has, before the act returns."""
        for entry in entries:
            self.standings.apply(standings_in(entry.changes), after=entry.first - 1, number=entry.head.number)
        if self.standings.applied() < self.journal.head.number:
            # It is new, of an earlier boot, or could not be written for a while.
            FollowRecords(records, self.standings)()


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


def build_signer(state: State, settings: Settings) -> UseCases:
    """Open database and HSM, compare keys with certificates, wire the use cases. Raises PKIError, closed."""
    files = Files.of(state, settings)
    records = SqlUnitOfWork(open_to_read(state, settings))
    unit_of_work = journaled(open_current_database(state, settings), files.journal, kept=partial(files.kept, records))
    profiles = load_profiles(PROFILES)
    for name in (RESPONDER_PROFILE, BUNDLE_PROFILE):
        own_profile(profiles, name)
    sessions = TokenSessions.open(issuing_token(state, settings), workers=settings.hsm.sessions)
    try:
        key_store, seals = Pkcs11KeyStore(sessions), Pkcs11Seals(sessions, SEAL_KEY)
        _require_own_keys(unit_of_work, key_store, seals, files.trust)
        issuer = _settled_issuer(unit_of_work, settings.public_url)
        republish(unit_of_work, files.publisher, own=ISSUING)
        _open_partitions(unit_of_work, issuer, settings.crls.partitions)
        return _wire(settings, files, unit_of_work, profiles, key_store, seals, issuer)
    except PKIError:
        sessions.close()
        raise


def _require_own_keys(
    unit_of_work: SqlUnitOfWork, key_store: Pkcs11KeyStore, seals: Pkcs11Seals, trust: TrustDirectory
) -> None:
    # A wrong key under the right label or a swapped CA certificate stops here (T-50): certificate, trust file and HSM
    # must agree.
    with unit_of_work() as work:
        issuer = work.issuers.get(ISSUING)
    if trust.read(f"{ISSUING}.cer") != issuer.certificate_der:
        raise PKIError("the issuing CA's certificate in the database is not the one in the trust directory")
    key_store.verify_key(KeyId(issuer.key_id), issuer.spki_der)
    key_store.verify_key(AUDIT_KEY, trust.read("audit.spki"))
    key_store.require_mechanisms([issuer.algorithm])
    for key in (responder_key(ISSUING), bundle_key(ISSUING)):
        key_store.public_key(key)
    seals.verify_key()


def _settled_issuer(unit_of_work: SqlUnitOfWork, public_url: str) -> Issuer:
    # Where this CA publishes is for the settings to say: another row would send relying parties elsewhere.
    with unit_of_work() as work:
        issuer = work.issuers.get(ISSUING)
        settled = replace(
            issuer,
            crl_url=f"{public_url}/crl/{ISSUING}.crl",
            ocsp_url=f"{public_url}/ocsp",
            certificate_url=f"{public_url}/ca/{ISSUING}.cer",
        )
        if settled != issuer:
            work.issuers.save(settled)
            details = {"crl": settled.crl_url, "ocsp": settled.ocsp_url, "certificate": settled.certificate_url}
            work.audit.append(AuditEvent("issuer.moved", ISSUING, "signer", SystemClock().now(), details))
            work.commit()
    return settled


def _open_partitions(unit_of_work: SqlUnitOfWork, issuer: Issuer, partitions: int) -> None:
    # Their CRLs are published before the first certificate points to them.
    with unit_of_work() as work:
        opened = work.crls.list_partitions(issuer.name)
        for partition in range(1, partitions + 1):
            url = with_partition(issuer, partition).crl_url
            if url not in opened.get(partition, ()):
                work.crls.add_partition(issuer.name, partition, url)
                details = {"partition": str(partition), "crl": url}
                event = AuditEvent("issuer.partitioned", issuer.name, "signer", SystemClock().now(), details)
                work.audit.append(event)
        work.commit()


def _wire(
    settings: Settings,
    files: Files,
    unit_of_work: SqlUnitOfWork,
    profiles: Mapping[str, Profile],
    key_store: Pkcs11KeyStore,
    seals: Pkcs11Seals,
    issuer: Issuer,
) -> UseCases:
    clock, random, times, linter = SystemClock(), system_random, settings.times, PkilintLinter()
    authenticators = WebAuthnAuthenticators(settings.relying_party, settings.origins)
    authorize = Authorize(seals, clock)
    dossier = Dossier(seals, authenticators, authorize, profiles)
    issuance = Issuance(unit_of_work, clock, key_store, seals, linter)
    drafter = Drafter(clock, random, issuance, issuer, settings.crls.partitions)
    check_codes = CheckCodes(unit_of_work, clock, seals)
    lives = (seconds(times.crl_life), seconds(times.crl_delta_life))
    publish_crl = PublishCRL(unit_of_work, clock, key_store, files.publisher, linter, *lives)
    publish_changes = _publish_if_due(publish_crl)
    open_receipt = _open_receipt(settings)
    report_unknown = ReportUnknownCertificate(unit_of_work, clock)
    certify_responder = CertifyResponder(unit_of_work, clock, random, key_store, issuance, profiles)
    schedule = Schedule(
        ISSUING,
        publish_crl,
        PublishBundle(unit_of_work, clock, key_store, files.publisher, seconds(settings.times.bundle_life)),
        certify_responder,
        replace(certify_responder, profile=BUNDLE_PROFILE, key_of=bundle_key),
        FollowRecords(unit_of_work, files.standings),
        Sweep(unit_of_work, clock, profiles, publish_changes, open_receipt),
        MakeCheckpoint(unit_of_work, clock, key_store, files.checkpoints),
        reconcile := Reconcile(unit_of_work, clock, issuance),
    )
    periods = (times.crl_period, times.bundle_period, times.checkpoint_period)
    return UseCases(
        sign_in=SignIn(unit_of_work, clock, random, seals, authenticators, authorize),
        invite=InviteOfficer(unit_of_work, clock, random, seals, authenticators, authorize),
        redeem=RedeemInvitation(unit_of_work, clock, random, seals, authenticators),
        change_officer=ChangeOfficer(unit_of_work, clock, seals, authorize),
        register_customer=RegisterCustomer(unit_of_work, clock, random, authorize),
        register_device=RegisterDevice(unit_of_work, clock, random, authorize),
        submit=SubmitApplication(unit_of_work, clock, random, seals, authorize, profiles),
        decide=DecideOnApplication(unit_of_work, clock, seals, authenticators, authorize, profiles),
        hand_out=HandOutCodes(unit_of_work, clock, random, seals, authorize, profiles),
        enrol=Enrol(unit_of_work, clock, check_codes, dossier, drafter, issuance, profiles),
        re_enrol=ReEnrol(unit_of_work, clock, dossier, drafter, issuance, profiles, report_unknown),
        confirm=ConfirmCertificate(unit_of_work, clock, random, publish_changes, open_receipt),
        change_status=ChangeStatus(unit_of_work, clock, authorize, publish_changes, open_receipt),
        answer_ocsp=_answer_ocsp(settings, files, unit_of_work, key_store),
        certify_memory_key=CertifyMemoryKey(certify_responder, ISSUING, settings.ocsp.memory_keys_a_day),
        look_back=_look_back(settings, unit_of_work),
        report_unknown=report_unknown,
        record_sightings=RecordSightings(unit_of_work, clock),
        run_job=RunJob(unit_of_work, clock, schedule.jobs(*map(seconds, periods))),
        reconcile=reconcile,
        health=CheckHealth(unit_of_work, clock, key_store, ISSUING),
        record_refusal=RecordRefusal(unit_of_work, clock),
        unit_of_work=unit_of_work,
    )


def _answer_ocsp(
    settings: Settings, files: Files, unit_of_work: SqlUnitOfWork, key_store: Pkcs11KeyStore
) -> AnswerOCSP:
    clock, life = SystemClock(), seconds(settings.times.ocsp_life)
    policy = Policy(settings.ocsp.extended_revoke, settings.ocsp.archive_cutoff)
    contradictions = Contradictions(unit_of_work, clock)
    return AnswerOCSP(unit_of_work, clock, key_store, files.standings, contradictions, life, policy)


def _publish_if_due(publish_crl: PublishCRL) -> Callable[[str], None]:
    def publish(issuer: str) -> None:
        try:
            publish_crl.publish_changes(issuer)
        except (PKIError, OSError) as error:
            # The status change itself is recorded and holds in OCSP; the CRL stays due, and the jobs try again within
            # seconds and show why it failed.
            log.warning("the CRL of %s is not published yet: %s", issuer, error)

    return publish


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
            profiles=load_profiles(PROFILES),
            public_url=settings.public_url,
            seals_in=ISSUING,
            seal_key=SEAL_KEY,
        )


def replay_journal(state: State, settings: Settings) -> Counter[str]:
    """Bring a restored database up to the journal; how many events of each name it lacked. The signer is stopped.

    Raises NotReady while somebody writes the journal, Tampered when it does not continue what the database holds.
    """
    engine, files = open_current_database(state, settings), Files.of(state, settings)
    with closing(files.journal):
        files.journal.open()
        before = files.journal.head
        done = replay(engine, files.journal)
        if done:
            with journaled(engine, files.journal)() as work:
                now, details = SystemClock().now(), {"events": str(done.total())}
                work.audit.append(AuditEvent("journal.replayed", str(before.number), "operator", now, details))
                work.commit()
    return done


def _open_receipt(settings: Settings) -> OpenReceipt:
    # A bank has the cache of deploy/nginx.conf in front of status, the demo has none.
    period = seconds(settings.times.crl_period)
    return OpenReceipt(SystemClock(), period, places(settings), cached=not settings.demo)


def places(settings: Settings) -> tuple[Place, ...]:
    """Where CRLs are published, each a channel of every receipt."""
    return (Place("directory", f"{settings.public_url}/crl"),)


def build_probe(state: State, settings: Settings, report: Callable[[Sequence[Observation]], None]) -> tuple[Probe, str]:
    """What asks as relying parties do, and which kind of database it reads."""
    engine = open_to_read(state, settings)
    say = logging.getLogger("vermilion.prober").info
    probe = Probe(SqlUnitOfWork(engine), SystemClock(), HttpAsker(), report, places(settings), say)
    return probe, engine.dialect.name


def build_look_back(state: State, settings: Settings) -> LookBack:
    """What tells how certificates stood; only reads."""
    return _look_back(settings, SqlUnitOfWork(open_to_read(state, settings)))


def _look_back(settings: Settings, unit_of_work: SqlUnitOfWork) -> LookBack:
    return LookBack(unit_of_work, SystemClock(), seconds(settings.times.ocsp_life))


def build_audit(state: State, settings: Settings) -> tuple[VerifyAudit, SqlUnitOfWork]:
    """What verifies the audit log: needs no HSM, only the audit key's public half from the trust directory."""
    files = Files.of(state, settings)
    unit_of_work = SqlUnitOfWork(open_to_read(state, settings))
    public_key = files.trust.read("audit.spki")

    def verify(message: bytes, signature: bytes) -> None:
        require_signature(public_key, message, signature)

    return VerifyAudit(unit_of_work, files.checkpoints, files.journal, verify), unit_of_work
