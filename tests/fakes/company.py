"""A company with an administrator who was certified at the counter, and who signs with the U-Shield."""

from dataclasses import dataclass

from ca.domain.applications import Application
from ca.domain.certificates import Certificate
from ca.domain.companies import ADMINISTRATOR_PROFILE, Operator, application_text, hold_text
from ca.domain.tool_jobs import ToolOperation, statement
from ca.usecases.company_desk import Wanted
from ca.usecases.statements import Stated
from tests.drafts import a_request
from tests.fakes.bank import MARIA, Bank, Codes, SoftKey, new_key
from tests.fakes.use_cases import ORIGIN, FakeNotify, portal_of

NAME = "Harbour Trading Ltd"
APPLY, HOLD = ToolOperation.COMPANY_APPLY, ToolOperation.COMPANY_HOLD


@dataclass(frozen=True)
class Signed:
    """What is sent to apply."""

    wanted: Wanted
    stated: Stated


class Company:
    """Everything goes through the use cases."""

    def __init__(self, bank: Bank, *, number: str = "C1", name: str = NAME, maker: str = MARIA) -> None:
        self.bank, self.number, self.name, self.notify, self.maker = bank, number, name, FakeNotify(), maker
        self.portal = portal_of(bank, notify=self.notify)
        self.desk = self.portal.desk
        self.id = bank.customer(kind="company", number=number, name=name, maker=maker)
        self.key = new_key()
        self.person = bank.customer(name="Anna Lee", company=number, maker=maker)
        self.certificate = self.certified(self.person, ADMINISTRATOR_PROFILE, self.key)
        self.session = self.signed_in()

    def certified(self, person: str, profile: str, key: SoftKey) -> Certificate:
        """At the counter, by two officers."""
        application = self.bank.submitted(profile=profile, customer=person, maker=self.maker)
        self.bank.approve(application)
        return self.bank.confirmed(self.bank.download(self.bank.codes(application), a_request(key)), key)

    def certify_again(self) -> None:
        """The administrator's certificate has ended; the branch applies for another."""
        self.key = new_key()
        self.certificate = self.certified(self.person, ADMINISTRATOR_PROFILE, self.key)
        self.session = self.signed_in()

    def signed_in(self, certificate: Certificate | None = None, key: SoftKey | None = None) -> str:
        """By U-Shield."""
        self.bank.use_cases.order_tool_job("sign-in")
        stated = self.stated(ToolOperation.SIGN_IN, "", certificate=certificate, key=key)
        return self.portal.by_key.open_session(stated, source="192.0.2.1")[0]

    def nonce(self) -> bytes:
        """Of the job that was signed last."""
        return next(reversed(self.bank.stored.challenges))[1]

    def stated(
        self,
        operation: ToolOperation,
        text: str,
        *,
        certificate: Certificate | None = None,
        key: SoftKey | None = None,
        origin: str = ORIGIN,
        nonce: bytes = b"",
    ) -> Stated:
        """What the tool answers."""
        der, nonce = (certificate or self.certificate).der, nonce or self.nonce()
        return Stated(der, nonce, (key or self.key).sign(statement(operation, origin, nonce, der, text)))

    def handed(self) -> str:
        """A U-Shield that the branch gave to the company."""
        session = self.bank.session(self.maker)
        return self.portal.hand_device(session, number=self.number, serial=self.bank.device(maker=self.maker)).serial

    def wanted(self, *, number: str = "", name: str = "Li Qiang", device: str = "") -> Wanted:
        return Wanted(number, name, "ID77", "li@harbour.example", device or self.handed())

    def ordered(self, wanted: Wanted) -> Signed:
        """Ordered, and signed by the administrator."""
        _job, number = self.desk.order_application(self.session, wanted)
        full = Wanted(number, wanted.name, wanted.document_number, wanted.email, wanted.device_serial)
        operator = Operator(full.number, full.name, full.document_number, full.email)
        text = application_text(self.name, operator, full.device_serial)
        return Signed(full, self.stated(APPLY, text))

    def applied(self, wanted: Wanted | None = None) -> Application:
        signed = self.ordered(wanted or self.wanted())
        return self.desk.apply(self.session, signed.wanted, signed.stated)

    def operator(self, wanted: Wanted | None = None) -> Certificate:
        """An active certificate of an operator whom the administrator applied for."""
        application = self.applied(wanted)
        self.bank.approve(application.id)
        key, codes = new_key(), self.codes(application)
        return self.bank.confirmed(self.bank.download(codes, a_request(key)), key)

    def codes(self, application: Application) -> Codes:
        return self.bank.codes(application.id)

    def held(self, certificate: Certificate) -> Certificate:
        self.desk.order_hold(self.session, certificate.serial)
        return self.desk.hold(self.session, certificate.serial, self.hold_statement(certificate))

    def hold_statement(self, certificate: Certificate) -> Stated:
        case = self.bank.application(certificate.application).case
        return self.stated(HOLD, hold_text(self.name, case.customer_name, certificate.serial))
