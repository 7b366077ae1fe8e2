"""Everything the signer can do, over a bank in memory."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca.adapters.envelopes import HpkeEnvelopes
from ca.authority_handlers import Authority
from ca.case_handlers import Casework
from ca.domain.certificates import Certificate
from ca.domain.customers import Customer
from ca.domain.dossiers import PROGRAMS, enclosures
from ca.domain.notices import Notice
from ca.door_handlers import Door
from ca.dossier_handlers import Auditing
from ca.handlers import UseCases
from ca.policy_handlers import PolicyDesk
from ca.portal_handlers import Portal
from ca.stock_handlers import stockroom
from ca.telling import as_json
from ca.unlock_handlers import Unlocking
from ca.usecases.bind_certificates import DecideOnBinding
from ca.usecases.by_key import ActByKey
from ca.usecases.certificate_sign_in import SignInByCertificate
from ca.usecases.company_desk import CompanyDesk
from ca.usecases.compose_dossier import ComposeDossier
from ca.usecases.customers import CorrectCustomer
from ca.usecases.decide_on_versions import DecideOnVersions
from ca.usecases.devices import HandDeviceToCompany, PrepareDevice
from ca.usecases.examine import ExamineCertificate
from ca.usecases.jobs import RunJobNow
from ca.usecases.letters import HandOutLetter
from ca.usecases.look_back import LookBack
from ca.usecases.looks import NoteLook
from ca.usecases.own_certificates import OwnCertificates
from ca.usecases.portal_sessions import AccountBook, AuthorizeCustomer, PortalSignIn
from ca.usecases.receipts import RecordSightings
from ca.usecases.renew import RenewByKey
from ca.usecases.revoke import ChangeStatus
from ca.usecases.revoke_by_two import DecideOnRevocation
from ca.usecases.second_officer import SecondOfficer
from ca.usecases.show_settings import ShownSetting, ShowSettings
from ca.usecases.sign_backup import SignBackup
from ca.usecases.statements import Statements
from ca.usecases.tool_desk import DecideOnTool
from ca.usecases.tool_jobs import OrderToolJob
from ca.usecases.unlock import UNLOCK_KEY, SoPasswords, UnlockDevice
from ca.usecases.unlock_cases import DecideOnUnlock
from ca.usecases.verify_log import VerifyPiece
from tests.fakes.ceremony import ISSUING

if TYPE_CHECKING:
    from tests.fakes.bank import Bank


ORIGIN = "https://localhost:8443"
VERIFIERS = Path(__file__).parents[2] / "relying_party"


@dataclass
class QuickPasswords:
    """portal_records.Passwords, without the patience; remembers how often it was asked."""

    asked: int = 0

    def stretch(self, password: str, salt: bytes) -> bytes:
        self.asked += 1
        return hashlib.sha256(salt + password.encode()).digest()


@dataclass
class FakeNotify:
    """portal_records.Notify."""

    told: list[tuple[str, int, str]] = field(default_factory=list)

    def __call__(self, customer: Customer, certificate: Certificate, notice: Notice, **fields: str) -> None:
        self.told.append((customer.id, certificate.serial, notice.value[0].format(**fields)))


def portal_of(bank: "Bank", *, passwords: QuickPasswords | None = None, notify: FakeNotify | None = None) -> Portal:
    """What customers do for themselves."""
    base = bank.unit_of_work, bank.clock, bank.random, bank.seals
    accounts, authorize = AccountBook(bank.seals), AuthorizeCustomer(bank.seals, bank.clock, bank.policy)
    sign_in = PortalSignIn(*base, passwords or QuickPasswords(), authorize, accounts)
    effects = bank.published.append, bank.open_receipt, notify or FakeNotify()
    statements = Statements(*base[:2], ORIGIN)
    order = OrderToolJob(*base[:3], bank.key_store, ORIGIN)
    return Portal(
        HandOutLetter(*base, bank.authorize, accounts),
        sign_in,
        OwnCertificates(*base[:2], authorize, *effects),
        ActByKey(*base[:2], statements, sign_in, *effects),
        CompanyDesk(*base, authorize, bank.dossier, statements, order, bank.profiles, *effects),
        HandDeviceToCompany(*base[:2], bank.authorize),
    )


def officers_door(bank: "Bank") -> tuple[ec.EllipticCurvePrivateKey, Door]:
    """The key with which the edge vouches, and the door that opens to it."""
    key, base = ec.generate_private_key(ec.SECP256R1()), (bank.unit_of_work, bank.clock, bank.random, bank.seals)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key, Door(
        SignInByCertificate(*base, bank.authorize, bank.report_unknown, spki),
        DecideOnBinding(*base, bank.passkeys, bank.authorize),
    )


def unlocking_of(bank: "Bank", *, notify: FakeNotify | None = None) -> Unlocking:
    """U-Shields prepared and unlocked, with real envelopes."""
    base = bank.unit_of_work, bank.clock, bank.random
    so_passwords = SoPasswords(
        bank.ceremony.room.seal_keys[ISSUING, UNLOCK_KEY], bank.key_store, HpkeEnvelopes(), ORIGIN
    )
    told = notify or FakeNotify()
    return Unlocking(
        PrepareDevice(*base, bank.authorize, so_passwords),
        DecideOnUnlock(*base, bank.seals, bank.passkeys, bank.authorize, told),
        UnlockDevice(*base, bank.seals, so_passwords, told),
    )


def authority_of(bank: "Bank") -> Authority:
    """What CA administrators do."""
    base = bank.unit_of_work, bank.clock, bank.random
    deciding = *base, bank.seals, bank.passkeys, bank.authorize
    shown = [ShownSetting("times.crl_life", "86400", "default")]
    return Authority(
        RunJobNow(*base, bank.authorize, bank.run_job),
        DecideOnVersions(*deciding, bank.profiles),
        ShowSettings(bank.unit_of_work, bank.authorize, shown),
        DecideOnTool(*deciding, bank.publish_tool),
    )


def revoking_of(bank: "Bank") -> DecideOnRevocation:
    """How officers hold, release and revoke, alone or by two."""
    base = bank.unit_of_work, bank.clock, bank.authorize
    second = SecondOfficer(bank.random, bank.seals, bank.profiles)
    change = ChangeStatus(*base, bank.published.append, bank.open_receipt, bank.notify, second)
    return DecideOnRevocation(*base, bank.passkeys, second, change)


def policy_of(bank: "Bank") -> PolicyDesk:
    """What they decide on in numbers."""
    deciding = bank.unit_of_work, bank.clock, bank.random, bank.seals, bank.passkeys, bank.authorize
    return PolicyDesk(bank.policy, DecideOnVersions(*deciding, bank.policy.versions))


def auditing_of(bank: "Bank") -> Auditing:
    """What audits and disputes ask for."""
    base = bank.unit_of_work, bank.clock
    compose = ComposeDossier(
        *base,
        bank.key_store,
        bank.seals,
        bank.authorize,
        bank.publisher,
        bank.checkpoint,
        LookBack(*base),
        as_json,
        bank.answer_ocsp,
        enclosures({name: (VERIFIERS / source).read_bytes() for name, source in PROGRAMS.items()}),
    )
    sign_backup = SignBackup(*base, bank.key_store, bank.journal)
    return Auditing(VerifyPiece(*base, bank.authorize, bank.journal, bank.verify_checkpoint), compose, sign_backup)


def use_cases_of(bank: "Bank") -> UseCases:
    """Over the bank's memory, clock and keys."""
    return UseCases(
        sign_in=bank.sign_in,
        officers=bank.officers,
        door=bank.door,
        note_look=NoteLook(bank.unit_of_work, bank.clock, bank.authorize),
        register_device=bank.register_device,
        casework=Casework(
            *(bank.submission, bank.decide, bank.submit_batch, bank.decide_on_batch, bank.register_customer),
            CorrectCustomer(bank.unit_of_work, bank.clock, bank.authorize),
        ),
        hand_out=bank.hand_out,
        enrol=bank.enrol,
        re_enrol=bank.re_enrol,
        renew_by_key=RenewByKey(bank.unit_of_work, bank.clock, bank.re_enrol, ORIGIN),
        confirm=bank.confirm,
        revoking=bank.revoking,
        examine=ExamineCertificate(bank.unit_of_work, bank.dossier, bank.linter),
        order_tool_job=OrderToolJob(bank.unit_of_work, bank.clock, bank.random, bank.key_store, ORIGIN),
        answer_ocsp=bank.answer_ocsp,
        certify_memory_key=bank.certify_memory_key,
        look_back=LookBack(bank.unit_of_work, bank.clock),
        report_unknown=bank.report_unknown,
        record_sightings=RecordSightings(bank.unit_of_work, bank.clock),
        run_job=bank.run_job,
        reconcile=bank.reconcile,
        portal=portal_of(bank),
        unlocking=unlocking_of(bank),
        authority=authority_of(bank),
        policy=policy_of(bank),
        stock=stockroom(bank.unit_of_work, bank.clock, bank.random, bank.authorize),
        auditing=auditing_of(bank),
        health=bank.health,
        record_refusal=bank.record_refusal,
        unit_of_work=bank.unit_of_work,
    )
