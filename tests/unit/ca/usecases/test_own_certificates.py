"""ca/usecases/own_certificates.py: a password holds, a day ends, nobody touches what is not theirs (T-16, T-45)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.accounts import CancellationState
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidTransition, NotAuthenticated, NotFound
from ca.domain.policy import USUAL
from ca.domain.revocation import RevocationReason
from tests.fakes.bank import HOTLINE, MARIA, SUPERVISOR, Bank
from tests.fakes.use_cases import FakeNotify, portal_of

PASSWORD = "correct horse battery"
HELD, ACTIVE, REVOKED = CertificateStatus.ON_HOLD, CertificateStatus.ACTIVE, CertificateStatus.REVOKED


class Customer:
    """One with an active certificate, signed in."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.notify = bank, FakeNotify()
        self.portal = portal_of(bank, notify=self.notify)
        self.own = self.portal.own
        self.certificate = bank.active()
        self.token = self.sign_in(self.certificate)

    def sign_in(self, certificate: Certificate) -> str:
        customer = self.bank.stored.customers[certificate.customer]
        code = self.portal.letters(self.bank.session(MARIA), customer.number).code
        self.portal.sign_in.open(customer.number, code, PASSWORD)
        return self.portal.sign_in(customer.number, PASSWORD, source="192.0.2.1")[0]

    @property
    def serial(self) -> int:
        return self.certificate.serial

    @property
    def status(self) -> CertificateStatus:
        return self.bank.status(self.serial)

    @property
    def cancellation(self) -> CancellationState:
        return self.bank.stored.cancellations[self.serial].state

    def wait(self, how_long: timedelta) -> None:
        self.bank.clock.tick(how_long)

    def again(self) -> str:
        """The session is long over by now."""
        return self.sign_in(self.certificate)


@pytest.fixture
def customer(bank: Bank) -> Customer:
    return Customer(bank)


def test_customers_are_told_when_a_certificates_time_is_over(customer: Customer) -> None:
    assert [one.is_expired for one in customer.own.list(customer.token)[1]] == [False]
    customer.bank.clock.set(customer.certificate.not_after + timedelta(seconds=1))

    assert [one.is_expired for one in customer.own.list(customer.again())[1]] == [True]


def test_customers_are_told_which_u_shields_are_theirs(customer: Customer, bank: Bank) -> None:
    other = bank.active()
    own = customer.certificate.device_serial

    assert own != other.device_serial
    assert customer.own.list_devices(customer.token) == [own]
    (device,) = (one for one in bank.stored.devices.values() if one.serial == own)
    bank.stored.devices[device.id] = replace(device, state=DeviceState.LOST)
    assert customer.own.list_devices(customer.token) == []
    with pytest.raises(NotAuthenticated):
        customer.own.list_devices("another")


def test_customers_see_their_own_certificates_and_no_others(customer: Customer) -> None:
    other = customer.bank.active()

    shown, listed = customer.own.list(customer.token)

    assert shown.id == customer.certificate.customer
    assert [one.certificate.serial for one in listed] == [customer.serial]
    assert other.customer != shown.id


def test_a_lost_ushield_stops_its_certificate_at_once(customer: Customer) -> None:
    customer.own.report_lost(customer.token, customer.serial)

    assert customer.status is HELD
    assert customer.bank.published[-1] == customer.certificate.issuer
    event = customer.bank.unit_of_work.events[-1]
    assert (event.name, event.actor, event.details["why"]) == ("certificate.held", "customer", "U-Shield lost")
    assert [(to, serial) for to, serial, _ in customer.notify.told] == [
        (customer.certificate.customer, customer.serial)
    ]
    with pytest.raises(InvalidTransition):
        customer.own.undo(customer.token, customer.serial)


def test_a_cancellation_holds_at_once_and_ends_the_certificate_a_day_later(customer: Customer) -> None:
    cancellation = customer.own.cancel(customer.token, customer.serial)
    held_at = customer.bank.clock.now()
    assert (customer.status, cancellation.due_at) == (HELD, held_at + USUAL.cancellation_undo)

    customer.wait(USUAL.cancellation_undo - timedelta(seconds=1))
    assert (customer.own.finish_cancellations(), customer.status) == (0, HELD)
    customer.wait(timedelta(seconds=1))
    assert (customer.own.finish_cancellations(), customer.status) == (1, REVOKED)
    assert customer.own.finish_cancellations() == 0

    ended = customer.bank.certificate(customer.serial).revocation
    assert ended is not None
    assert (ended.reason, ended.revoked_at) == (RevocationReason.CESSATION_OF_OPERATION, held_at)
    assert customer.cancellation is CancellationState.DONE
    assert len(customer.notify.told) == 2


