"""A small bank after its key ceremony: real profiles, real signatures, officers with passkeys, everything in memory.

Every act goes through the use cases, wired as the signer wires them; what a test breaks, it breaks in `stored`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from ca.domain.applications import Application, ApplicationState
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.codes import CodePair
from ca.domain.errors import PKIError
from ca.domain.keys import PublicKey
from ca.domain.notices import Message
from ca.domain.officers import Officer, OfficerState, TrustedRole
from ca.domain.policy import USUAL
from ca.domain.profiles import Profile
from ca.domain.revocation import RevocationReason
from ca.domain.tbs import read_certificate
from ca.handlers import UseCases
from ca.officer_handlers import Officers
from ca.ports import Authenticators, KeyId, UnitOfWork
from ca.usecases.answer_ocsp import AnswerOCSP, Contradictions
from ca.usecases.apply import Entry, SubmitApplication
from ca.usecases.approve import CaseView, DecideOnApplication
from ca.usecases.audit import MakeCheckpoint, RecordRefusal, VerifyAudit
from ca.usecases.authorize import Authorize, save_officer
from ca.usecases.batches import DecideOnBatch, SubmitBatch
from ca.usecases.codes import CheckCodes, HandedOut, HandOutCodes
from ca.usecases.confirm import ConfirmCertificate, proof_message
from ca.usecases.customers import RegisterCustomer
from ca.usecases.devices import RegisterDevice
from ca.usecases.dossier import Dossier
from ca.usecases.enrol import Drafter, Enrol
from ca.usecases.health import CheckHealth
from ca.usecases.issuance import Issuance
from ca.usecases.jobs import Job, RunJob
from ca.usecases.notices import SendCode
from ca.usecases.portal_sessions import AccountBook
from ca.usecases.publish_crl import PublishCRL
from ca.usecases.receipts import OpenReceipt
from ca.usecases.reconcile import Reconcile
from ca.usecases.renew import ReEnrol
from ca.usecases.report_unknown import ReportUnknownCertificate
from ca.usecases.responder import CertifyMemoryKey, CertifyResponder
from ca.usecases.sign_in import SignIn
from ca.usecases.sweep import Sweep
from ca.usecases.versions_in_force import policy_in_force, profiles_in_force
from config.profile_files import TomlProfiles
from tests.drafts import PROFILES, SoftKey, a_request
from tests.fakes.attacks import Attacked
from tests.fakes.authenticators import FakeAuthenticators, FakePasskey
from tests.fakes.ceremony import ISSUING, SEAL_KEY, Ceremony, FakeCheckpointFile, FakeJournal
from tests.fakes.clock import FakeClock, FakeRandom
from tests.fakes.key_store import FakeKeyStore
from tests.fakes.publisher import FakeLinter
from tests.fakes.standings import FakeStandings
from tests.fakes.tool import publish_tool
from tests.fakes.use_cases import ORIGIN, FakeNotify, officers_door, revoking_of, use_cases_of
from tests.fakes.work import FakeUnitOfWork, Stored

ISSUING_KEY = KeyId(b"issuing-1")
BRANCH, ELSEWHERE, HEAD_OFFICE = "pudong", "minhang", "head-office"

MARIA, PAVEL, SUPERVISOR, STRANGER = "E1001", "E1002", "E1003", "E1101"
HOTLINE, SECURITY, SECOND_SECURITY, AUDITOR = "E1201", "E2001", "E2002", "E3001"
ADMINISTRATOR, SECOND_ADMINISTRATOR = "E4001", "E4002"

_R = TrustedRole
STAFF: dict[str, tuple[str, str, frozenset[TrustedRole]]] = {
    MARIA: ("Maria", BRANCH, frozenset({_R.RA_OPERATOR, _R.RA_APPROVER})),
    PAVEL: ("Pavel", BRANCH, frozenset({_R.RA_OPERATOR, _R.RA_APPROVER})),
    SUPERVISOR: ("Sun", BRANCH, frozenset({_R.RA_SUPERVISOR})),
    STRANGER: ("Stranger", ELSEWHERE, frozenset({_R.RA_OPERATOR, _R.RA_APPROVER, _R.RA_SUPERVISOR})),
    HOTLINE: ("Hotline", HEAD_OFFICE, frozenset({_R.HOTLINE})),
    SECURITY: ("Wang", HEAD_OFFICE, frozenset({_R.SECURITY_OFFICER})),
    SECOND_SECURITY: ("Chen", HEAD_OFFICE, frozenset({_R.SECURITY_OFFICER})),
    AUDITOR: ("Auditor", HEAD_OFFICE, frozenset({_R.AUDITOR})),
    ADMINISTRATOR: ("Ada", HEAD_OFFICE, frozenset({_R.CA_ADMINISTRATOR})),
    SECOND_ADMINISTRATOR: ("Ben", HEAD_OFFICE, frozenset({_R.CA_ADMINISTRATOR})),
}


def new_key() -> SoftKey:
    return SoftKey(ec.generate_private_key(ec.SECP256R1()))


def prove(key: SoftKey, nonce: bytes, certificate: Certificate, *, origin: str = ORIGIN) -> bytes:
    """What the U-Shield signs to confirm a certificate."""
    message = proof_message(origin, nonce, certificate.der)
    if isinstance(key.private, rsa.RSAPrivateKey):
        return key.private.sign(message, padding.PKCS1v15(), SHA256())
    return key.private.sign(message, ec.ECDSA(SHA384() if key.private.key_size == 384 else SHA256()))


def request_like(certificate_der: bytes, key: SoftKey, *, names: x509.Name | None = None) -> bytes:
    """A request for a new key with the subject of a certificate, as EST clients renew."""
    subject = read_certificate(certificate_der).subject_der
    if names is not None:
        subject = names.public_bytes()
    return a_request(key, subject=subject)


@dataclass(frozen=True)
class Colleague:
    """An officer at work: record, passkey and live session."""

    officer: Officer
    passkey: FakePasskey
    session: str


@dataclass(frozen=True)
class Codes:
    """An application with its codes in the customer's hand."""

    application: str
    reference: str
    code: str


