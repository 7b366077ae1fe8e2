"""A company's administrator as a small RA: applies for operators and holds their certificates (docs/adr/0030).

Which company is read from the certificate that began the session, and from the sealed case it answers; nothing that
comes along can name one. Each act is signed on the U-Shield over the text that its tool shows, and an officer of the
bank decides on every application as on any other. Another company's people are as unknown as people there are not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain.accounts import CancellationState
from ca.domain.applications import CAME_TO_NOTHING, Application, ApplicationState, Case
from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.codes import CodeState
from ca.domain.companies import (
    ADMINISTRATOR_PROFILE,
    MOST_OPEN_APPLICATIONS,
    OPERATOR_PROFILE,
    Asked,
    Operator,
    application_text,
    hold_text,
    new_number,
    require_number,
)
from ca.domain.customers import Customer, CustomerKind
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated, NotFound, SigningRefused
from ca.domain.notices import Notice
from ca.domain.profiles import Profile
from ca.domain.serials import parse_serial, serial_text
from ca.domain.tool_jobs import ToolOperation
from ca.portal_records import Notify
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.answered import answered_case
from ca.usecases.apply import HANDED_OUT, alternative_names_of, subject_of
from ca.usecases.cases import CASE_SEAL
from ca.usecases.dossier import Dossier
from ca.usecases.portal_sessions import AuthorizeCustomer
from ca.usecases.receipts import OpenReceipt
from ca.usecases.revoke import overtake_cancellation
from ca.usecases.statements import REFUSED, Stated, Statements
from ca.usecases.tool_jobs import OrderToolJob

ADMINISTRATOR = "company administrator"
"""The actor of their acts in the audit log; the event's details name the certificate."""
_NOT_ONE = "sign in with the U-Shield of a company's administrator to manage its operators"
_NO_OPERATOR = "your company has no such operator"
_NO_CERTIFICATE = "no operator of your company has such a certificate"
_ENDED = CAME_TO_NOTHING | {ApplicationState.COMPLETED}
_HOLDING = frozenset({CertificateStatus.ACTIVE})


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who acts, by a certificate that holds now."""

    certificate: Certificate
    case: Case
    customer: Customer
    company: Customer

    @property
    def company_name(self) -> str:
        """As certified: what the register says since is not what two officers approved."""
        return dict(self.case.subject)["organization"]


@dataclass(frozen=True, slots=True)
class OperatorView:
    """An operator as their administrator sees them."""

    customer: Customer
    certificates: Sequence[Certificate]
    application: Application | None
    reference: str
    """Of codes that wait; empty otherwise."""
    may_apply: bool
    """Whether the administrator may apply for them again."""
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class CompanyView:
    """The company, its operators, and its U-Shields that nobody uses yet."""

    name: str
    number: str
    operators: Sequence[OperatorView]
    free_devices: Sequence[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the administrator typed. `number`: of an operator there is, or the one that the order gave."""

    number: str
    name: str
    document_number: str
    email: str
    device_serial: str


