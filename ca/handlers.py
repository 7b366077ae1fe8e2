"""Which use case answers which operation, and how its result travels. No rule lives here."""

from dataclasses import dataclass
from typing import Any

from ca import backup_operations as backup
from ca import certificate_operations as certificate_ops
from ca import operations as ops
from ca import portal_operations as portal
from ca.authority_handlers import QUESTIONS as AUTHORITY_QUESTIONS
from ca.authority_handlers import Authority
from ca.case_handlers import Casework
from ca.case_operations import PreviewApplication, ShowBatch, ShowCase
from ca.certificate_handlers import OneCertificate, told_status
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.codes import parse_hand_over, shown
from ca.domain.errors import KeyStoreUnavailable, NotAllowed, NotFound, NotReady, PKIError, Tampered
from ca.domain.names import Name
from ca.domain.serials import parse_serial, serial_text
from ca.domain.sessions import CHALLENGE_LIFE
from ca.domain.times import Millis, parse_instant, timestamp
from ca.door_handlers import Door
from ca.door_operations import CertificateChallenge, ShowBinding, SignInByCertificate
from ca.dossier_handlers import Auditing
from ca.officer_handlers import Officers, officer_fields
from ca.officer_operations import OpenRecovery, Recover, ShowAccess, ShowOfficerChange
from ca.operations import encode_base64
from ca.policy_handlers import QUESTIONS as POLICY_QUESTIONS
from ca.policy_handlers import PolicyDesk
from ca.portal_handlers import Portal
from ca.ports import UnitOfWork
from ca.signer import Handler
from ca.stock_handlers import Stockroom
from ca.telling import as_json
from ca.unlock_handlers import Unlocking
from ca.unlock_operations import ShowUnlock
from ca.usecases.answer_ocsp import AnswerOCSP
from ca.usecases.audit import RecordRefusal
from ca.usecases.codes import HandOutCodes
from ca.usecases.confirm import ConfirmCertificate
from ca.usecases.devices import RegisterDevice
from ca.usecases.enrol import Enrol
from ca.usecases.examine import ExamineCertificate
from ca.usecases.health import CheckHealth
from ca.usecases.jobs import RunJob
from ca.usecases.look_back import LookBack
from ca.usecases.looks import NoteLook
from ca.usecases.receipts import Observation, RecordSightings
from ca.usecases.reconcile import Reconcile
from ca.usecases.renew import ReEnrol
from ca.usecases.renew import RenewByKey as RenewCertificateByKey
from ca.usecases.report_unknown import ReportUnknownCertificate
from ca.usecases.responder import CertifyMemoryKey
from ca.usecases.revoke_by_two import DecideOnRevocation
from ca.usecases.sign_in import SignIn
from ca.usecases.tool_jobs import OrderToolJob

_NOT_REFUSALS = (NotReady, KeyStoreUnavailable)
# Asked all day by pages: that a session is over is an answer, not an act that was refused.
_QUESTIONS: tuple[type[ops.Operation], ...] = (
    *(ops.WhoAmI, ops.ShowInvitation, ops.ShowHistory, ops.Health, ops.CACertificates),
    *(portal.ShowMe, portal.ListOwnCertificates, portal.ListOwnDevices, portal.ShowOwnHistory),
    *(portal.ListSessions, portal.ShowCompany, ShowUnlock, ShowCase, PreviewApplication, ShowBatch),
    *(ShowOfficerChange, ShowBinding, ShowAccess, certificate_ops.ExamineCertificate),
    *(certificate_ops.ForeseeRevocation, certificate_ops.ShowRevocation),
    *AUTHORITY_QUESTIONS,
    *POLICY_QUESTIONS,
)
# What nobody may see and what somebody changed is recorded all the same.
_EVEN_WHEN_ASKED = (Tampered, NotAllowed, NotFound)

LONGEST_PROOF = 5000
"""Links; a longer one is for `./pki status --proof`."""

# Who asks without a session and is not a customer.
_ACTORS: dict[type[ops.Operation], str] = {
    ops.SignIn: "unknown",
    CertificateChallenge: "unknown",
    SignInByCertificate: "unknown",
    ops.OpenInvitation: "unknown",
    ops.RedeemInvitation: "unknown",
    OpenRecovery: "unknown",
    Recover: "unknown",
    ops.ReportUnknown: "reporter",
    ops.ShowHistory: "relying party",
    ops.CertifyResponderKey: "status",
    ops.RecordSightings: "prober",
    ops.RunJob: "jobs",
    ops.Reconcile: "jobs",
    backup.SignBackup: "operator",
}


