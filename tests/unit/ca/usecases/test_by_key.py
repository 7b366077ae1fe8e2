"""ca/usecases/by_key.py: a statement of the U-Shield is good for one act, at our origin, once (T-43, T-44)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, NotAuthenticated
from ca.domain.revocation import RevocationReason
from ca.domain.tool_jobs import LIFE, ToolOperation, statement
from ca.usecases.statements import REFUSED, Stated
from tests.fakes.bank import Bank, SoftKey, new_key
from tests.fakes.use_cases import ORIGIN, FakeNotify, portal_of

SIGN_IN, CANCEL = ToolOperation.SIGN_IN, ToolOperation.CANCEL


class Customer:
    """One with an active certificate and its key."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.notify, self.key = bank, FakeNotify(), new_key()
        self.portal = portal_of(bank, notify=self.notify)
        self.certificate = bank.active(key=self.key)
        self.order = bank.use_cases.order_tool_job

    def nonce(self, operation: ToolOperation) -> bytes:
        """Of a job that the bank signed."""
        self.order(operation.value, serial=f"{self.certificate.serial:x}" if operation is CANCEL else "")
        return next(reversed(self.bank.stored.challenges))[1]

    def state(
        self, operation: ToolOperation, nonce: bytes, *, key: SoftKey | None = None, origin: str = ORIGIN,
        certificate: Certificate | None = None,
    ) -> Stated:  # fmt: skip
        der = (certificate or self.certificate).der
        return Stated(der, nonce, (key or self.key).sign(statement(operation, origin, nonce, der)))

    def sign_in(self, stated: Stated) -> str:
        return self.portal.by_key.open_session(stated, source="192.0.2.1")[0]

    def cancel(self, stated: Stated) -> Certificate:
        return self.portal.by_key.cancel(stated, self.certificate.serial)

    def refused(self, stated: Stated, operation: ToolOperation = SIGN_IN) -> None:
        act = self.sign_in if operation is SIGN_IN else self.cancel
        with pytest.raises(NotAuthenticated, match=REFUSED):
            act(stated)
        assert self.bank.stored.customer_sessions == {}
        assert self.notify.told == []


@pytest.fixture
def customer(bank: Bank) -> Customer:
    return Customer(bank)


def test_a_statement_opens_a_session_without_any_password(customer: Customer) -> None:
    token = customer.sign_in(customer.state(SIGN_IN, customer.nonce(SIGN_IN)))

    who, account = customer.portal.sign_in.who(token)
    assert (who.id, account.password_mac) == (customer.certificate.customer, b"")
    event = customer.bank.unit_of_work.events[-1]
    assert (event.name, event.details["by"]) == ("customer.signed-in", f"{customer.certificate.serial:x}")


def test_a_statement_ends_the_certificate_at_once(customer: Customer) -> None:
    customer.cancel(customer.state(CANCEL, customer.nonce(CANCEL)))

    ended = customer.bank.certificate(customer.certificate.serial)
    assert ended.status is CertificateStatus.REVOKED
    assert ended.revocation is not None
    assert ended.revocation.reason is RevocationReason.CESSATION_OF_OPERATION
    assert customer.bank.published[-1] == ended.issuer
    assert len(customer.notify.told) == 1


def test_a_nonce_is_good_once_whatever_came_of_it(customer: Customer) -> None:
    nonce = customer.nonce(SIGN_IN)
    customer.refused(customer.state(SIGN_IN, nonce, key=new_key()))
    customer.refused(customer.state(SIGN_IN, nonce))


@pytest.mark.parametrize(("wait", "is_good"), [(LIFE, True), (LIFE + timedelta(seconds=1), False)])
def test_a_nonce_is_good_for_five_minutes(customer: Customer, wait: timedelta, *, is_good: bool) -> None:
    stated = customer.state(SIGN_IN, customer.nonce(SIGN_IN))
    customer.bank.clock.tick(wait)

    if is_good:
        customer.sign_in(stated)
    else:
        customer.refused(stated)


def test_what_another_origin_had_signed_is_of_no_use(customer: Customer) -> None:
    customer.refused(customer.state(SIGN_IN, customer.nonce(SIGN_IN), origin="https://evil.example"))


@pytest.mark.parametrize("operation", [SIGN_IN, CANCEL])
def test_a_statement_for_one_act_is_none_for_the_other(customer: Customer, operation: ToolOperation) -> None:
    other = CANCEL if operation is SIGN_IN else SIGN_IN
    customer.refused(customer.state(other, customer.nonce(operation)), operation)
    customer.refused(customer.state(operation, customer.nonce(other)), operation)


def test_a_nonce_nobody_gave_out_is_none(customer: Customer) -> None:
    customer.refused(customer.state(SIGN_IN, bytes(32)))


@pytest.mark.parametrize("which", ["on hold", "revoked", "expired", "unconfirmed", "of the CA", "unknown", "altered"])
def test_a_certificate_that_does_not_hold_signs_nobody_in(customer: Customer, which: str) -> None:
    nonce, bank, current = customer.nonce(SIGN_IN), customer.bank, customer.certificate
    shown, key = current, customer.key
    match which:
        case "on hold":
            bank.stored.certificates[current.serial] = current.suspend(at=bank.clock.now())
        case "revoked":
            bank.revoked(current)
        case "expired":
            bank.stored.certificates[current.serial] = replace(current, not_after=bank.clock.now() - timedelta(days=1))
        case "unconfirmed":
            key = new_key()
            shown = bank.issued(key=key)
        case "of the CA":
            bank.stored.certificates[current.serial] = replace(current, application="")
        case "unknown":
            del bank.stored.certificates[current.serial]
        case "altered":
            shown = replace(current, der=current.der[:-1] + bytes([current.der[-1] ^ 1]))
    customer.refused(customer.state(SIGN_IN, nonce, key=key, certificate=shown))


def test_a_certificate_that_somebody_put_into_the_records_is_none(customer: Customer) -> None:
    der = customer.certificate.der
    forged = replace(customer.certificate, der=der[:-1] + bytes([der[-1] ^ 1]))
    customer.bank.stored.certificates[forged.serial] = forged

    customer.refused(customer.state(SIGN_IN, customer.nonce(SIGN_IN), certificate=forged))


def test_a_certificate_on_hold_can_still_be_ended_by_its_key(customer: Customer) -> None:
    current = customer.certificate
    customer.bank.stored.certificates[current.serial] = current.suspend(at=customer.bank.clock.now())

    assert customer.cancel(customer.state(CANCEL, customer.nonce(CANCEL))).status is CertificateStatus.REVOKED


def test_the_certificate_that_was_shown_is_the_one_that_ends(customer: Customer) -> None:
    stated = customer.state(CANCEL, customer.nonce(CANCEL))

    with pytest.raises(InvalidRequest, match="another certificate"):
        customer.portal.by_key.cancel(stated, customer.certificate.serial + 1)
    assert customer.bank.status(customer.certificate.serial) is CertificateStatus.ACTIVE
