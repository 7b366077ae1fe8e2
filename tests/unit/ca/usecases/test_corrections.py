"""A case goes back to its maker and comes again as a new version; what it will become is seen before it is entered."""

from dataclasses import replace

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.case_contents import Change
from ca.domain.companies import Asked
from ca.domain.devices import DeviceState
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotFound,
    SigningRefused,
    Tampered,
)
from ca.domain.officers import TrustedRole
from ca.usecases.apply import Entry
from ca.usecases.cases import CASE_SEAL
from ca.usecases.customers import CorrectCustomer
from ca.usecases.outlook import Outlook
from tests.drafts import a_request
from tests.fakes.bank import AUDITOR, HOTLINE, MARIA, PAVEL, STRANGER, SUPERVISOR, Bank


def correct_register(bank: Bank, customer: str, *, person: str = MARIA, **changes: str) -> None:
    before = bank.stored.customers[customer]
    fields = {name: getattr(before, name) for name in ("name", "document_number", "email", "phone")} | changes
    CorrectCustomer(bank.unit_of_work, bank.clock, bank.authorize)(bank.session(person), customer, **fields)


def returned(bank: Bank) -> str:
    application = bank.submitted(maker=MARIA)
    bank.decide.send_back(bank.session(PAVEL), application, reason="the name is short")
    return application


def entry(bank: Bank, application: str) -> Entry:
    case = bank.application(application).case
    return Entry(case.profile, case.device_serial)


def seen(bank: Bank, application: str, *, person: str = PAVEL) -> Outlook:
    return bank.decide.show(bank.session(person), application).outlook


def test_a_returned_case_is_corrected_by_its_maker_and_waits_again(bank: Bank) -> None:
    application = returned(bank)
    first = bank.application(application).case
    correct_register(bank, first.customer, name="张伟明")

    bank.submission.correct(bank.session(MARIA), application, entry=entry(bank, application))

    second = bank.application(application)
    assert second.state is ApplicationState.SUBMITTED
    assert (second.case.version, second.case.customer_name, second.reason) == (2, "张伟明", "")
    assert second.case.digest() != first.digest()
    assert bank.event_names[-3:] == ["application.returned", "customer.corrected", "application.corrected"]


def test_the_approver_sees_what_was_corrected_and_why_it_went_back(bank: Bank) -> None:
    application = returned(bank)
    correct_register(bank, bank.application(application).case.customer, document_number="ID2")
    bank.submission.correct(bank.session(MARIA), application, entry=entry(bank, application))

    outlook = seen(bank, application)

    assert outlook.corrected == (Change("document_number", "ID1", "ID2"),)
    assert [(one.case.version, one.reason, one.returned_by) for one in outlook.former] == [
        (1, "the name is short", PAVEL)
    ]


