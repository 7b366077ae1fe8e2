"""Registering a customer at a branch, and correcting what was registered (RFC 3647 section 3.2: who was identified, by
what document, by whom)."""

from dataclasses import dataclass, replace

from ca.domain.audit import AuditEvent
from ca.domain.customers import Customer, CustomerKind, require_phone
from ca.domain.errors import InvalidRequest, NotFound
from ca.domain.names import AlternativeName, verify_text
from ca.domain.officers import Officer, TrustedRole
from ca.ports import Clock, Random, UnitOfWork, Work
from ca.usecases.authorize import Authorize


@dataclass(frozen=True)
class RegisterCustomer:
    """An RA operator enters a customer who stands at the counter."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    authorize: Authorize

    def __call__(
        self,
        session: str,
        *,
        kind: str,
        number: str,
        name: str,
        document_number: str,
        email: str,
        company: str = "",
        phone: str = "",
    ) -> Customer:
        """Raise InvalidRequest when a field is not as it must be or the customer number is taken.

        `company`: customer number of the company whose administrator or operator a person is.
        """
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_OPERATOR, TrustedRole.RA_SUPERVISOR)
            customer = self.enter(
                work,
                officer,
                kind=kind,
                number=number,
                name=name,
                document_number=document_number,
                email=email,
                company=company,
                phone=phone,
            )
            work.commit()
        return customer

    def enter(  # noqa: PLR0913 - the fields of a customer, by name
        self,
        work: Work,
        officer: Officer,
        *,
        kind: str,
        number: str,
        name: str,
        document_number: str,
        email: str,
        company: str,
        phone: str,
    ) -> Customer:
        """Within a transaction of the caller. Raises InvalidRequest."""
        now = self.clock.now()
        number, name, document_number = (verify_text(text, 64) for text in (number, name, document_number))
        if email:
            AlternativeName("email", email)
        if work.customers.find_by_number(number) is not None:
            raise InvalidRequest(f"customer number {number} is registered already")
        customer = Customer(
            id=self.random(8).hex(),
            number=number,
            kind=_kind(kind),
            name=name,
            document_number=document_number,
            email=email,
            branch=officer.branch,
            registered_by=officer.person,
            registered_at=now,
            company=_company_id(work, officer, kind, company),
            phone=require_phone(phone) if phone else "",
        )
        work.customers.save(customer)
        work.audit.append(AuditEvent("customer.registered", customer.id, officer.person, now, {"kind": kind}))
        return customer


_CORRECTED = ("name", "document_number", "email", "phone")


@dataclass(frozen=True)
class CorrectCustomer:
    """An officer corrects the register by the document. Cases and certificates that exist stay as they are."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize

    def __call__(
        self, session: str, customer_id: str, *, name: str, document_number: str, email: str, phone: str
    ) -> Customer:
        """Raise InvalidRequest when a field is not as it must be, NotFound for another branch's customer."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_OPERATOR, TrustedRole.RA_SUPERVISOR)
            before = _at_branch(work, officer, customer_id)
            if email:
                AlternativeName("email", email)
            after = replace(
                before,
                name=verify_text(name, 64),
                document_number=verify_text(document_number, 64),
                email=email,
                phone=require_phone(phone) if phone else "",
            )
            changed = [field for field in _CORRECTED if getattr(before, field) != getattr(after, field)]
            if not changed:
                raise InvalidRequest("nothing is different from the register")
            work.customers.save(after)
            # Which fields, and not what they say: personal data stays out of the log.
            details = {"changed": ", ".join(changed)}
            work.audit.append(AuditEvent("customer.corrected", after.id, officer.person, now, details))
            work.commit()
        return after


def _at_branch(work: Work, officer: Officer, customer_id: str) -> Customer:
    try:
        customer = work.customers.get(customer_id)
    except NotFound as error:
        raise NotFound("there is no such customer at your branch") from error
    if customer.branch != officer.branch:
        raise NotFound("there is no such customer at your branch")
    return customer


def _company_id(work: Work, officer: Officer, kind: str, number: str) -> str:
    if not number:
        return ""
    company = work.customers.find_by_number(number)
    if company is None or company.kind is not CustomerKind.COMPANY or company.branch != officer.branch:
        raise InvalidRequest("there is no company with this customer number at your branch")
    if kind != CustomerKind.PERSON:
        raise InvalidRequest("only a person acts for a company")
    return company.id


def _kind(text: str) -> CustomerKind:
    try:
        return CustomerKind(text)
    except ValueError as error:
        raise InvalidRequest("a customer is a person, a company or a system") from error
