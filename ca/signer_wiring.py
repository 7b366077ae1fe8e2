"""The signer's use cases, put together over its HSM and its database."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial

from ca.adapters.clock import SystemClock, system_random
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.adapters.files import TrustDirectory
from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.seals import Pkcs11Seals
from ca.adapters.hsm.sessions import TokenSessions
from ca.adapters.linter import PkilintLinter
from ca.adapters.webauthn import WebAuthnAuthenticators
from ca.background import InBackground, all_of
from ca.desk_wiring import (
    auditing,
    authority,
    casework,
    officers_door,
    policy_desk,
    portal_of,
    revoking,
    senders,
    unlocking,
)
from ca.domain.audit import AuditEvent
from ca.domain.crl import with_partition
from ca.domain.errors import PKIError
from ca.domain.issuers import Issuer
from ca.domain.ocsp import Policy
from ca.domain.policy import first_policy
from ca.domain.tool_releases import Packed
from ca.handlers import UseCases
from ca.officer_handlers import Officers
from ca.ports import KeyId, Seals
from ca.schedule import Schedule
from ca.state_files import republish
from ca.stock_handlers import stockroom
from ca.tool_packages import pack, program
from ca.usecases.answer_ocsp import RESPONDER_PROFILE, AnswerOCSP, Contradictions, responder_key
from ca.usecases.audit import AUDIT_KEY, MakeCheckpoint, RecordRefusal
from ca.usecases.authorize import Authorize
from ca.usecases.codes import CheckCodes, HandOutCodes
from ca.usecases.confirm import ConfirmCertificate
from ca.usecases.devices import RegisterDevice
from ca.usecases.dossier import Dossier
from ca.usecases.enrol import Drafter, Enrol
from ca.usecases.examine import ExamineCertificate
from ca.usecases.figures import CountFigures
from ca.usecases.follow_targets import FollowTargets
from ca.usecases.health import CheckHealth
from ca.usecases.issuance import Issuance
from ca.usecases.jobs import RunJob
from ca.usecases.looks import NoteLook
from ca.usecases.own_certificates import OwnCertificates
from ca.usecases.publish_bundle import BUNDLE_PROFILE, PublishBundle, bundle_key
from ca.usecases.publish_crl import PublishCRL
from ca.usecases.publish_tool import PublishTool
from ca.usecases.receipts import RecordSightings
from ca.usecases.reconcile import Reconcile
from ca.usecases.renew import ReEnrol, RenewByKey
from ca.usecases.report_unknown import ReportUnknownCertificate
from ca.usecases.responder import CertifyMemoryKey, CertifyResponder, own_profile
from ca.usecases.sign_in import SignIn
from ca.usecases.standings import FollowRecords, KeepSnapshot
from ca.usecases.sweep import Sweep
from ca.usecases.tool_jobs import OrderToolJob
from ca.usecases.unlock import UNLOCK_KEY
from ca.usecases.versions_in_force import PolicyInForce, ProfilesInForce, policy_in_force, profiles_in_force
from ca.wiring import (
    ISSUING,
    SEAL_KEY,
    Files,
    issuing_token,
    journaled,
    look_back,
    open_current_database,
    open_receipt,
    open_targets,
)
from config.profile_files import TomlProfiles, load_profiles
from config.provider_files import load_providers
from config.settings import Settings, State, origin_of, seconds

log = logging.getLogger("vermilion.wiring")


def build_signer(state: State, settings: Settings) -> UseCases:
    """Open database and HSM, compare keys with certificates, wire the use cases. Raises PKIError, closed."""
    files = Files.of(state, settings)
    unit_of_work = journaled(open_current_database(state, settings), files.journal, kept=files.kept)
    files_say = load_profiles(settings.profiles)
    for name in (RESPONDER_PROFILE, BUNDLE_PROFILE):
        own_profile(files_say, name)
    sessions = TokenSessions.open(issuing_token(state, settings), workers=settings.hsm.sessions)
    try:
        key_store, seals = Pkcs11KeyStore(sessions), Pkcs11Seals(sessions, SEAL_KEY)
        secrets = seals, Pkcs11Seals(sessions, UNLOCK_KEY)
        _require_own_keys(unit_of_work, key_store, seals, files.trust)
        issuer = _settled_issuer(unit_of_work, settings.public_url)
        republish(unit_of_work, files.publisher, own=ISSUING)
        _open_partitions(unit_of_work, issuer, settings.crls.partitions)
        profiles = profiles_in_force(unit_of_work, SystemClock(), seals, TomlProfiles(), files_say)
        policy = policy_in_force(unit_of_work, SystemClock(), seals, first_policy(settings.policy))
        profiles.read()
        policy.versions.read()
        return _wire(settings, files, unit_of_work, (profiles, policy), (key_store, *secrets), issuer)
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
    in_force: tuple[ProfilesInForce, PolicyInForce],
    keys: tuple[Pkcs11KeyStore, Pkcs11Seals, Pkcs11Seals],
    issuer: Issuer,
) -> UseCases:
    (key_store, seals, unlock_seals), (profiles, policy) = keys, in_force
    clock, random, linter, origin = SystemClock(), system_random, PkilintLinter(), origin_of(settings.enrolment_url)
    authenticators, authorize = _officers_access(settings, files, seals, policy)
    dossier = Dossier(seals, authenticators, authorize, profiles, origin)
    order_tool_job = OrderToolJob(unit_of_work, clock, random, key_store, origin)
    issuance = Issuance(unit_of_work, clock, key_store, seals, linter)
    issuing = Drafter(clock, random, issuance, issuer, settings.crls.partitions), issuance, profiles
    publish_crl = _publish_crl(settings, files, unit_of_work, key_store)
    answer_ocsp, publish_changes = _answer_ocsp(settings, files, unit_of_work, key_store), _publish_if_due(publish_crl)
    receipt, report_unknown = open_receipt(settings, policy), ReportUnknownCertificate(unit_of_work, clock)
    re_enrol = ReEnrol(unit_of_work, clock, dossier, *issuing, report_unknown)
    reconcile = Reconcile(unit_of_work, clock, issuance)
    certify = CertifyResponder(unit_of_work, clock, random, key_store, issuance, profiles)
    notify, send_code = senders(settings, files, unit_of_work, seals)
    effects = publish_changes, receipt, notify
    portal = portal_of(unit_of_work, dossier, order_tool_job, *effects)
    by_time = reconcile, Sweep(unit_of_work, clock, profiles, policy, publish_changes, receipt), portal.own
    schedule = _schedule(settings, files, unit_of_work, key_store, publish_crl, certify, by_time)
    run_job = RunJob(unit_of_work, clock, schedule.jobs(*_periods(settings)))
    return UseCases(
        sign_in=SignIn(unit_of_work, clock, random, seals, authenticators, authorize),
        officers=Officers.over(unit_of_work, clock, random, seals, authenticators, authorize),
        door=officers_door(settings, files, unit_of_work, dossier, report_unknown),
        note_look=NoteLook(unit_of_work, clock, authorize),
        register_device=RegisterDevice(unit_of_work, clock, random, authorize),
        casework=casework(unit_of_work, dossier),
        hand_out=HandOutCodes(unit_of_work, clock, random, seals, authorize, profiles, send_code),
        enrol=Enrol(unit_of_work, clock, CheckCodes(unit_of_work, clock, seals), dossier, *issuing),
        re_enrol=re_enrol,
        renew_by_key=RenewByKey(unit_of_work, clock, re_enrol, origin),
        confirm=ConfirmCertificate(unit_of_work, clock, random, *effects, origin),
        revoking=revoking(unit_of_work, dossier, *effects),
        examine=ExamineCertificate(unit_of_work, dossier, linter),
        order_tool_job=order_tool_job,
        portal=portal,
        stock=stockroom(unit_of_work, clock, random, authorize),
        authority=authority(settings, unit_of_work, dossier, run_job, schedule.publish_tool),
        policy=policy_desk(unit_of_work, dossier, policy),
        auditing=auditing(settings, files, unit_of_work, dossier, answer_ocsp),
        unlocking=unlocking(unit_of_work, dossier, unlock_seals, key_store, notify),
        answer_ocsp=answer_ocsp,
        certify_memory_key=CertifyMemoryKey(certify, ISSUING, settings.ocsp.memory_keys_a_day),
        look_back=look_back(settings, unit_of_work),
        report_unknown=report_unknown,
        record_sightings=RecordSightings(unit_of_work, clock),
        run_job=run_job,
        reconcile=reconcile,
        health=CheckHealth(unit_of_work, clock, key_store, ISSUING),
        record_refusal=RecordRefusal(unit_of_work, clock),
        unit_of_work=unit_of_work,
    )


def _officers_access(
    settings: Settings, files: Files, seals: Pkcs11Seals, policy: PolicyInForce
) -> tuple[WebAuthnAuthenticators, Authorize]:
    """By passkeys, and by certificates where the settings open that door (docs/adr/0041)."""
    at_door = files.standings if settings.officer_certificates else None
    return (
        WebAuthnAuthenticators(settings.relying_party, settings.origins),
        Authorize(seals, SystemClock(), policy, at_door),
    )


def _periods(settings: Settings) -> Iterator[timedelta]:
    times = settings.times
    return map(seconds, (times.crl_period, times.bundle_period, times.checkpoint_period))


def _schedule(
    settings: Settings,
    files: Files,
    unit_of_work: SqlUnitOfWork,
    key_store: Pkcs11KeyStore,
    publish_crl: PublishCRL,
    certify_responder: CertifyResponder,
    by_time: tuple[Reconcile, Sweep, OwnCertificates],
) -> Schedule:
    reconcile, sweep, own_certificates = by_time
    clock, bundle_life = SystemClock(), seconds(settings.times.bundle_life)
    return Schedule(
        ISSUING,
        publish_crl,
        PublishBundle(unit_of_work, clock, key_store, files.publisher, files.standings, bundle_life),
        certify_responder,
        replace(certify_responder, profile=BUNDLE_PROFILE, key_of=bundle_key),
        FollowRecords(unit_of_work, files.standings),
        sweep,
        own_certificates,
        MakeCheckpoint(unit_of_work, clock, key_store, files.checkpoints),
        KeepSnapshot(files.standings, files.snapshot, files.journal, key_store),
        reconcile,
        _follow_targets(settings, files, unit_of_work),
        _publish_tool(settings, files, unit_of_work, key_store, certify_responder.issuance.seals),
        CountFigures(unit_of_work, clock),
    )


def _publish_tool(
    settings: Settings, files: Files, unit_of_work: SqlUnitOfWork, key_store: Pkcs11KeyStore, seals: Seals
) -> PublishTool:
    providers = load_providers(settings.providers)

    @cache  # what this process was started from
    def packed() -> Sequence[Packed]:
        return pack(
            organization=settings.organization,
            hotline=settings.hotline,
            origin=origin_of(settings.enrolment_url),
            ocsp=f"{settings.public_url}/ocsp",
            root_pem=files.trust.read("root.pem").decode("ascii"),
            job_key=files.trust.read("tool-jobs.spki"),
            release_key=files.trust.read("tool-release.spki"),
            providers=providers,
        )

    return PublishTool(unit_of_work, SystemClock(), key_store, seals, files.tool, packed, program())


def _follow_targets(settings: Settings, files: Files, unit_of_work: SqlUnitOfWork) -> Callable[[], str]:
    """Each target in a thread of its own: one that hangs holds up itself."""
    passes = [
        InBackground(target.name, FollowTargets(unit_of_work, SystemClock(), files.publisher, [target]))
        for target in open_targets(settings)
    ]
    return partial(all_of, passes)


def _publish_crl(
    settings: Settings, files: Files, unit_of_work: SqlUnitOfWork, key_store: Pkcs11KeyStore
) -> PublishCRL:
    lives = (seconds(settings.times.crl_life), seconds(settings.times.crl_delta_life))
    clock, linter = SystemClock(), PkilintLinter()
    return PublishCRL(unit_of_work, clock, key_store, files.publisher, linter, files.standings, *lives)


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