@dataclass(frozen=True)
class UseCases:
    """Everything the signer can do, built by the wiring."""

    sign_in: SignIn
    officers: Officers
    door: Door
    note_look: NoteLook
    register_device: RegisterDevice
    casework: Casework
    hand_out: HandOutCodes
    enrol: Enrol
    re_enrol: ReEnrol
    renew_by_key: RenewCertificateByKey
    confirm: ConfirmCertificate
    revoking: DecideOnRevocation
    examine: ExamineCertificate
    order_tool_job: OrderToolJob
    portal: Portal
    unlocking: Unlocking
    authority: Authority
    policy: PolicyDesk
    stock: Stockroom
    auditing: Auditing
    answer_ocsp: AnswerOCSP
    certify_memory_key: CertifyMemoryKey
    look_back: LookBack
    report_unknown: ReportUnknownCertificate
    record_sightings: RecordSightings
    run_job: RunJob
    reconcile: Reconcile
    health: CheckHealth
    record_refusal: RecordRefusal
    unit_of_work: UnitOfWork


def _observation(message: ops.SightingMessage) -> Observation:
    def moment(at: int | None) -> Millis | None:
        return None if at is None else Millis(at)

    return Observation(
        parse_serial(message.serial),
        Millis(message.changed_at),
        message.channel,
        moment(message.not_before),
        moment(message.seen_at),
    )


