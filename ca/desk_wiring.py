"""The use cases of people, put together: customers on the portal, officers at the counter, administrators, auditors."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ca.adapters.clock import SystemClock, system_random
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.adapters.envelopes import HpkeEnvelopes
from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.seals import Pkcs11Seals
from ca.adapters.notices import Outbox
from ca.adapters.passwords import Argon2Passwords
from ca.authority_handlers import Authority
from ca.case_handlers import Casework
from ca.domain.dossiers import PROGRAMS, enclosures
from ca.door_handlers import Door
from ca.dossier_handlers import Auditing
from ca.policy_handlers import PolicyDesk
from ca.portal_handlers import Portal
from ca.telling import as_json
from ca.unlock_handlers import Unlocking
from ca.usecases.answer_ocsp import AnswerOCSP
from ca.usecases.apply import SubmitApplication
from ca.usecases.approve import DecideOnApplication
from ca.usecases.audit import MakeCheckpoint
from ca.usecases.batches import DecideOnBatch, SubmitBatch
from ca.usecases.bind_certificates import DecideOnBinding
from ca.usecases.by_key import ActByKey
from ca.usecases.certificate_sign_in import SignInByCertificate
from ca.usecases.company_desk import CompanyDesk
from ca.usecases.compose_dossier import ComposeDossier
from ca.usecases.customers import CorrectCustomer, RegisterCustomer
from ca.usecases.decide_on_versions import DecideOnVersions
from ca.usecases.devices import HandDeviceToCompany, PrepareDevice
from ca.usecases.dossier import Dossier
from ca.usecases.jobs import RunJob, RunJobNow
from ca.usecases.letters import HandOutLetter
from ca.usecases.notices import NotifyCustomer, SendCode
from ca.usecases.own_certificates import OwnCertificates
from ca.usecases.passkeys import Passkeys
from ca.usecases.portal_sessions import AccountBook, AuthorizeCustomer, PortalSignIn
from ca.usecases.publish_tool import PublishTool
from ca.usecases.receipts import OpenReceipt
from ca.usecases.report_unknown import ReportUnknownCertificate
from ca.usecases.revoke import ChangeStatus
from ca.usecases.revoke_by_two import DecideOnRevocation
from ca.usecases.second_officer import SecondOfficer
from ca.usecases.show_settings import ShownSetting, ShowSettings
from ca.usecases.sign_backup import SignBackup
from ca.usecases.statements import Statements
from ca.usecases.tool_desk import DecideOnTool
from ca.usecases.tool_jobs import OrderToolJob
from ca.usecases.unlock import SoPasswords, UnlockDevice
from ca.usecases.unlock_cases import DecideOnUnlock
from ca.usecases.verify_log import VerifyPiece
from ca.usecases.versions_in_force import PolicyInForce
from ca.wiring import (
    Files,
    look_back,
    verify_audit_key,
)
from config.settings import EDGE_KEY, Settings
from config.shown import told

_VERIFIERS = Path(__file__).parent.parent / "relying_party"


def senders(
    settings: Settings, files: Files, unit_of_work: SqlUnitOfWork, seals: Pkcs11Seals
) -> tuple[NotifyCustomer, SendCode]:
    """What tells customers, and what sends them a code."""
    post = Outbox(files.outbox, SystemClock(), sender=settings.notices_from)
    base = AccountBook(seals), post, settings.organization, settings.hotline
    return NotifyCustomer(unit_of_work, *base), SendCode(*base)


def portal_of(
    unit_of_work: SqlUnitOfWork,
    dossier: Dossier,
    order_tool_job: OrderToolJob,
    publish_changes: Callable[[str], None],
    open_receipt: OpenReceipt,
    notify: NotifyCustomer,
) -> Portal:
    """What customers do for themselves."""
    seals, officers = dossier.seals, dossier.authorize
    clock, random, accounts = SystemClock(), system_random, AccountBook(seals)
    authorize = AuthorizeCustomer(seals, clock, officers.policy)
    sign_in = PortalSignIn(unit_of_work, clock, random, seals, Argon2Passwords(), authorize, accounts)
    effects = publish_changes, open_receipt, notify
    statements = Statements(unit_of_work, clock, dossier.origin)
    desk = unit_of_work, clock, random, seals, authorize, dossier, statements, order_tool_job, dossier.profiles
    return Portal(
        HandOutLetter(unit_of_work, clock, random, seals, officers, accounts),
        sign_in,
        OwnCertificates(unit_of_work, clock, authorize, *effects),
        ActByKey(unit_of_work, clock, statements, sign_in, *effects),
        CompanyDesk(*desk, *effects),
        HandDeviceToCompany(unit_of_work, clock, officers),
    )


def officers_door(
    settings: Settings,
    files: Files,
    unit_of_work: SqlUnitOfWork,
    dossier: Dossier,
    report_unknown: ReportUnknownCertificate,
) -> Door:
    """How officers come in by certificates, and who decides whose they are. Raises NotReady without the edge's key."""
    base = unit_of_work, SystemClock(), system_random, dossier.seals
    passkeys = Passkeys(dossier.authenticators, SystemClock())
    edge_key = files.trust.read(EDGE_KEY) if settings.officer_certificates else None
    return Door(
        SignInByCertificate(*base, dossier.authorize, report_unknown, edge_key),
        DecideOnBinding(*base, passkeys, dossier.authorize),
    )