class Bank(Attacked):
    """Everything a test needs; `profiles` may be changed by `amend`."""

    def __init__(
        self,
        unit_of_work: FakeUnitOfWork | None = None,
        clock: FakeClock | None = None,
        authenticators: Authenticators | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.keys: dict[int, SoftKey] = {}
        self.unit_of_work, self.random = unit_of_work or FakeUnitOfWork(), FakeRandom()
        self.ceremony = ceremony = Ceremony(self.unit_of_work, self.clock, self.random)
        self.appointments = ceremony().appointments
        self.trust, self.publisher = ceremony.trust, ceremony.publisher
        self.key_store: FakeKeyStore = ceremony.room.tokens[ISSUING]
        self.seals = ceremony.room.seal_keys[ISSUING, SEAL_KEY]
        self.linter = FakeLinter()
        self.authenticators = authenticators or FakeAuthenticators()
        self.profile_files: dict[str, Profile] = dict(PROFILES)
        self.profiles = profiles_in_force(self.unit_of_work, self.clock, self.seals, TomlProfiles(), self.profile_files)
        self.policy = policy_in_force(self.unit_of_work, self.clock, self.seals, USUAL)
        self.checkpoint_file, self.journal = FakeCheckpointFile(), FakeJournal()
        self._wire(self.unit_of_work)
        self._staff: dict[str, Colleague] = {}
        self.key_store.signed.clear()

    def _wire(self, unit_of_work: UnitOfWork) -> None:
        clock, random, seals = self.clock, self.random, self.seals
        standings = getattr(self.unit_of_work, "standings", FakeStandings())  # over a real database nobody asks it
        self.authorize = Authorize(seals, clock, self.policy, standings)
        self.dossier = Dossier(seals, self.authenticators, self.authorize, self.profiles, ORIGIN)
        self.issuance = Issuance(unit_of_work, clock, self.key_store, seals, self.linter)
        with self.unit_of_work() as work:
            self.drafter = Drafter(clock, random, self.issuance, work.issuers.get(ISSUING))
        self.check_codes = CheckCodes(unit_of_work, clock, seals)
        self.publish_crl = PublishCRL(unit_of_work, clock, self.key_store, self.publisher, self.linter, standings)
        self.published: list[str] = []
        push, self.notify = self.published.append, FakeNotify()
        self.open_receipt = OpenReceipt(clock, timedelta(hours=1), (), self.policy)
        self.responder = CertifyResponder(unit_of_work, clock, random, self.key_store, self.issuance, self.profiles)
        self.certify_memory_key = CertifyMemoryKey(self.responder, ISSUING, per_day=3)
        contradictions = Contradictions(unit_of_work, clock)
        self.answer_ocsp = AnswerOCSP(unit_of_work, clock, self.key_store, standings, contradictions)
        self.sweep = Sweep(unit_of_work, clock, self.profiles, self.policy, push, self.open_receipt)
        self.checkpoint = MakeCheckpoint(unit_of_work, clock, self.key_store, self.checkpoint_file)
        self.verify_audit = VerifyAudit(unit_of_work, self.checkpoint_file, self.journal, self.verify_checkpoint)
        self.sign_in = SignIn(unit_of_work, clock, random, seals, self.authenticators, self.authorize)
        of = self.officers = Officers.over(unit_of_work, clock, random, seals, self.authenticators, self.authorize)
        self.invite, self.redeem, self.change_officer, self.move = of.invite, of.redeem, of.change, of.decide
        self.passkeys = of.decide.passkeys
        by_officers = unit_of_work, clock, random, self.authorize
        self.register_customer, self.register_device = RegisterCustomer(*by_officers), RegisterDevice(*by_officers)
        self.submission = SubmitApplication(unit_of_work, clock, random, seals, self.authorize, self.profiles)
        deciding = unit_of_work, clock, seals, self.passkeys, self.authorize, self.profiles
        self.decide, self.decide_on_batch = DecideOnApplication(*deciding), DecideOnBatch(*deciding)
        self.submit_batch = SubmitBatch(
            unit_of_work, clock, random, seals, self.authorize, self.register_customer, self.submission
        )
        self.posted: list[Message] = []
        self.send_code = SendCode(AccountBook(seals), self.posted.append, "Fake Bank", "95588")
        self.hand_out = HandOutCodes(unit_of_work, clock, random, seals, self.authorize, self.profiles, self.send_code)
        issuing = self.drafter, self.issuance, self.profiles
        self.enrol = Enrol(unit_of_work, clock, self.check_codes, self.dossier, *issuing)
        self.report_unknown = ReportUnknownCertificate(unit_of_work, clock)
        self.edge_key, self.door = officers_door(self)
        self.re_enrol = ReEnrol(unit_of_work, clock, self.dossier, *issuing, self.report_unknown)
        self.confirm = ConfirmCertificate(unit_of_work, clock, random, push, self.open_receipt, self.notify, ORIGIN)
        self.revoking = revoking_of(self)
        self.change_status = self.revoking.change_status
        self.reconcile = Reconcile(unit_of_work, clock, self.issuance)
        self.record_refusal = RecordRefusal(unit_of_work, clock)
        self.jobs: dict[str, Job] = {"count": Job("count", timedelta(minutes=1), lambda: "counted")}
        self.publish_tool = publish_tool(unit_of_work, clock, self.key_store, seals)
        self.run_job = RunJob(unit_of_work, clock, self.jobs)
        self.health = CheckHealth(unit_of_work, clock, self.key_store, ISSUING)

    @property
    def use_cases(self) -> UseCases:
        return use_cases_of(self)

    def submit(
        self, session: str, *, customer: str, profile: str, device_serial: str, host_names: Sequence[str]
    ) -> Application:
        return self.submission(session, customer=customer, entry=Entry(profile, device_serial, host_names))

    def verify_checkpoint(self, message: bytes, signature: bytes) -> None:
        """Raise unless the audit key made it."""
        PublicKey.from_spki(self.trust.kept["audit.spki"]).verify(signature, message)

    # What was recorded

    @property
    def stored(self) -> Stored:
        return self.unit_of_work.stored

    @property
    def event_names(self) -> list[str]:
        return self.unit_of_work.event_names

    def application(self, application_id: str) -> Application:
        return self.stored.applications[application_id][0]

    def state(self, application_id: str) -> ApplicationState:
        return self.application(application_id).state

    def certificate(self, serial: int) -> Certificate:
        return self.stored.certificates[serial]

    def status(self, serial: int) -> CertificateStatus:
        return self.certificate(serial).status

    def pair(self, codes: Codes) -> CodePair:
        return self.stored.codes[codes.reference]

    @property
    def customer_certificates(self) -> list[Certificate]:
        """Those that answer an application."""
        return [each for each in self.stored.certificates.values() if each.application]

    @property
    def signatures(self) -> list[bytes]:
        """What the issuing key has signed since the ceremony."""
        return [message for key, message in self.key_store.signed if key == ISSUING_KEY]

    # Officers

    def officer(
        self,
        person: str,
        roles: frozenset[TrustedRole],
        *,
        branch: str = BRANCH,
        passkey: FakePasskey | None = None,
        name: str = "",
    ) -> Colleague:
        """A sealed record as redeeming an invitation leaves it, signed in."""
        passkey = passkey or FakePasskey()
        officer = Officer(
            id=f"officer-{person}",
            person=person,
            name=name or person,
            branch=branch,
            roles=roles,
            state=OfficerState.ACTIVE,
            credentials=(passkey.credential,),
        )
        with self.unit_of_work() as work:
            before = work.officers.find_by_person(person)
            officer = replace(officer, version=before[0].version + 1) if before else officer
            save_officer(work, self.seals, officer)
            work.commit()
        return self.signed_in(passkey)

    def signed_in(self, passkey: FakePasskey) -> Colleague:
        token, officer = self.sign_in(challenge := self.sign_in.challenge(), passkey.sign(challenge))
        return Colleague(officer, passkey, token)

    def __getitem__(self, person: str) -> Colleague:
        """One of the staff, signed in when first needed and again when the session is over."""
        if person not in self._staff:
            name, branch, roles = STAFF[person]
            self._staff[person] = self.officer(person, roles, branch=branch, name=name)
        colleague = self._staff[person]
        try:
            self.sign_in.who(colleague.session)
        except PKIError:
            self._staff[person] = colleague = self.signed_in(colleague.passkey)
        return colleague

    def session(self, person: str) -> str:
        return self[person].session

    # Branch work

    def customer(
        self,
        *,
        maker: str = MARIA,
        number: str = "",
        name: str = "张伟",
        email: str = "",
        kind: str = "person",
        company: str = "",
    ) -> str:
        number = number or self.random(5).hex()
        registered = self.register_customer(
            self.session(maker),
            kind=kind,
            number=number,
            name=name,
            document_number="ID1",
            email=email,
            company=company,
        )
        return registered.id

    def device(self, *, maker: str = MARIA, serial: str = "") -> str:
        serial = serial or f"US{self.random(5).hex()}"
        return self.register_device(self.session(maker), serial=serial, model="U-Shield 2").serial

    def submitted(
        self, *, maker: str = MARIA, profile: str = "personal-signing", hosts: tuple[str, ...] = (), customer: str = ""
    ) -> str:
        """An application entered by the maker."""
        chosen = self.profiles[profile]
        application = self.submit(
            self.session(maker),
            customer=customer or self.customer(maker=maker),
            profile=profile,
            device_serial=self.device(maker=maker) if chosen.needs_device else "",
            host_names=list(hosts or (("host.example",) if "dns" in chosen.alternative_names else ())),
        )
        return application.id

    def approve(self, application: str, *, checker: str | Colleague = PAVEL) -> CaseView:
        """Look and sign, as the console does."""
        colleague = self[checker] if isinstance(checker, str) else checker
        view = self.decide.show(colleague.session, application)
        self.decide.approve(
            colleague.session,
            application,
            case_digest=view.application.case.digest(),
            assertion=colleague.passkey.sign(view.challenge),
        )
        return view

    def approved(self, *, maker: str = MARIA, checker: str = PAVEL, profile: str = "personal-signing") -> str:
        application = self.submitted(maker=maker, profile=profile)
        self.approve(application, checker=checker)
        return application

    def codes(self, application: str = "", *, by: str = MARIA, profile: str = "personal-signing") -> Codes:
        application = application or self.approved(profile=profile)
        handed_out: HandedOut = self.hand_out(self.session(by), application)
        return Codes(application, handed_out.reference, handed_out.authorization_code)

    # The customer

    def download(self, codes: Codes, request: bytes) -> Certificate:
        return self.enrol(codes.reference, codes.code, request)

    def issued(self, *, key: SoftKey | None = None, profile: str = "personal-signing") -> Certificate:
        """A certificate downloaded, not yet confirmed."""
        return self.download(self.codes(profile=profile), a_request(key or new_key()))

    def confirmed(self, certificate: Certificate, key: SoftKey) -> Certificate:
        nonce = self.confirm.challenge(certificate.serial)
        self.keys[certificate.serial] = key
        old = self.keys.get(certificate.predecessor or 0)
        by_old = prove(old, nonce, certificate) if old else None
        return self.confirm(certificate.serial, nonce, prove(key, nonce, certificate), predecessor_signature=by_old)

    def active(self, *, key: SoftKey | None = None, profile: str = "personal-signing") -> Certificate:
        """A certificate in use."""
        key = key or new_key()
        certificate = self.issued(key=key, profile=profile)
        if certificate.status is CertificateStatus.ACTIVE:
            return certificate
        return self.confirmed(certificate, key)

    def revoked(self, certificate: Certificate, reason: RevocationReason = RevocationReason.KEY_COMPROMISE) -> None:
        self.change_status.revoke(self.session(SUPERVISOR), certificate.serial, reason)

    # Changes

    def amend(self, profile: str, **changes: object) -> None:
        """Change a profile in place, as an edited file does at the next start."""
        self.profile_files[profile] = replace(self.profiles[profile], **changes)  # type: ignore[arg-type]  # any field

    def suspend(self, person: str) -> None:
        suspended = OfficerState.SUSPENDED.value
        self.change_officer(self.session(SECURITY), f"officer-{person}", state=suspended, reason="on leave")