def test_an_approval_of_the_first_version_is_worth_nothing_for_the_second(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    view = bank.decide.show(bank.session(PAVEL), application)
    bank.decide.send_back(bank.session(PAVEL), application, reason="short")
    bank.submission.correct(bank.session(MARIA), application, entry=entry(bank, application))

    with pytest.raises(InvalidTransition, match="changed since it was shown"):
        bank.decide.approve(
            bank.session(PAVEL),
            application,
            case_digest=view.application.case.digest(),
            assertion=bank[PAVEL].passkey.sign(view.challenge),
        )


def test_evidence_for_the_first_version_issues_nothing(bank: Bank) -> None:
    codes = bank.codes()
    bank.rewrite_case(codes.application, version=2)
    found, _seal = bank.stored.applications[codes.application]
    bank.stored.applications[codes.application] = (found, bank.seals.seal(CASE_SEAL, found.case.sealed_fields()))

    with pytest.raises(SigningRefused, match="no valid approval"):
        bank.download(codes, a_request())


@pytest.mark.parametrize("person", [PAVEL, STRANGER])
def test_nobody_but_the_maker_corrects(bank: Bank, person: str) -> None:
    application = returned(bank)
    with pytest.raises((NotAllowed, NotFound)):
        bank.submission.correct(bank.session(person), application, entry=entry(bank, application))
    assert bank.state(application) is ApplicationState.RETURNED


def test_the_maker_cannot_return_the_own_case(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    with pytest.raises(NotAllowed, match="another officer"):
        bank.decide.send_back(bank.session(MARIA), application, reason="mine")


@pytest.mark.parametrize("person", [SUPERVISOR, HOTLINE, AUDITOR])
def test_only_approvers_return_cases(bank: Bank, person: str) -> None:
    application = bank.submitted(maker=MARIA)
    with pytest.raises(NotAllowed, match=r"ra-approver"):
        bank.decide.send_back(bank.session(person), application, reason="no")


@pytest.mark.parametrize("changes", [{"version": 3}, {"application": "another"}, {"customer": "another"}])
def test_only_the_next_version_of_the_same_case_takes_its_place(bank: Bank, changes: dict[str, object]) -> None:
    application = bank.application(returned(bank))
    following = replace(application.case, version=2)
    with pytest.raises(InvalidTransition, match="next version"):
        application.correct(replace(following, **changes), at=bank.clock.now())  # type: ignore[arg-type]  # any field


def test_what_a_companys_administrator_signed_is_rejected_and_not_returned(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    found, _seal = bank.stored.applications[application]
    asked = replace(found.case, asked=Asked("a1", "", "00", "00"))
    bank.stored.applications[application] = (
        replace(found, case=asked),
        bank.seals.seal(CASE_SEAL, asked.sealed_fields()),
    )
    with pytest.raises(InvalidTransition, match="reject it"):
        bank.decide.send_back(bank.session(PAVEL), application, reason="short")


def test_a_case_goes_back_with_a_reason_only(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    with pytest.raises(InvalidRequest, match="say why"):
        bank.decide.send_back(bank.session(PAVEL), application, reason=" ")


@pytest.mark.parametrize("state", [ApplicationState.SUBMITTED, ApplicationState.APPROVED, ApplicationState.COMPLETED])
def test_only_what_came_back_is_corrected(bank: Bank, state: ApplicationState) -> None:
    application = bank.submitted(maker=MARIA)
    bank.rewrite_state(application, state)
    with pytest.raises(InvalidTransition):
        bank.submission.correct(bank.session(MARIA), application, entry=entry(bank, application))


def test_a_returned_case_cannot_be_approved_but_rejected_and_withdrawn(bank: Bank) -> None:
    first, second = returned(bank), returned(bank)
    with pytest.raises(InvalidTransition):
        bank.approve(first, checker=PAVEL)
    bank.decide.reject(bank.session(PAVEL), first, reason="never mind")
    bank.decide.withdraw(bank.session(MARIA), second, reason="the customer left")
    assert (bank.state(first), bank.state(second)) == (ApplicationState.REJECTED, ApplicationState.WITHDRAWN)


def test_another_u_shield_frees_the_one_before(bank: Bank) -> None:
    application = returned(bank)
    old, new = bank.application(application).case.device_serial, bank.device()

    bank.submission.correct(bank.session(MARIA), application, entry=Entry("personal-signing", new))

    states = {device.serial: device.state for device in bank.stored.devices.values()}
    assert (states[old], states[new]) == (DeviceState.IN_STOCK, DeviceState.ASSIGNED)


def test_the_u_shield_stays_assigned_while_the_case_is_with_its_maker(bank: Bank) -> None:
    application = returned(bank)
    serial = bank.application(application).case.device_serial
    (device,) = [each for each in bank.stored.devices.values() if each.serial == serial]
    assert device.state is DeviceState.ASSIGNED


def test_a_version_edited_in_the_database_is_tampering(bank: Bank) -> None:
    application = returned(bank)
    bank.submission.correct(bank.session(MARIA), application, entry=entry(bank, application))
    former, seal = bank.stored.former[0]
    bank.stored.former[0] = (replace(former, case=replace(former.case, customer_name="张三")), seal)

    with pytest.raises(Tampered):
        bank.decide.show(bank.session(PAVEL), application)


# What comes out of it


def test_a_preview_shows_the_certificate_and_enters_nothing(bank: Bank) -> None:
    customer, serial = bank.customer(), bank.device()
    before = len(bank.stored.audit)

    outlook = bank.submission.preview(
        bank.session(MARIA), customer=customer, entry=Entry("personal-signing", serial)
    )  # fmt: skip

    fields = dict(outlook.contents)
    assert "张伟" in fields["subject"]
    assert fields["keyUsage"] == "digitalSignature"
    assert (bank.stored.applications, len(bank.stored.audit)) == ({}, before)
    assert {device.state for device in bank.stored.devices.values()} == {DeviceState.IN_STOCK}


def test_a_preview_refuses_what_the_act_would_refuse(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="stock"):
        bank.submission.preview(
            bank.session(MARIA), customer=bank.customer(), entry=Entry("personal-signing", "US404")
        )  # fmt: skip


def test_a_preview_of_a_correction_is_compared_with_what_came_back(bank: Bank) -> None:
    application = returned(bank)
    customer = bank.application(application).case.customer
    correct_register(bank, customer, name="张伟明")

    outlook = bank.submission.preview(
        bank.session(MARIA), customer=customer, entry=entry(bank, application), application_id=application
    )

    changed = {change.field for change in outlook.corrected}
    assert changed == {"customer_name", "common_name"}
    assert "another application" not in str(outlook.warnings)


def test_what_is_different_from_the_certificate_before(bank: Bank) -> None:
    before = bank.active()
    serial = bank.device()
    bank.submit(
        bank.session(MARIA), customer=before.customer, profile="personal-signing", device_serial=serial, host_names=[]
    )
    application = list(bank.stored.applications)[-1]

    previous = seen(bank, application).previous

    assert previous is not None
    assert previous.serial == f"{before.serial:x}"
    assert previous.changes == (Change("device_serial", before.device_serial, serial),)


def test_a_first_certificate_has_none_before(bank: Bank) -> None:
    assert seen(bank, bank.submitted()).previous is None


def test_what_an_approver_should_look_at_twice(bank: Bank) -> None:
    before = bank.active()
    customer = before.customer
    for _ in range(2):
        bank.submitted(customer=customer)
    application = list(bank.stored.applications)[-1]
    device = bank.application(application).case.device_serial
    with bank.unit_of_work() as work:
        work.devices.save(work.devices.find(device).become(DeviceState.LOST))
        work.commit()

    assert seen(bank, application).warnings == (
        "the customer has a certificate of this profile that has not ended",
        "another application of this customer for this profile is on its way",
        "the U-Shield is lost",
    )


@pytest.mark.parametrize(
    ("name", "warning"), [("pavel", "the customer has your name"), ("MARIA", "the officer who entered the case")]
)
def test_an_officers_name_on_a_certificate_is_noticed(bank: Bank, name: str, warning: str) -> None:
    application = bank.submitted(customer=bank.customer(name=name))
    (found,) = seen(bank, application).warnings
    assert warning in found


def test_code_points_of_unusual_characters_are_shown(bank: Bank) -> None:
    application = bank.submitted(customer=bank.customer(name="Zh\u0430ng Wei"))
    assert "U+0430" in str(seen(bank, application).warnings)


def test_under_a_profile_that_is_gone_nothing_comes_out(bank: Bank) -> None:
    application = bank.submitted()
    del bank.profile_files["personal-signing"]
    bank.profiles.read()
    assert seen(bank, application).contents == ()


# The register


def test_a_correction_says_which_fields_and_not_what_they_say(bank: Bank) -> None:
    customer = bank.customer()
    correct_register(bank, customer, name="李雷", phone="+86 138 0013 8000")
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.details) == ("customer.corrected", {"changed": "name, phone"})
    assert bank.stored.customers[customer].phone == "+8613800138000"


@pytest.mark.parametrize(
    ("changes", "why"), [({}, "different"), ({"email": "no address"}, "mail"), ({"phone": "12"}, "phone")]
)
def test_a_correction_that_cannot_stand_is_refused(bank: Bank, changes: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        correct_register(bank, bank.customer(), **changes)


def test_another_branchs_customer_is_not_corrected(bank: Bank) -> None:
    customer = bank.customer()
    for identity in (customer, "nobody"):
        with pytest.raises(NotFound, match="no such customer at your branch"):
            CorrectCustomer(bank.unit_of_work, bank.clock, bank.authorize)(
                bank.session(STRANGER), identity, name="X", document_number="1", email="", phone=""
            )


def test_an_approver_alone_corrects_no_register(bank: Bank) -> None:
    checker = bank.officer("E1009", frozenset({TrustedRole.RA_APPROVER}))
    with pytest.raises(NotAllowed):
        CorrectCustomer(bank.unit_of_work, bank.clock, bank.authorize)(
            checker.session, bank.customer(), name="X", document_number="1", email="", phone=""
        )
