"""ca/usecases/company_desk.py: a company's administrator as never more than that, nor beyond the company."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.companies import MOST_OPEN_APPLICATIONS, OPERATOR_PROFILE, hold_text
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotFound,
    PKIError,
    SigningRefused,
    Tampered,
)
from ca.domain.revocation import RevocationReason
from ca.domain.tool_jobs import LIFE, ToolOperation
from ca.usecases.company_desk import Wanted
from tests.drafts import a_request
from tests.fakes.bank import MARIA, Bank, new_key, request_like
from tests.fakes.company import APPLY, HOLD, NAME, Company


@pytest.fixture
def company(bank: Bank) -> Company:
    return Company(bank)


def nothing_was_asked(company: Company) -> None:
    assert not [one for one, _ in company.bank.stored.applications.values() if one.case.asked]


# Who is no administrator


def on_hold(company: Company) -> None:
    company.bank.change_status.hold(company.bank.session(MARIA), company.certificate.serial)


def revoked(company: Company) -> None:
    company.bank.revoked(company.certificate, RevocationReason.CESSATION_OF_OPERATION)


def expired(company: Company) -> None:
    # Only the certificate: the session itself would be over long before.
    kept = company.bank.stored.certificates
    kept[company.certificate.serial] = replace(company.certificate, not_after=company.bank.clock.now())
    company.bank.clock.tick()


def unconfirmed(company: Company) -> None:
    kept = company.bank.stored.certificates
    kept[company.certificate.serial] = replace(company.certificate, status=CertificateStatus.UNCONFIRMED)


def by_password(company: Company) -> None:
    company.session = password_session(company)


def password_session(company: Company) -> str:
    letter = company.portal.letters(company.bank.session(MARIA), customer_number(company))
    company.portal.sign_in.open(letter.number, letter.code, "red paste on quiet paper")
    return company.portal.sign_in(letter.number, "red paste on quiet paper", source="192.0.2.1")[0]


def customer_number(company: Company) -> str:
    return company.bank.stored.customers[company.person].number


def as_operator(company: Company) -> None:
    key = new_key()
    person = company.bank.customer(name="Li Qiang", company=company.number)
    company.session = company.signed_in(company.certified(person, OPERATOR_PROFILE, key), key)


def as_private_person(company: Company) -> None:
    key = new_key()
    company.session = company.signed_in(company.bank.active(key=key), key)


@pytest.mark.parametrize("spoil", [on_hold, revoked, expired, unconfirmed, by_password, as_operator, as_private_person])
def test_whoever_is_no_administrator_now_can_do_nothing(company: Company, spoil: Callable[[Company], None]) -> None:
    operator = company.operator()
    signed = company.ordered(company.wanted(name="Zhao Min"))
    statement = company.stated(HOLD, hold_text(NAME, "Li Qiang", operator.serial), nonce=hold_nonce(company, operator))
    spoil(company)
    applications = len(company.bank.stored.applications)

    desk, session = company.desk, company.session
    for act in (
        lambda: desk.show(session),
        lambda: desk.order_application(session, signed.wanted),
        lambda: desk.apply(session, signed.wanted, signed.stated),
        lambda: desk.order_hold(session, operator.serial),
        lambda: desk.hold(session, operator.serial, statement),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert company.bank.status(operator.serial) is CertificateStatus.ACTIVE
    assert len(company.bank.stored.applications) == applications


def hold_nonce(company: Company, certificate: Certificate) -> bytes:
    company.desk.order_hold(company.session, certificate.serial)
    return company.nonce()


def test_a_session_written_into_the_database_makes_nobody_an_administrator(company: Company) -> None:
    by_password(company)
    kept = company.bank.stored.customer_sessions
    for token_hash, (session, seal) in list(kept.items()):
        kept[token_hash] = (replace(session, by=f"{company.certificate.serial:x}"), seal)

    with pytest.raises(Tampered):
        company.desk.show(company.session)


def test_a_certificate_pointed_to_another_case_makes_nobody_an_administrator(company: Company) -> None:
    as_operator(company)
    kept = company.bank.stored.certificates
    for serial, one in list(kept.items()):
        kept[serial] = replace(one, application=company.certificate.application, profile="company-administrator")

    with pytest.raises(NotAllowed):
        company.desk.show(company.session)


# Another company


@pytest.fixture
def other(bank: Bank) -> Company:
    return Company(bank, number="C2", name="Mountain Mining Ltd")


def test_another_companys_operators_are_not_seen(company: Company, other: Company) -> None:
    other.operator()
    other.handed()

    view = company.desk.show(company.session)

    assert (view.operators, view.free_devices) == ([], [])


def test_another_companys_certificate_is_as_unknown_as_none(company: Company, other: Company, bank: Bank) -> None:
    theirs = other.operator()
    said = []
    for serial in (theirs.serial, other.certificate.serial, company.certificate.serial, bank.active().serial, 0xABC):
        with pytest.raises(NotFound) as ordered:
            company.desk.order_hold(company.session, serial)
        company.portal.desk.order_job(HOLD.value, serial=f"{serial:x}", text="x")
        stated = company.stated(HOLD, hold_text(NAME, "Li Qiang", serial))
        with pytest.raises(NotFound) as held:
            company.desk.hold(company.session, serial, stated)
        said += [str(ordered.value), str(held.value)]
    assert len(set(said)) == 1
    assert bank.status(theirs.serial) is CertificateStatus.ACTIVE


def test_another_companys_operator_is_as_unknown_as_none(company: Company, other: Company, bank: Bank) -> None:
    theirs = bank.application(other.operator().application).case.customer_number
    device, said = company.handed(), set()
    person = bank.customer()
    private = bank.stored.customers[person].number
    for number in (theirs, customer_number(other), customer_number(company), private, "C1", "C1-12345", "C2-000000"):
        with pytest.raises(NotFound) as error:
            company.desk.order_application(company.session, company.wanted(number=number, device=device))
        said.add(str(error.value))
    assert len(said) == 1
    nothing_more = [one for one, _ in bank.stored.applications.values() if one.case.company == company.id]
    assert len(nothing_more) == 1


def test_another_companys_u_shield_is_as_unknown_as_none(company: Company, other: Company, bank: Bank) -> None:
    mine, theirs = company.handed(), other.handed()
    company.applied(company.wanted(device=mine))
    said = set()
    for serial in (theirs, mine, bank.device(), company.certificate.device_serial, "none", ""):
        with pytest.raises(InvalidRequest) as error:
            company.desk.order_application(company.session, Wanted("", "Zhao Min", "ID78", "", serial))
        said.add(str(error.value))
    assert len(said) == 1


def test_an_administrators_statement_is_of_no_use_in_another_companys_session(company: Company, other: Company) -> None:
    theirs = other.operator()
    other.desk.order_hold(other.session, theirs.serial)
    stated = other.hold_statement(theirs)

    with pytest.raises(NotFound):
        company.desk.hold(company.session, theirs.serial, stated)
    signed = other.ordered(other.wanted())
    with pytest.raises(PKIError):
        company.desk.apply(company.session, signed.wanted, signed.stated)
    assert company.bank.status(theirs.serial) is CertificateStatus.ACTIVE


# What was signed


def test_a_statement_is_good_once(company: Company) -> None:
    signed = company.ordered(company.wanted())
    company.desk.apply(company.session, signed.wanted, signed.stated)

    with pytest.raises(NotAllowed):
        company.desk.apply(company.session, signed.wanted, signed.stated)


def test_a_statement_is_good_for_five_minutes(company: Company) -> None:
    signed = company.ordered(company.wanted())
    company.bank.clock.tick(LIFE + timedelta(seconds=1))

    with pytest.raises(NotAllowed):
        company.desk.apply(company.session, signed.wanted, signed.stated)


@pytest.mark.parametrize("field", ["number", "name", "document_number", "email", "device_serial"])
def test_nothing_can_be_changed_after_it_was_signed(company: Company, field: str) -> None:
    other = {"number": "C1-000042", "email": "thief@evil.example", "device_serial": company.handed()}
    signed = company.ordered(company.wanted())

    with pytest.raises(NotAllowed):
        company.desk.apply(
            company.session, replace(signed.wanted, **{field: other.get(field, "Another")}), signed.stated
        )
    nothing_was_asked(company)


def test_a_statement_for_another_act_origin_or_by_another_key_is_refused(company: Company) -> None:
    operator = company.operator()
    text = hold_text(NAME, "Li Qiang", operator.serial)
    for stated in (
        lambda: company.stated(APPLY, text),
        lambda: company.stated(ToolOperation.CANCEL, ""),
        lambda: company.stated(HOLD, text, origin="https://evil.example"),
        lambda: company.stated(HOLD, text, key=new_key()),
        lambda: company.stated(HOLD, text + " "),
        lambda: company.stated(HOLD, text, nonce=bytes(32)),
    ):
        company.desk.order_hold(company.session, operator.serial)
        with pytest.raises(NotAllowed):
            company.desk.hold(company.session, operator.serial, stated())
    assert company.bank.status(operator.serial) is CertificateStatus.ACTIVE


def test_a_second_administrator_does_not_sign_in_the_firsts_session(company: Company) -> None:
    key, operator = new_key(), company.operator()
    person = company.bank.customer(name="Bo Lin", company=company.number)
    second = company.certified(person, "company-administrator", key)
    company.desk.order_hold(company.session, operator.serial)
    stated = company.stated(HOLD, hold_text(NAME, "Li Qiang", operator.serial), certificate=second, key=key)

    with pytest.raises(NotAllowed):
        company.desk.hold(company.session, operator.serial, stated)


def test_a_job_of_an_administrator_is_not_ordered_without_a_text(bank: Bank) -> None:
    with pytest.raises(InvalidRequest):
        bank.use_cases.order_tool_job("company-apply", serial="a1")


def test_a_company_asks_for_so_many_at_a_time(company: Company) -> None:
    for place in range(MOST_OPEN_APPLICATIONS):
        company.applied(company.wanted(name=f"Operator {place}"))

    with pytest.raises(InvalidTransition, match="wait"):
        company.desk.order_application(company.session, company.wanted())


@pytest.mark.parametrize("name", ["", "Li\nCompany: Other", " Li", "x" * 65])
def test_a_name_cannot_forge_another_line_of_what_is_signed(company: Company, name: str) -> None:
    with pytest.raises(InvalidRequest):
        company.desk.order_application(company.session, company.wanted(name=name))


# The signer before it issues


def issue(company: Company, application: str) -> Certificate:
    return company.bank.download(company.bank.codes(application), a_request(new_key()))


def sealed_again(asking: Company, application: str, **changes: object) -> None:
    """As somebody could who had the seal key, too."""
    found, _ = asking.bank.stored.applications[application]
    case = replace(found.case, **changes)  # type: ignore[arg-type]  # any field
    seal = asking.bank.seals.seal("case", case.sealed_fields())
    asking.bank.stored.applications[application] = (replace(found, case=case), seal)


@pytest.mark.parametrize(
    "changes",
    [
        {"company": "another"},
        {"company": ""},
        {"customer_name": "Another"},
        {"device_serial": "US0"},
        {"profile": "company-administrator"},
        {"subject": (("organization", "Mountain Mining Ltd"), ("common_name", "Li Qiang"))},
    ],
)
def test_nothing_is_issued_beyond_what_the_administrator_signed(company: Company, changes: dict[str, object]) -> None:
    application = company.applied().id
    profile = company.bank.profiles[str(changes.get("profile", OPERATOR_PROFILE))]
    sealed_again(company, application, **changes, profile_digest=profile.digest)
    company.bank.approve(application)

    with pytest.raises(SigningRefused):
        issue(company, application)


@pytest.mark.parametrize("spoil", [on_hold, revoked])
def test_what_an_administrator_asked_for_does_not_outlive_their_hold(
    company: Company, spoil: Callable[[Company], None]
) -> None:
    application = company.applied().id
    company.bank.approve(application)
    spoil(company)

    with pytest.raises(SigningRefused):
        issue(company, application)


def test_an_operator_stays_certified_when_the_administrator_leaves(company: Company, bank: Bank) -> None:
    old = company.operator()
    revoked(company)
    bank.clock.set(old.not_after - timedelta(days=80))

    assert bank.re_enrol(old.der, request_like(old.der, new_key())).status is CertificateStatus.UNCONFIRMED