@dataclass(frozen=True)
class CompanyDesk:
    """See, apply, hold: each after the same question who asks."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authorize: AuthorizeCustomer
    dossier: Dossier
    statements: Statements
    order_job: OrderToolJob
    profiles: Mapping[str, Profile]
    publish_changes: Callable[[str], None]
    open_receipt: OpenReceipt
    notify: Notify

    def show(self, token: str) -> CompanyView:
        """Raises NotAuthenticated, NotAllowed for whoever is no administrator now."""
        with self.unit_of_work() as work:
            who = self._administrator(work, token)
            people = [one for one in self._people(work, who) if self._is_operator(work, who, one)]
            handed = work.devices.list_by_customer(who.company.id)
            view = CompanyView(
                who.company_name,
                who.company.number,
                [self._view(work, who, one) for one in people],
                [one.serial for one in handed if one.state in HANDED_OUT and _is_free(work, one.serial, "")],
            )
            work.commit()
        return view

    def order_application(self, token: str, wanted: Wanted, *, language: str = "en") -> tuple[str, str]:
        """The tool's job and the operator's number. Raises NotFound, InvalidRequest, InvalidTransition."""
        with self.unit_of_work() as work:
            who = self._administrator(work, token)
            number = wanted.number or new_number(who.company.number, self.random(8))
            operator, _ = self._operator(work, who, wanted, number)
            self._require_possible(work, who, operator.number, wanted.device_serial)
            text = application_text(who.company_name, operator, wanted.device_serial)
            work.commit()
        serial = serial_text(who.certificate.serial)
        job = self.order_job(ToolOperation.COMPANY_APPLY.value, serial=serial, text=text, language=language)
        return job, operator.number

    def apply(self, token: str, wanted: Wanted, stated: Stated) -> Application:
        """The sealed case waits for an officer. Raises as `order_application`; NotAllowed for another signature."""
        self._take(ToolOperation.COMPANY_APPLY, stated)
        now = self.clock.now()
        with self.unit_of_work() as work:
            who = self._administrator(work, token)
            operator, known = self._operator(work, who, wanted, wanted.number)
            self._require_possible(work, who, operator.number, wanted.device_serial)
            text = application_text(who.company_name, operator, wanted.device_serial)
            self._require_signed(work, who, ToolOperation.COMPANY_APPLY, stated, text)
            person = known or self._register(work, who, operator)
            case = self._case(who, person, wanted.device_serial, stated)
            application = Application(case, ApplicationState.SUBMITTED, updated_at=now)
            work.applications.save(application, self.seals.seal(CASE_SEAL, case.sealed_fields()))
            by = serial_text(who.certificate.serial)
            details = {"profile": case.profile, "customer": person.id, "case": case.digest().hex(), "by": by}
            work.audit.append(AuditEvent("application.submitted", application.id, ADMINISTRATOR, now, details))
            self._record(work, who, "administrator.applied", application.id, stated)
            work.commit()
        self.notify(who.customer, who.certificate, Notice.COMPANY_APPLIED, name=person.name)
        return application

    def order_hold(self, token: str, serial: int, *, language: str = "en") -> str:
        """The job for the U-Shield tool. Raises NotFound for what is no operator's of the own company."""
        with self.unit_of_work() as work:
            who = self._administrator(work, token)
            certificate, case = self._certificate(work, who, serial)
            text = hold_text(who.company_name, case.customer_name, certificate.serial)
            work.commit()
        own = serial_text(who.certificate.serial)
        return self.order_job(ToolOperation.COMPANY_HOLD.value, serial=own, text=text, language=language)

    def hold(self, token: str, serial: int, stated: Stated) -> Certificate:
        """On hold at once; only the branch releases it. Raises as `order_hold`, InvalidTransition."""
        self._take(ToolOperation.COMPANY_HOLD, stated)
        now = self.clock.now()
        with self.unit_of_work() as work:
            who = self._administrator(work, token)
            current, case = self._certificate(work, who, serial)
            text = hold_text(who.company_name, case.customer_name, serial)
            self._require_signed(work, who, ToolOperation.COMPANY_HOLD, stated, text)
            customer = work.customers.get(case.customer)
            by = {"why": "held by the company's administrator", "by": serial_text(who.certificate.serial)}
            if current.status is CertificateStatus.ON_HOLD and _is_cancelled(work, serial):
                # The operator could undo that by password: from now on only the bank lifts the hold.
                overtake_cancellation(work, serial)
                held = current
                work.audit.append(AuditEvent("cancellation.overtaken", serial_text(serial), ADMINISTRATOR, now, by))
            else:
                held = current.suspend(at=now)
                work.certificates.save(held)
                work.crls.set_due(held.issuer, due=True)
                work.audit.append(AuditEvent("certificate.held", serial_text(serial), ADMINISTRATOR, now, by))
                self.open_receipt(work, held)
            self._record(work, who, "administrator.held", serial_text(serial), stated)
            work.commit()
        self.publish_changes(held.issuer)
        self.notify(customer, held, Notice.COMPANY_HELD)
        self.notify(who.customer, who.certificate, Notice.COMPANY_USED_TO_HOLD, name=case.customer_name)
        return held

    # Who asks

    def _administrator(self, work: Work, token: str) -> Administrator:
        """Raises NotAuthenticated without a session, NotAllowed for whoever is no administrator at this moment."""
        session = self.authorize.live(work, token)
        if not session.by:
            raise NotAllowed(_NOT_ONE)
        try:
            certificate = work.certificates.get(parse_serial(session.by))
            case = answered_case(work, self.seals, certificate)
            self.dossier.require_approved(work, certificate.application, renewal=True)
            company = work.customers.get(case.company)
        except (InvalidRequest, NotFound, NotAuthenticated, SigningRefused) as error:
            raise NotAllowed(_NOT_ONE) from error
        holds = certificate.status in _HOLDING and not certificate.is_expired(self.clock.now())
        if case.profile != ADMINISTRATOR_PROFILE or case.customer != session.customer or not holds:
            raise NotAllowed(_NOT_ONE)
        return Administrator(certificate, case, work.customers.get(case.customer), company)

    def _take(self, operation: ToolOperation, stated: Stated) -> None:
        try:
            self.statements.take(operation, stated)
        except NotAuthenticated as error:
            # 401 would say that the session is over, and it is not.
            raise NotAllowed(REFUSED) from error

    def _require_signed(
        self, work: Work, who: Administrator, operation: ToolOperation, stated: Stated, text: str
    ) -> None:  # fmt: skip
        try:
            signed_by = self.statements.proved(work, operation, stated, _HOLDING, text=text)
        except NotAuthenticated as error:
            raise NotAllowed(REFUSED) from error
        if signed_by.serial != who.certificate.serial:
            raise NotAllowed(REFUSED)

    def _record(self, work: Work, who: Administrator, name: str, what: str, stated: Stated) -> None:
        """The signature as evidence, in the log that nothing is taken out of."""
        details = {"of": what, "nonce": stated.nonce.hex(), "signature": stated.signature.hex()}
        serial = serial_text(who.certificate.serial)
        work.audit.append(AuditEvent(name, serial, ADMINISTRATOR, self.clock.now(), details))

    # For whom

    def _operator(
        self, work: Work, who: Administrator, wanted: Wanted, number: str
    ) -> tuple[Operator, Customer | None]:  # fmt: skip
        known = work.customers.find_by_number(number)
        if known is None:
            try:
                require_number(who.company.number, number)
            except InvalidRequest as error:
                raise NotFound(_NO_OPERATOR) from error
            return Operator(number, wanted.name, wanted.document_number, wanted.email), None
        if not self._is_operator(work, who, known):
            raise NotFound(_NO_OPERATOR)
        # What the register says; the name of somebody there is does not change here.
        return Operator.of(known), known

    def _people(self, work: Work, who: Administrator) -> Sequence[Customer]:
        return work.customers.list_by_company(who.company.id)

    def _is_operator(self, work: Work, who: Administrator, person: Customer) -> bool:
        if person.company != who.company.id or person.id == who.customer.id:
            return False
        return all(one.case.profile == OPERATOR_PROFILE for one in work.applications.list_by_customer(person.id))

    def _require_possible(self, work: Work, who: Administrator, number: str, device_serial: str) -> None:
        people = self._people(work, who)
        applications = {one.number: work.applications.list_by_customer(one.id) for one in people}
        waiting = [one for each in applications.values() for one in each if one.state is ApplicationState.SUBMITTED]
        if len(waiting) >= MOST_OPEN_APPLICATIONS:
            raise InvalidTransition(f"{len(waiting)} applications of your company wait; let the bank decide first")
        certificates = [one for each in people if each.number == number for one in self._certificates(work, who, each)]
        if objection := self._objection(applications.get(number, ()), certificates):
            raise InvalidTransition(objection)
        device = work.devices.find(device_serial)
        in_hand = device is not None and device.customer == who.company.id and device.state in HANDED_OUT
        if not in_hand or not _is_free(work, device_serial, number):
            raise InvalidRequest("choose a U-Shield that your branch handed to your company and that nobody else uses")

    def _objection(self, applications: Sequence[Application], certificates: Sequence[Certificate]) -> str:
        """Why nobody applies for this operator now; empty when nothing is in the way."""
        if any(one.state not in _ENDED for one in applications):
            return "an application for this operator is open already; your branch goes on with it"
        if any(one.status in _LIVE and not one.is_expired(self.clock.now()) for one in certificates):
            return "this operator has a certificate that holds; they renew it themselves"
        return ""

    def _certificates(self, work: Work, who: Administrator, person: Customer) -> list[Certificate]:
        """Those that this company's cases were issued for, the youngest first."""
        found = reversed(work.certificates.list_by_customer(person.id))
        return [one for one in found if self._case_within(work, who, one) is not None]

    def _case_within(self, work: Work, who: Administrator, certificate: Certificate) -> Case | None:
        try:
            case = answered_case(work, self.seals, certificate)
        except (NotFound, NotAuthenticated, SigningRefused):
            return None
        return case if case.company == who.company.id and case.profile == OPERATOR_PROFILE else None

    def _certificate(self, work: Work, who: Administrator, serial: int) -> tuple[Certificate, Case]:
        try:
            certificate = work.certificates.get(serial)
        except NotFound as error:
            raise NotFound(_NO_CERTIFICATE) from error
        case = self._case_within(work, who, certificate)
        if case is None:
            raise NotFound(_NO_CERTIFICATE)
        return certificate, case

    def _view(self, work: Work, who: Administrator, person: Customer) -> OperatorView:
        applications, certificates = (
            work.applications.list_by_customer(person.id),
            self._certificates(work, who, person),
        )
        newest = next(iter(applications), None)
        pair = work.codes.find_for_application(newest.id) if newest else None
        now = self.clock.now()
        waits = pair is not None and pair.state is CodeState.OPEN and pair.is_usable(now)
        reference = pair.reference if pair is not None and waits else ""
        may_apply = not self._objection(applications, certificates)
        return OperatorView(person, certificates, newest, reference, may_apply, now)

    # What is written

    def _register(self, work: Work, who: Administrator, operator: Operator) -> Customer:
        person = Customer(
            id=self.random(8).hex(),
            number=operator.number,
            kind=CustomerKind.PERSON,
            name=operator.name,
            document_number=operator.document_number,
            email=operator.email,
            branch=who.case.branch,
            registered_by=_maker(who),
            registered_at=self.clock.now(),
            company=who.company.id,
        )
        work.customers.save(person)
        details = {"kind": person.kind.value, "company": who.company.id, "by": serial_text(who.certificate.serial)}
        work.audit.append(AuditEvent("customer.registered", person.id, ADMINISTRATOR, person.registered_at, details))
        return person

    def _case(self, who: Administrator, person: Customer, device_serial: str, stated: Stated) -> Case:
        profile = self.profiles[OPERATOR_PROFILE]
        branch = who.case.branch
        return Case(
            application=self.random(8).hex(),
            version=1,
            profile=profile.name,
            profile_digest=profile.digest,
            customer=person.id,
            customer_number=person.number,
            customer_name=person.name,
            document_number=person.document_number,
            subject=subject_of(
                profile, person, device_serial=device_serial, branch=branch, company_name=who.company_name
            ),
            alternative_names=alternative_names_of(profile, person),
            device_serial=device_serial,
            validity=profile.validity,
            branch=branch,
            maker_person=_maker(who),
            maker_name=f"{who.customer.name} ({ADMINISTRATOR} of {who.company_name})",
            submitted_at=self.clock.now(),
            company=who.company.id,
            asked=Asked(serial_text(who.certificate.serial), person.email, stated.nonce.hex(), stated.signature.hex()),
        )


_LIVE = frozenset({CertificateStatus.ACTIVE, CertificateStatus.UNCONFIRMED})


def _maker(who: Administrator) -> str:
    """Never an officer's person number: those have no blank."""
    return f"customer {who.customer.id}"


def _is_free(work: Work, device_serial: str, number: str) -> bool:
    """Whether nobody but this operator uses, or may come to use, the U-Shield."""
    named = work.applications.list_by_device(device_serial)
    return not any(one.needs_its_device and one.case.customer_number != number for one in named)


def _is_cancelled(work: Work, serial: int) -> bool:
    found = work.cancellations.find(serial)
    return found is not None and found.state is CancellationState.OPEN
