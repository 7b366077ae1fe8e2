"""Settings to adapters to use cases: the only place that builds adapters for the signer and the command line."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from ca.adapters.clock import SystemClock, system_random
from ca.adapters.db.engine import open_database, open_read_only
from ca.adapters.db.schema import require_current_schema
from ca.adapters.db.unit_of_work import Committed, SqlUnitOfWork
from ca.adapters.files import CheckpointLines, HeadOfChain, TrustDirectory
from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.room import SoftHsmRoom
from ca.adapters.hsm.seals import Pkcs11Seals
from ca.adapters.hsm.sessions import TokenSessions
from ca.adapters.hsm.signatures import require_signature
from ca.adapters.hsm.tokens import HsmToken, TokenDirectory
from ca.adapters.linter import PkilintLinter
from ca.adapters.publication import DirectoryPublisher
from ca.adapters.standings import StandingsMap
from ca.adapters.webauthn import WebAuthnAuthenticators
from ca.domain.audit import AuditEvent
from ca.domain.errors import PKIError
from ca.domain.issuers import Issuer
from ca.domain.jobs import JOB_NAMES
from ca.domain.ocsp import Policy
from ca.domain.profiles import Profile
from ca.domain.standings import Standing
from ca.handlers import UseCases
from ca.ports import KeyId
from ca.usecases.answer_ocsp import AnswerOCSP, Contradictions, responder_key
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
from ca.usecases.jobs import Job, RunJob
from ca.usecases.officers import ChangeOfficer, InviteOfficer, RedeemInvitation
from ca.usecases.publish_crl import PublishCRL
from ca.usecases.reconcile import Reconcile
from ca.usecases.renew import ReEnrol
from ca.usecases.report_unknown import ReportUnknownCertificate
from ca.usecases.responder import CertifyMemoryKey, CertifyResponder
from ca.usecases.revoke import ChangeStatus
from ca.usecases.sign_in import SignIn
from ca.usecases.standings import FollowRecords
from ca.usecases.sweep import Sweep
from config.profile_files import load_profiles
from config.settings import Settings, State, seconds

log = logging.getLogger("vermilion.wiring")

ISSUING = "issuing"
SEAL_KEY = KeyId(b"seals-1")
PROFILES = Path(__file__).parent.parent / "config" / "profiles"
_UNFINISHED_GRACE = timedelta(minutes=2)


@dataclass(frozen=True)
class Files:
    """What lies beside the database in a state directory."""

    trust: TrustDirectory
    checkpoints: CheckpointLines
    head: HeadOfChain
    publisher: DirectoryPublisher
    standings: StandingsMap

    @classmethod
    def of(cls, state: State) -> "Files":
        return cls(
            TrustDirectory(state.trust),
            CheckpointLines(state / "audit-checkpoints.jsonl"),
            HeadOfChain(state / "audit-head"),
            DirectoryPublisher(state.publication),
            StandingsMap(state.standings),
        )

    def committed_in_ceremony(self, committed: Committed) -> None:
        """What else is kept of a ceremony's transaction, once the database has it: no signer runs yet."""
        self.head.write(committed.head)

    def committed(self, committed: Committed) -> None:
        """What else is kept of a transaction of the signer, once the database has it and before the act returns."""
        self.head.write(committed.head)
        changed = [(one.serial, Standing.of(one)) for one in committed.certificates]
        self.standings.apply(changed, after=committed.after, number=committed.head.number)


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
    files = Files.of(state)
    unit_of_work = SqlUnitOfWork(open_current_database(state, settings), after_commit=files.committed)
    reading = SqlUnitOfWork(open_to_read(state, settings))
    FollowRecords(reading, files.standings)()
    profiles = load_profiles(PROFILES)
    sessions = TokenSessions.open(issuing_token(state, settings), workers=settings.hsm.sessions)
    try:
        key_store, seals = Pkcs11KeyStore(sessions), Pkcs11Seals(sessions, SEAL_KEY)
        _require_own_keys(unit_of_work, key_store, seals, files.trust)
        issuer = _settled_issuer(unit_of_work, settings.public_url)
        return _wire(settings, files, unit_of_work, reading, profiles, key_store, seals, issuer)
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
    key_store.public_key(responder_key(ISSUING))
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