class Handlers:
    """One method an operation that needs more than a line."""

    def __init__(self, use_cases: UseCases) -> None:
        self._do = use_cases

    def table(self) -> dict[type[ops.Operation], Handler]:
        """Every operation with what answers it."""
        do = self._do
        parts = (
            do.officers,
            do.door,
            do.casework,
            do.portal,
            do.unlocking,
            do.authority,
            do.policy,
            do.stock,
            do.auditing,
            OneCertificate(do.revoking, do.examine),
        )
        table = self._of_the_bank() | {kind: handler for part in parts for kind, handler in part.table().items()}
        return {kind: self._by_todays_decisions(handler) for kind, handler in table.items()}

    def _by_todays_decisions(self, handler: Handler) -> Handler:
        def answer(operation: Any) -> dict[str, Any]:
            self._do.authority.refresh()
            self._do.policy.refresh()
            return handler(operation)

        return answer

    def _of_the_bank(self) -> dict[type[ops.Operation], Handler]:
        do = self._do
        return {
            ops.SignInChallenge: lambda _: {"challenge": encode_base64(do.sign_in.challenge())},
            ops.SignIn: self.sign_in,
            ops.SignOut: self.sign_out,
            ops.WhoAmI: lambda op: {"officer": officer_fields(do.sign_in.who(op.session))},
            ops.NoteLook: self.note_look,
            ops.RegisterDevice: lambda op: {
                "device": do.register_device(op.session, serial=op.serial, model=op.model).serial
            },
            ops.HandOutCodes: self.hand_out_codes,
            ops.EnrolmentHints: self.hints,
            ops.Enrol: lambda op: self._issued(do.enrol(op.reference, op.code, op.request)),
            ops.ReEnrol: lambda op: self._issued(do.re_enrol(op.client_certificate, op.request)),
            portal.RenewByKey: lambda op: self._issued(
                do.renew_by_key(op.certificate, op.request, nonce=op.nonce, signature=op.signature)
            ),
            ops.ConfirmationChallenge: lambda op: {
                "nonce": encode_base64(do.confirm.challenge(parse_serial(op.serial))),
                "expires_in": int(CHALLENGE_LIFE.total_seconds()),
            },
            ops.Confirm: lambda op: told_status(
                do.confirm(
                    parse_serial(op.serial), op.nonce, op.signature, predecessor_signature=op.predecessor_signature
                )
            ),
            portal.OrderToolJob: lambda op: {
                "job": do.order_tool_job(op.operation, reference=op.reference, serial=op.serial, language=op.language)
            },
            ops.CACertificates: self.ca_certificates,
            ops.CertifyResponderKey: self.certify_responder_key,
            ops.ShowHistory: self.show_history,
            ops.ReportUnknown: lambda op: {"alarm": do.report_unknown(op.certificate, by="reporter")},
            ops.RecordSightings: self.record_sightings,
            ops.RunJob: self.run_job,
            ops.Reconcile: lambda _: {"finished": [serial_text(serial) for serial in do.reconcile()]},
            ops.Health: lambda _: do.health(),
        }

    def refused(self, operation: ops.Operation, error: PKIError) -> None:
        """Record a refusal, unless it is the answer to a mere question or the database itself is what failed."""
        if isinstance(error, _NOT_REFUSALS):
            return
        if isinstance(operation, _QUESTIONS) and not isinstance(error, _EVEN_WHEN_ASKED):
            return
        self._do.record_refusal(operation.path, self._actor(operation), error)

    def malformed(self, kind: type[ops.Operation], error: PKIError) -> None:
        """Record what is no such operation at all: our own fronts never ask so (THREATS T-15)."""
        self._do.record_refusal(kind.path, "unknown", error)

    def _actor(self, operation: ops.Operation) -> str:
        if not isinstance(operation, ops.OfficerOperation):
            return _ACTORS.get(type(operation), "customer")
        try:
            return self._do.sign_in.who(operation.session).person
        except PKIError:
            return "unknown"

    def sign_in(self, op: ops.SignIn) -> dict[str, Any]:
        token, officer = self._do.sign_in(op.challenge, op.assertion.to_assertion(), source=op.source)
        return {"token": token, "officer": officer_fields(officer)}

    def sign_out(self, op: ops.SignOut) -> dict[str, Any]:
        self._do.sign_in.out(op.session)
        return {}

    def note_look(self, op: ops.NoteLook) -> dict[str, Any]:
        self._do.note_look(op.session, op.customer, op.page)
        return {}

    def hand_out_codes(self, op: ops.HandOutCodes) -> dict[str, Any]:
        handed_out = self._do.hand_out(op.session, op.application, parse_hand_over(op.by))
        code = {} if handed_out.sent_to else {"authorization_code": shown(handed_out.authorization_code)}
        return code | {
            "reference_number": handed_out.reference,
            "expires_at": timestamp(handed_out.expires_at),
            "sent_to": list(handed_out.sent_to),
        }

    def hints(self, op: ops.EnrolmentHints) -> dict[str, Any]:
        hints = self._do.enrol.hints(op.reference, op.code)
        case = hints.application.case
        return {
            "profile": hints.profile.name,
            "subject": Name.from_list([list(pair) for pair in case.subject]).text,
            "device_serial": hints.token_serial or None,
            "key_algorithms": sorted(algorithm.value for algorithm in hints.profile.key_algorithms),
            "confirm": hints.profile.needs_confirmation,
        }

    def _issued(self, certificate: Certificate) -> dict[str, Any]:
        return {
            "certificate": encode_base64(certificate.der),
            "serial": serial_text(certificate.serial),
            "confirm": certificate.status is CertificateStatus.UNCONFIRMED,
        }

    def ca_certificates(self, _: ops.CACertificates) -> dict[str, Any]:
        with self._do.unit_of_work() as work:
            issuers = work.issuers.list()
        # The issuing CA before the root: only the issuing CA has an OCSP responder.
        ordered = sorted(issuers, key=lambda issuer: not issuer.ocsp_url)
        return {"certificates": [encode_base64(issuer.certificate_der) for issuer in ordered]}

    def certify_responder_key(self, op: ops.CertifyResponderKey) -> dict[str, Any]:
        certificate, issuer_der = self._do.certify_memory_key(op.public_key, op.proof)
        named = {"issuer": certificate.issuer, "issuer_certificate": encode_base64(issuer_der)}
        return named | {"certificate": encode_base64(certificate.der)}

    def show_history(self, op: ops.ShowHistory) -> dict[str, Any]:
        found = self._do.look_back(parse_serial(op.serial), parse_instant(op.at), longest=LONGEST_PROOF)
        return as_json(found)

    def run_job(self, op: ops.RunJob) -> dict[str, Any]:
        run = self._do.run_job(op.name, op.holder)
        if run is None:
            return {"ran": False}
        return {"ran": True, "ok": run.ok, "result": run.result}

    def record_sightings(self, op: ops.RecordSightings) -> dict[str, Any]:
        return {"recorded": self._do.record_sightings([_observation(message) for message in op.sightings])}