def casework(unit_of_work: SqlUnitOfWork, dossier: Dossier) -> Casework:
    """What happens to applications."""
    clock, random, seals, authorize = SystemClock(), system_random, dossier.seals, dossier.authorize
    submit = SubmitApplication(unit_of_work, clock, random, seals, authorize, dossier.profiles)
    register = RegisterCustomer(unit_of_work, clock, random, authorize)
    deciding = unit_of_work, clock, seals, Passkeys(dossier.authenticators, clock), authorize, dossier.profiles
    return Casework(
        submit,
        DecideOnApplication(*deciding),
        SubmitBatch(unit_of_work, clock, random, seals, authorize, register, submit),
        DecideOnBatch(*deciding),
        register,
        CorrectCustomer(unit_of_work, clock, authorize),
    )


def revoking(
    unit_of_work: SqlUnitOfWork,
    dossier: Dossier,
    publish_changes: Callable[[str], None],
    open_receipt: OpenReceipt,
    notify: NotifyCustomer,
) -> DecideOnRevocation:
    """How officers hold, release and revoke, alone or by two."""
    clock, authorize = SystemClock(), dossier.authorize
    second = SecondOfficer(system_random, dossier.seals, dossier.profiles)
    change = ChangeStatus(unit_of_work, clock, authorize, publish_changes, open_receipt, notify, second)
    passkeys = Passkeys(dossier.authenticators, clock)
    return DecideOnRevocation(unit_of_work, clock, authorize, passkeys, second, change)


def authority(
    settings: Settings,
    unit_of_work: SqlUnitOfWork,
    dossier: Dossier,
    run_job: RunJob,
    publish_tool: PublishTool,
) -> Authority:
    """What CA administrators do."""
    base = unit_of_work, SystemClock(), system_random
    passkeys = Passkeys(dossier.authenticators, SystemClock())
    deciding = *base, dossier.seals, passkeys, dossier.authorize
    shown = [ShownSetting(*row) for row in told(settings)]
    return Authority(
        RunJobNow(*base, dossier.authorize, run_job),
        DecideOnVersions(*deciding, dossier.profiles),
        ShowSettings(unit_of_work, dossier.authorize, shown),
        DecideOnTool(*deciding, publish_tool),
    )


def policy_desk(unit_of_work: SqlUnitOfWork, dossier: Dossier, policy: PolicyInForce) -> PolicyDesk:
    """What CA administrators decide on in numbers."""
    clock, random = SystemClock(), system_random
    deciding = unit_of_work, clock, random, dossier.seals, Passkeys(dossier.authenticators, clock), dossier.authorize
    return PolicyDesk(policy, DecideOnVersions(*deciding, policy.versions))


def unlocking(
    unit_of_work: SqlUnitOfWork,
    dossier: Dossier,
    unlock_seals: Pkcs11Seals,
    key_store: Pkcs11KeyStore,
    notify: NotifyCustomer,
) -> Unlocking:
    """How U-Shields are prepared and unlocked."""
    base = unit_of_work, SystemClock(), system_random
    passkeys = Passkeys(dossier.authenticators, SystemClock())
    so_passwords = SoPasswords(unlock_seals, key_store, HpkeEnvelopes(), dossier.origin)
    return Unlocking(
        PrepareDevice(*base, dossier.authorize, so_passwords),
        DecideOnUnlock(*base, dossier.seals, passkeys, dossier.authorize, notify),
        UnlockDevice(*base, dossier.seals, so_passwords, notify),
    )


def auditing(
    settings: Settings, files: Files, unit_of_work: SqlUnitOfWork, dossier: Dossier, answer_ocsp: AnswerOCSP
) -> Auditing:
    """What audits and disputes ask for."""
    clock, authorize, key_store = SystemClock(), dossier.authorize, answer_ocsp.key_store
    checkpoint = MakeCheckpoint(unit_of_work, clock, key_store, files.checkpoints)
    compose = ComposeDossier(
        unit_of_work,
        clock,
        key_store,
        dossier.seals,
        authorize,
        files.publisher,
        checkpoint,
        look_back(settings, unit_of_work),
        as_json,
        answer_ocsp,
        enclosures({name: (_VERIFIERS / source).read_bytes() for name, source in PROGRAMS.items()}),
    )
    verify = partial(verify_audit_key, files.trust)
    sign_backup = SignBackup(unit_of_work, clock, key_store, files.journal)
    return Auditing(VerifyPiece(unit_of_work, clock, authorize, files.journal, verify), compose, sign_backup)
