"""ca/usecases/company_desk.py: a company's administrator as a small RA (docs/adr/0030)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.certificates import CertificateStatus
from ca.domain.companies import OPERATOR_PROFILE
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotFound,
    PKIError,
)
from ca.usecases.company_desk import Wanted
from tests.drafts import a_request
from tests.fakes.bank import MARIA, PAVEL, SUPERVISOR, Bank, new_key, request_like
from tests.fakes.company import NAME, Company


@pytest.fixture
def company(bank: Bank) -> Company:
    return Company(bank)


# What an administrator does


def test_an_operator_is_applied_for_approved_by_an_officer_and_certified(company: Company, bank: Bank) -> None:
    certificate = company.operator()

    case = bank.application(certificate.application).case
    assert certificate.status is CertificateStatus.ACTIVE
    assert dict(case.subject)["organization"] == NAME
    assert dict(case.subject)["common_name"] == "Li Qiang"
    assert (case.profile, case.company, case.branch) == (OPERATOR_PROFILE, company.id, "pudong")
    assert case.asked is not None
    assert case.asked.administrator == f"{company.certificate.serial:x}"
    assert "company administrator of Harbour Trading Ltd" in case.maker_name
    assert company.notify.told == [
        (company.person, company.certificate.serial, "It was used to apply for a certificate for Li Qiang.")
    ]
    applied = next(one for one in bank.unit_of_work.events if one.name == "administrator.applied")
    assert (applied.subject, applied.actor) == (f"{company.certificate.serial:x}", "company administrator")
    assert applied.details["signature"] == case.asked.signature


def test_what_an_administrator_enters_waits_for_an_officer(company: Company, bank: Bank) -> None:
    application = company.applied()

    assert application.state is ApplicationState.SUBMITTED
    with pytest.raises(PKIError):
        bank.hand_out(bank.session(MARIA), application.id)


def test_an_operators_certificate_is_held_at_once_and_only_the_bank_releases_it(company: Company, bank: Bank) -> None:
    certificate = company.operator()
    company.notify.told.clear()

    company.held(certificate)

    assert bank.status(certificate.serial) is CertificateStatus.ON_HOLD
    assert bank.published[-1] == certificate.issuer
    assert [(who, serial) for who, serial, _ in company.notify.told] == [
        (certificate.customer, certificate.serial),
        (company.person, company.certificate.serial),
    ]
    assert {"certificate.held", "administrator.held"} <= set(bank.event_names)
    bank.change_status.release(bank.session(SUPERVISOR), certificate.serial)
    assert bank.status(certificate.serial) is CertificateStatus.ACTIVE


def test_a_hold_outweighs_the_operators_own_cancellation(company: Company, bank: Bank) -> None:
    key = new_key()
    application = company.applied()
    bank.approve(application.id)
    certificate = bank.confirmed(bank.download(company.codes(application), a_request(key)), key)
    operator = company.signed_in(certificate, key)
    company.portal.own.cancel(operator, certificate.serial)

    company.held(certificate)

    with pytest.raises(InvalidTransition):
        company.portal.own.undo(operator, certificate.serial)
    assert bank.status(certificate.serial) is CertificateStatus.ON_HOLD


def test_the_page_shows_operators_their_reference_and_free_u_shields(company: Company) -> None:
    free, device = company.handed(), company.handed()
    application = company.applied(company.wanted(device=device))
    company.bank.approve(application.id)
    before = company.desk.show(company.session).operators[0].reference
    codes = company.codes(application)

    view = company.desk.show(company.session)

    (operator,) = view.operators
    assert (view.name, view.number, view.free_devices) == (NAME, "C1", [free])
    assert (operator.customer.name, operator.certificates) == ("Li Qiang", [])
    assert (before, operator.reference) == ("", codes.reference)


def test_an_operator_whose_certificate_ended_is_applied_for_again(company: Company, bank: Bank) -> None:
    old = company.operator()
    case = bank.application(old.application).case
    again = Wanted(case.customer_number, "", "", "", case.device_serial)
    with pytest.raises(InvalidTransition, match="holds"):
        company.desk.order_application(company.session, again)
    bank.clock.set(old.not_after + timedelta(days=1))
    company.certify_again()

    application = company.applied(replace(again, name=case.customer_name, document_number="ID77",
                                          email="li@harbour.example"))  # fmt: skip
    bank.approve(application.id)
    key = new_key()
    new = bank.confirmed(bank.download(company.codes(application), a_request(key)), key)

    assert (new.customer, new.status) == (old.customer, CertificateStatus.ACTIVE)


def test_an_operator_renews_without_the_administrator(company: Company, bank: Bank) -> None:
    old = company.operator()
    bank.clock.set(old.not_after - timedelta(days=80))

    key = new_key()
    new = bank.confirmed(bank.re_enrol(old.der, request_like(old.der, key)), key)

    assert new.status is CertificateStatus.ACTIVE
    assert bank.certificate(old.serial).status is CertificateStatus.REVOKED


def test_after_the_end_nobody_renews_by_key(company: Company, bank: Bank) -> None:
    operator = company.operator()
    for certificate in (operator, company.certificate):
        bank.clock.set(certificate.not_after + timedelta(seconds=1))
        with pytest.raises(PKIError, match="until"):
            bank.re_enrol(certificate.der, request_like(certificate.der, new_key()))


# At the branch


@pytest.mark.parametrize(("company", "kind"), [("C1", "company"), ("none", "person"), ("P1", "person")])
def test_only_a_person_acts_for_a_company_there_is(bank: Bank, company: str, kind: str) -> None:
    bank.customer(kind="company", number="C1")
    bank.customer(number="P1")

    with pytest.raises(InvalidRequest):
        bank.customer(kind=kind, company=company)


def test_a_person_without_a_company_gets_no_certificate_of_one(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="company_name"):
        bank.submitted(profile="company-administrator")


def test_u_shields_are_handed_to_companies_of_the_branch_from_its_stock(company: Company, bank: Bank) -> None:
    hand, session = company.portal.hand_device, bank.session(MARIA)
    person = bank.customer()
    private = bank.stored.customers[person].number
    for number, serial, error in (
        ("C1", "none", InvalidRequest),
        ("C1", company.handed(), InvalidRequest),
        (private, bank.device(), InvalidRequest),
        ("none", bank.device(), NotFound),
    ):
        with pytest.raises(error):
            hand(session, number=number, serial=serial)


def test_a_rejected_application_leaves_the_u_shield_with_the_company(company: Company, bank: Bank) -> None:
    application = company.applied()

    bank.decide.reject(bank.session(PAVEL), application.id, reason="no such employee")

    (operator,) = company.desk.show(company.session).operators
    assert operator.application is not None
    assert operator.application.reason == "no such employee"
    assert company.desk.show(company.session).free_devices == [application.case.device_serial]