def test_a_cancellation_can_be_undone_for_a_day(customer: Customer) -> None:
    customer.own.cancel(customer.token, customer.serial)
    (one,) = customer.own.list(customer.token)[1]
    assert one.cancellation is not None
    customer.own.undo(customer.token, customer.serial)

    assert (customer.status, customer.cancellation) == (ACTIVE, CancellationState.UNDONE)
    customer.wait(2 * USUAL.cancellation_undo)
    assert (customer.own.finish_cancellations(), customer.status) == (0, ACTIVE)
    (one,) = customer.own.list(customer.again())[1]
    assert one.cancellation is None


def test_after_the_day_it_cannot_be_undone_even_before_the_job_ran(customer: Customer) -> None:
    customer.own.cancel(customer.token, customer.serial)
    customer.wait(USUAL.cancellation_undo)

    with pytest.raises(InvalidTransition):
        customer.own.undo(customer.again(), customer.serial)


def test_what_the_branch_did_meanwhile_outweighs_a_cancellation(customer: Customer) -> None:
    customer.own.cancel(customer.token, customer.serial)
    customer.bank.change_status.release(customer.bank.session(SUPERVISOR), customer.serial)
    customer.wait(USUAL.cancellation_undo)

    assert (customer.own.finish_cancellations(), customer.status) == (0, ACTIVE)
    assert customer.cancellation is CancellationState.OVERTAKEN
    assert customer.bank.event_names[-1] == "cancellation.overtaken"


def test_an_officers_hold_outweighs_a_cancellation_so_that_the_password_cannot_lift_it(customer: Customer) -> None:
    customer.own.cancel(customer.token, customer.serial)
    customer.bank.change_status.hold(customer.bank.session(HOTLINE), customer.serial)

    assert (customer.status, customer.cancellation) == (HELD, CancellationState.OVERTAKEN)
    assert customer.bank.event_names[-1] == "cancellation.overtaken"
    with pytest.raises(InvalidTransition):
        customer.own.undo(customer.token, customer.serial)
    with pytest.raises(InvalidTransition):
        customer.bank.change_status.hold(customer.bank.session(HOTLINE), customer.serial)
    customer.wait(USUAL.cancellation_undo)
    assert (customer.own.finish_cancellations(), customer.status) == (0, HELD)


def test_lost_outweighs_cancelled_so_that_a_thief_with_the_password_cannot_undo_it(customer: Customer) -> None:
    customer.own.cancel(customer.token, customer.serial)
    customer.own.report_lost(customer.token, customer.serial)

    assert (customer.status, customer.cancellation) == (HELD, CancellationState.OVERTAKEN)
    with pytest.raises(InvalidTransition):
        customer.own.undo(customer.token, customer.serial)
    customer.wait(USUAL.cancellation_undo)
    assert (customer.own.finish_cancellations(), customer.status) == (0, HELD)


@pytest.mark.parametrize("act", ["report_lost", "cancel", "undo"])
@pytest.mark.parametrize("which", ["another customer's", "of the CA", "unknown"])
def test_nobody_touches_what_is_not_theirs(customer: Customer, act: str, which: str) -> None:
    other = customer.bank.active()
    if which == "of the CA":
        own = replace(other, application="", customer=customer.certificate.customer)
        customer.bank.stored.certificates[other.serial] = own
    serial = 1 if which == "unknown" else other.serial

    with pytest.raises(NotFound, match="you have no such certificate"):
        getattr(customer.own, act)(customer.token, serial)

    assert customer.bank.status(other.serial) is ACTIVE


@pytest.mark.parametrize("act", ["report_lost", "cancel", "undo"])
def test_without_a_session_nothing_is_done(customer: Customer, act: str) -> None:
    with pytest.raises(NotAuthenticated):
        getattr(customer.own, act)("none", customer.serial)

    assert customer.status is ACTIVE


def test_a_revoked_certificate_stays_revoked(customer: Customer) -> None:
    customer.bank.revoked(customer.certificate)

    for act in (customer.own.report_lost, customer.own.cancel, customer.own.undo):
        with pytest.raises(InvalidTransition):
            act(customer.token, customer.serial)
    assert customer.status is REVOKED


def test_the_history_tells_what_happened_the_youngest_first_and_only_their_own(customer: Customer) -> None:
    other = customer.bank.active()
    customer.own.report_lost(customer.token, customer.serial)

    history = customer.own.history(customer.token)
    names = [event.name for event in history]
    assert names[0] == "certificate.held"
    assert not [name for name in names if name.startswith("receipt.")]
    assert {"customer.signed-in", "account.opened", "certificate.issued", "application.approved"} <= set(names)
    assert not {f"{other.serial:x}", other.application, other.customer} & {event.subject for event in history}
