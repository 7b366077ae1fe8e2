"""ca/usecases/approve.py: two people, by person, over exactly the case that was shown (DESIGN invariant 2)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.devices import Device, DeviceState
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    Tampered,
)
from ca.domain.officers import TrustedRole
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import AUDITOR, HOTLINE, MARIA, PAVEL, SECURITY, STRANGER, SUPERVISOR, Bank

APPROVER = frozenset({TrustedRole.RA_APPROVER})


def test_another_officer_approves(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)

    bank.approve(application, checker=PAVEL)

    assert bank.state(application) is ApplicationState.APPROVED
    (evidence,) = [item for key, item in bank.stored.evidence if key == application]
    assert evidence.decision.person == PAVEL
    assert evidence.decision.subject_digest == bank.application(application).case.digest()
    assert bank.unit_of_work.events[-1].details == {"case": bank.application(application).case.digest().hex()}


def test_nobody_approves_what_they_entered(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)

    with pytest.raises(NotAllowed, match="another officer must"):
        bank.approve(application, checker=MARIA)

    assert bank.state(application) is ApplicationState.SUBMITTED
    assert bank.stored.evidence == []


def test_the_maker_is_told_before_trying(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    assert not bank.decide.show(bank.session(MARIA), application).may_approve
    assert bank.decide.show(bank.session(PAVEL), application).may_approve


def test_a_new_name_makes_nobody_another_person(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    renamed = bank.officer(MARIA, APPROVER, name="Maria Married")
    with pytest.raises(NotAllowed, match="another officer must"):
        bank.approve(application, checker=renamed)


def test_other_roles_make_nobody_another_person(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    promoted = bank.officer(MARIA, frozenset({TrustedRole.RA_SUPERVISOR, TrustedRole.RA_APPROVER}))
    with pytest.raises(NotAllowed, match="another officer must"):
        bank.approve(application, checker=promoted)


def test_one_person_has_one_record(bank: Bank) -> None:
    bank.submitted(maker=MARIA)
    second = replace(bank[MARIA].officer, id="second-account", credentials=(FakePasskey().credential,))
    with bank.unit_of_work() as work, pytest.raises(InvalidTransition):
        work.officers.save(second, b"")


def test_a_second_account_of_the_maker_cannot_approve_even_in_the_database(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    passkey = FakePasskey()
    second = replace(bank[MARIA].officer, id="second-account", credentials=(passkey.credential,))
    # The database's rule of one record a person is taken away, and even the seal is right.
    bank.stored.officers[second.id] = (second, bank.seals.seal("officer", second.sealed_fields()))

    with pytest.raises(NotAllowed, match="another officer must"):
        bank.approve(application, checker=bank.signed_in(passkey))


@pytest.mark.parametrize("person", [SUPERVISOR, HOTLINE, SECURITY, AUDITOR])
def test_only_approvers_approve(bank: Bank, person: str) -> None:
    application = bank.submitted()
    view = bank.decide.show(bank.session(PAVEL), application)
    with pytest.raises(NotAllowed, match="ra-approver"):
        bank.decide.approve(
            bank.session(person),
            application,
            case_digest=view.application.case.digest(),
            assertion=bank[person].passkey.sign(view.challenge),
        )


def test_another_branch_sees_no_such_application(bank: Bank) -> None:
    application = bank.submitted()
    with pytest.raises(NotFound) as elsewhere:
        bank.decide.show(bank.session(STRANGER), application)
    with pytest.raises(NotFound) as nowhere:
        bank.decide.show(bank.session(STRANGER), "no-such-application")
    assert str(elsewhere.value) == str(nowhere.value)


def test_the_auditor_sees_every_branch(bank: Bank) -> None:
    application = bank.submitted()
    assert bank.decide.show(bank.session(AUDITOR), application).application.id == application


@pytest.mark.parametrize("person", [HOTLINE, SECURITY])
def test_who_does_not_work_on_cases_sees_none(bank: Bank, person: str) -> None:
    application = bank.submitted()
    with pytest.raises(NotAllowed):
        bank.decide.show(bank.session(person), application)


def test_a_row_edited_after_submission_is_found_out(bank: Bank) -> None:
    application = bank.submitted()
    bank.rewrite_case(application, customer_name="Mallory", subject=(("common_name", "Mallory"),))
    with pytest.raises(Tampered):
        bank.approve(application)


def test_a_row_that_nobody_submitted_cannot_be_approved(bank: Bank) -> None:
    template = bank.application(bank.submitted())
    forged = replace(template, case=replace(template.case, application="forged"))
    bank.stored.applications["forged"] = (forged, bytes(32))
    with pytest.raises(Tampered):
        bank.approve("forged")


def test_a_seal_of_another_case_does_not_fit(bank: Bank) -> None:
    first, second = bank.submitted(), bank.submitted()
    application, _ = bank.stored.applications[first]
    bank.stored.applications[first] = (application, bank.stored.applications[second][1])
    bank.rewrite_case(first, customer_name="Mallory")
    with pytest.raises(Tampered):
        bank.approve(first)


def test_what_was_not_shown_cannot_be_approved(bank: Bank) -> None:
    shown, other = bank.submitted(), bank.submitted()
    view = bank.decide.show(bank.session(PAVEL), shown)
    with pytest.raises(InvalidTransition, match="changed since it was shown"):
        bank.decide.approve(
            bank.session(PAVEL),
            other,
            case_digest=view.application.case.digest(),
            assertion=bank[PAVEL].passkey.sign(view.challenge),
        )


def test_a_signature_over_another_case_approves_nothing(bank: Bank) -> None:
    shown, other = bank.submitted(), bank.submitted()
    view = bank.decide.show(bank.session(PAVEL), shown)
    with pytest.raises(NotAuthenticated):
        bank.decide.approve(
            bank.session(PAVEL),
            other,
            case_digest=bank.application(other).case.digest(),
            assertion=bank[PAVEL].passkey.sign(view.challenge),
        )
    assert bank.state(other) is ApplicationState.SUBMITTED


def test_another_officers_passkey_approves_nothing(bank: Bank) -> None:
    application = bank.submitted()
    view = bank.decide.show(bank.session(PAVEL), application)
    with pytest.raises(NotAuthenticated, match="not yours"):
        bank.decide.approve(
            bank.session(PAVEL),
            application,
            case_digest=view.application.case.digest(),
            assertion=bank[SUPERVISOR].passkey.sign(view.challenge),
        )


def test_a_copied_passkey_is_found_out_when_it_approves(bank: Bank) -> None:
    passkey = FakePasskey(counts=True)
    checker = bank.officer("E1050", APPROVER, passkey=passkey)
    application = bank.submitted()
    passkey.uses = 0
    with pytest.raises(NotAuthenticated, match="copied"):
        bank.approve(application, checker=checker)


def test_each_approval_counts_the_passkeys_use(bank: Bank) -> None:
    passkey = FakePasskey(counts=True)
    checker = bank.officer("E1050", APPROVER, passkey=passkey)
    bank.approve(bank.submitted(), checker=checker)
    assert bank.unit_of_work.officers["officer-E1050"].credentials[0].sign_count == 2


def test_an_application_is_approved_once(bank: Bank) -> None:
    application = bank.approved()
    with pytest.raises(InvalidTransition):
        bank.approve(application, checker=bank.officer("E1050", APPROVER))


def test_a_case_under_an_old_profile_is_not_approved(bank: Bank) -> None:
    application = bank.submitted()
    bank.amend("personal-signing", validity=timedelta(days=1))
    assert not bank.decide.show(bank.session(PAVEL), application).profile_is_current
    with pytest.raises(InvalidTransition, match="profile was changed"):
        bank.approve(application)


def test_a_case_under_a_profile_that_is_gone_is_not_approved(bank: Bank) -> None:
    application = bank.submitted()
    del bank.profile_files["personal-signing"]
    assert not bank.decide.show(bank.session(PAVEL), application).profile_is_current
    with pytest.raises(InvalidTransition, match="profile was changed"):
        bank.approve(application)


def test_odd_letters_are_shown_to_the_checker(bank: Bank) -> None:
    application = bank.submitted(customer=bank.customer(name="Раypal"))
    (warning,) = bank.decide.show(bank.session(PAVEL), application).outlook.warnings
    assert warning.startswith("common_name: letters of several alphabets")


def test_an_approver_rejects_with_a_reason(bank: Bank) -> None:
    application = bank.submitted()
    bank.decide.reject(bank.session(PAVEL), application, reason="the document has run out")
    assert bank.state(application) is ApplicationState.REJECTED
    assert bank.application(application).reason == "the document has run out"
    assert bank.event_names[-1] == "application.rejected"


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_nobody_rejects_without_saying_why(bank: Bank, reason: str) -> None:
    application = bank.submitted()
    with pytest.raises(InvalidRequest, match="say why"):
        bank.decide.reject(bank.session(PAVEL), application, reason=reason)


def test_the_maker_cannot_reject(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    with pytest.raises(NotAllowed):
        bank.decide.reject(bank.session(MARIA), application, reason="changed my mind")


def test_the_maker_withdraws(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    bank.decide.withdraw(bank.session(MARIA), application, reason="the customer left")
    assert bank.state(application) is ApplicationState.WITHDRAWN


def test_nobody_else_withdraws(bank: Bank) -> None:
    application = bank.submitted(maker=MARIA)
    with pytest.raises(NotAllowed, match="only who entered"):
        bank.decide.withdraw(bank.session(PAVEL), application, reason="not mine")


@pytest.mark.parametrize("ended", ["reject", "withdraw"])
def test_what_ended_is_not_approved(bank: Bank, ended: str) -> None:
    application = bank.submitted(maker=MARIA)
    session = bank.session(PAVEL if ended == "reject" else MARIA)
    getattr(bank.decide, ended)(session, application, reason="no")
    with pytest.raises(InvalidTransition):
        bank.approve(application)


def test_no_event_means_no_approval(bank: Bank) -> None:
    application, session = bank.submitted(), bank.session(PAVEL)
    view = bank.decide.show(session, application)
    digest, assertion = view.application.case.digest(), bank[PAVEL].passkey.sign(view.challenge)
    events = len(bank.event_names)
    bank.unit_of_work.refuse_commit()

    with pytest.raises(NotReady):
        bank.decide.approve(session, application, case_digest=digest, assertion=assertion)

    assert (bank.state(application), len(bank.event_names)) == (ApplicationState.SUBMITTED, events)
    assert bank.stored.evidence == []


# The U-Shield of an application that came to nothing


def device_of(bank: Bank, application: str) -> Device:
    serial = bank.application(application).case.device_serial
    return next(device for device in bank.stored.devices.values() if device.serial == serial)


@pytest.mark.parametrize("end", ["reject", "withdraw"])
def test_an_application_that_came_to_nothing_frees_its_u_shield(bank: Bank, end: str) -> None:
    application = bank.submitted()
    person = PAVEL if end == "reject" else MARIA

    getattr(bank.decide, end)(bank.session(person), application, reason="no")

    device = device_of(bank, application)
    assert (device.state, device.customer) == (DeviceState.IN_STOCK, "")
    (event,) = [event for event in bank.unit_of_work.events if event.name == "device.unassigned"]
    assert (event.subject, event.actor, event.details) == (device.serial, person, {"application": application})


def test_a_u_shield_that_another_application_needs_stays_the_customers(bank: Bank) -> None:
    first = bank.submitted()
    case = bank.application(first).case
    second = bank.submit(
        bank.session(MARIA),
        customer=case.customer,
        profile=case.profile,
        device_serial=case.device_serial,
        host_names=[],
    )
    bank.decide.reject(bank.session(PAVEL), first, reason="twice")
    assert device_of(bank, first).state is DeviceState.ASSIGNED
    bank.decide.reject(bank.session(PAVEL), second.id, reason="neither")
    assert device_of(bank, first).state is DeviceState.IN_STOCK


def test_a_u_shield_in_use_stays_in_use(bank: Bank) -> None:
    case = bank.application(bank.active().application).case
    again = bank.submit(
        bank.session(MARIA),
        customer=case.customer,
        profile=case.profile,
        device_serial=case.device_serial,
        host_names=[],
    )
    bank.decide.withdraw(bank.session(MARIA), again.id, reason="not needed")
    assert device_of(bank, again.id).state is DeviceState.IN_USE


def test_an_application_without_a_u_shield_frees_none(bank: Bank) -> None:
    bank.decide.reject(bank.session(PAVEL), bank.submitted(profile="machine"), reason="no")
    assert "device.unassigned" not in bank.event_names