def _wire(
    settings: Settings,
    files: Files,
    unit_of_work: SqlUnitOfWork,
    reading: SqlUnitOfWork,
    profiles: Mapping[str, Profile],
    key_store: Pkcs11KeyStore,
    seals: Pkcs11Seals,
    issuer: Issuer,
) -> UseCases:
    clock, random = SystemClock(), system_random
    linter = PkilintLinter()
    authenticators = WebAuthnAuthenticators(settings.relying_party, settings.origins)
    authorize = Authorize(seals, clock)
    dossier = Dossier(seals, authenticators, authorize, profiles)
    issuance = Issuance(unit_of_work, clock, key_store, seals, linter, profiles)
    drafter = Drafter(clock, random, issuance, issuer)
    check_codes = CheckCodes(unit_of_work, clock, seals)
    publish_crl = PublishCRL(unit_of_work, clock, key_store, files.publisher, linter, seconds(settings.times.crl_life))
    publish_changes = _publish_if_due(publish_crl)
    report_unknown = ReportUnknownCertificate(unit_of_work, clock)
    reconcile = Reconcile(unit_of_work, clock, issuance)
    certify_responder = CertifyResponder(unit_of_work, clock, random, key_store, issuance, profiles)
    jobs = _jobs(
        settings,
        publish_crl,
        certify_responder,
        FollowRecords(reading, files.standings),
        Sweep(unit_of_work, clock, profiles, publish_changes),
        MakeCheckpoint(unit_of_work, clock, key_store, files.checkpoints),
        reconcile,
    )
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
        confirm=ConfirmCertificate(unit_of_work, clock, random, publish_changes),
        change_status=ChangeStatus(unit_of_work, clock, authorize, publish_changes),
        answer_ocsp=_answer_ocsp(settings, files, reading, Contradictions(unit_of_work, clock), key_store),
        certify_memory_key=CertifyMemoryKey(certify_responder, ISSUING, settings.ocsp.memory_keys_a_day),
        report_unknown=report_unknown,
        run_job=RunJob(unit_of_work, clock, jobs),
        reconcile=reconcile,
        health=CheckHealth(unit_of_work, clock, key_store, ISSUING),
        record_refusal=RecordRefusal(unit_of_work, clock),
        unit_of_work=unit_of_work,
        profiles=profiles,
    )


def _answer_ocsp(
    settings: Settings,
    files: Files,
    reading: SqlUnitOfWork,
    contradictions: Contradictions,
    key_store: Pkcs11KeyStore,
) -> AnswerOCSP:
    life = seconds(settings.times.ocsp_life)
    policy = Policy(settings.ocsp.extended_revoke, settings.ocsp.archive_cutoff)
    return AnswerOCSP(reading, SystemClock(), key_store, files.standings, contradictions, life, policy)


def _publish_if_due(publish_crl: PublishCRL) -> Callable[[str], None]:
    def publish(issuer: str) -> None:
        try:
            if publish_crl.is_due(issuer):
                publish_crl(issuer)
        except (PKIError, OSError) as error:
            # The status change itself is recorded and holds in OCSP; the CRL stays due, and the jobs try again within
            # seconds and show why it failed.
            log.warning("the CRL of %s is not published yet: %s", issuer, error)

    return publish


def _jobs(
    settings: Settings,
    publish_crl: PublishCRL,
    certify_responder: CertifyResponder,
    follow_records: FollowRecords,
    sweep: Sweep,
    checkpoint: MakeCheckpoint,
    reconcile: Reconcile,
) -> dict[str, Job]:
    def publish_due() -> str:
        if not publish_crl.is_due(ISSUING):
            return "nothing changed"
        return f"published number {publish_crl(ISSUING).number}"

    def renew_responder() -> str:
        renewed = certify_responder.renew_if_due(ISSUING)
        return f"new certificate until {renewed.not_after:%d %b %Y}" if renewed else "still good"

    def make_checkpoint() -> str:
        made = checkpoint()
        return f"signed at event {made.number}" if made else "nothing new"

    minute, tick = timedelta(minutes=1), timedelta(seconds=5)
    jobs = [
        Job("responder", minute, renew_responder),
        Job("standings", tick, lambda: "brought up to date" if follow_records() else "up to date"),
        Job("crl-after-change", tick, publish_due),
        Job("crl", seconds(settings.times.crl_period), lambda: f"published number {publish_crl(ISSUING).number}"),
        Job("codes", minute, lambda: f"{sweep.expire_codes()} expired"),
        Job("unconfirmed", minute, lambda: f"{sweep.revoke_unconfirmed()} revoked"),
        Job("challenges", minute, lambda: f"{sweep.forget_challenges()} forgotten"),
        Job("checkpoint", seconds(settings.times.checkpoint_period), make_checkpoint),
        Job("reconcile", minute, lambda: f"{len(reconcile(grace=_UNFINISHED_GRACE))} finished"),
    ]
    by_name = {job.name: job for job in jobs}
    if set(by_name) != set(JOB_NAMES):
        raise LookupError("the jobs are not those that the jobs process asks for")
    return by_name


def build_ceremony(state: State, settings: Settings, engine: Engine) -> HoldCeremony:
    """A ceremony over the state directory's tokens."""
    files = Files.of(state)
    module = Path(settings.hsm.module) if settings.hsm.module else None
    labels = {"root": settings.hsm.root_token, ISSUING: settings.hsm.issuing_token}
    return HoldCeremony(
        unit_of_work=SqlUnitOfWork(engine, after_commit=files.committed_in_ceremony),
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


def build_audit(state: State, settings: Settings) -> tuple[VerifyAudit, SqlUnitOfWork]:
    """What verifies the audit log: needs no HSM, only the audit key's public half from the trust directory."""
    files = Files.of(state)
    unit_of_work = SqlUnitOfWork(open_to_read(state, settings))
    public_key = files.trust.read("audit.spki")

    def verify(message: bytes, signature: bytes) -> None:
        require_signature(public_key, message, signature)

    return VerifyAudit(unit_of_work, files.checkpoints, files.head, verify), unit_of_work
