"""ca/usecases/unlock_cases.py: two officers, one half of the code each, and where a case goes (THREATS 24)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.devices import DeviceState
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Tampered,
)
from ca.domain.policy import USUAL
from ca.domain.unlocking import (
    UnlockState,
    transitions,
)
from ca.usecases.unlock import REFUSED
from tests.fakes.bank import AUDITOR, HOTLINE, MARIA, PAVEL, STRANGER, SUPERVISOR, Bank
from tests.fakes.unlocking import TOKEN, Branch, Case, Tool


@pytest.fixture
def branch() -> Branch:
    return Branch(Bank())


# Two people


@pytest.mark.parametrize("person", [MARIA, PAVEL, HOTLINE, AUDITOR, STRANGER])
def test_only_a_supervisor_of_the_branch_approves(branch: Branch, person: str) -> None:
    case = branch.open()
    colleague = branch.bank[person]
    with pytest.raises((NotAllowed, NotFound)):
        branch.approve(case, person)
    with pytest.raises((NotAllowed, NotFound)):
        branch.unlocking.decide.approve(
            colleague.session, case.reference, case_digest=bytes(32), assertion=colleague.passkey.sign(bytes(32))
        )
    assert branch.case_state(case) is UnlockState.PROPOSED


def test_nobody_approves_what_they_opened(branch: Branch) -> None:
    with pytest.raises(NotAllowed, match="may not approve"):
        branch.approve(branch.open(SUPERVISOR))


@pytest.mark.parametrize("person", [MARIA, SUPERVISOR, HOTLINE])
def test_who_may_open_one(branch: Branch, person: str) -> None:
    assert branch.case_state(branch.open(person)) is UnlockState.PROPOSED


@pytest.mark.parametrize("person", [AUDITOR, STRANGER])
def test_who_may_not_open_one(branch: Branch, person: str) -> None:
    with pytest.raises((NotAllowed, NotFound)):
        branch.open(person)


def test_the_case_that_is_approved_is_the_case_that_was_shown(branch: Branch) -> None:
    with pytest.raises(InvalidTransition, match="changed since it was shown"):
        branch.approve(branch.open(), digest=bytes(32))


def test_one_officers_half_is_no_code(branch: Branch) -> None:
    opened = branch.open()
    approved = branch.approve(opened)
    halves = approved.code[:6], approved.code[6:]
    for half in halves:
        with pytest.raises(NotAuthenticated, match=REFUSED):
            branch.answer(Case(approved.reference, half))
    with pytest.raises(NotAuthenticated, match=REFUSED):
        branch.answer(Case(approved.reference, halves[0] + halves[0]))


@pytest.mark.parametrize("state", list(UnlockState))
def test_a_row_written_into_the_database_opens_nothing(branch: Branch, state: UnlockState) -> None:
    case = branch.open()
    kept, seal = branch.bank.stored.unlocks[case.reference]
    forged = replace(kept, state=state, approved_by="E9999", answers=0, version=kept.version + 1)
    branch.bank.stored.unlocks[case.reference] = (forged, seal)
    with pytest.raises(Tampered):
        branch.answer(case)
    with pytest.raises(Tampered):
        branch.approve(case)


# Cases that are not


def test_what_there_is_not_is_not_found(branch: Branch) -> None:
    decide, session = branch.unlocking.decide, branch.bank.session(SUPERVISOR)
    with pytest.raises(NotFound):
        decide.show(session, "1000000005")
    with pytest.raises(NotFound):
        decide.open(session, device_serial="none", reason="ID card seen")
    with pytest.raises(NotFound):
        decide.show(branch.bank.session(STRANGER), branch.open().reference)


def test_a_case_ends_with_a_reason_by_its_maker_or_a_supervisor(branch: Branch) -> None:
    decide, bank = branch.unlocking.decide, branch.bank
    case = branch.open()
    with pytest.raises(InvalidRequest, match="say why"):
        decide.reject(bank.session(MARIA), case.reference, reason=" ")
    with pytest.raises(NotAllowed, match="or a supervisor"):
        decide.reject(bank.session(PAVEL), case.reference, reason="x")
    decide.reject(bank.session(SUPERVISOR), case.reference, reason="not the customer")
    with pytest.raises(InvalidTransition):
        branch.approve(case)


def test_an_approval_that_comes_too_late_is_none(branch: Branch) -> None:
    case = branch.open()
    branch.bank.clock.tick(USUAL.unlock_case_life + timedelta(seconds=1))
    with pytest.raises(InvalidTransition, match="out of date"):
        branch.approve(case)


def test_another_officers_passkey_approves_nothing(branch: Branch) -> None:
    case, bank = branch.open(), branch.bank
    view = branch.unlocking.decide.show(bank.session(SUPERVISOR), case.reference)
    with pytest.raises(NotAuthenticated, match="not yours"):
        branch.unlocking.decide.approve(
            bank.session(SUPERVISOR),
            case.reference,
            case_digest=view.case.digest(),
            assertion=bank[PAVEL].passkey.sign(view.challenge),
        )


def test_a_u_shield_that_is_no_more_is_not_unlocked_by_an_old_case(branch: Branch) -> None:
    case = branch.approved()
    (kept,) = [one for one in branch.bank.stored.devices.values() if one.serial == TOKEN]
    del branch.bank.stored.devices[kept.id]
    with pytest.raises(InvalidTransition, match="no longer the customer's"):
        branch.answer(case)


def test_a_companys_u_shield_is_unlocked_for_the_operator_whose_certificate_is_on_it(branch: Branch) -> None:
    (kept,) = [one for one in branch.bank.stored.devices.values() if one.serial == TOKEN]
    branch.bank.stored.devices[kept.id] = replace(kept, customer="the company")
    case, tool = branch.approved(), Tool()
    _, nonce = tool.read(branch.bank, branch.answer(case, tool))
    assert branch.complete(case, nonce) == branch.certificate
    assert {customer for customer, _, _ in branch.notify.told} == {branch.certificate.customer}


def test_a_u_shield_that_was_lost_is_not_unlocked(branch: Branch) -> None:
    (kept,) = [one for one in branch.bank.stored.devices.values() if one.serial == TOKEN]
    branch.bank.stored.devices[kept.id] = kept.become(DeviceState.LOST)
    with pytest.raises(InvalidTransition, match="is lost"):
        branch.open()


@pytest.mark.parametrize("state", list(UnlockState))
def test_a_case_goes_only_where_the_table_says(branch: Branch, state: UnlockState) -> None:
    reference = branch.open().reference
    case = replace(branch.bank.stored.unlocks[reference][0], state=state)
    for wanted in UnlockState:
        if wanted in transitions()[state]:
            assert case.become(wanted).version == case.version + 1
        else:
            with pytest.raises(InvalidTransition):
                case.become(wanted)
