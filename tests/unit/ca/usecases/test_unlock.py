"""ca/usecases/unlock.py, unlock_cases.py: one U-Shield, once, by two officers, for one tool (THREATS 24)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag

from ca.domain.certificates import CertificateStatus
from ca.domain.devices import DeviceState
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    PKIError,
)
from ca.domain.policy import USUAL
from ca.domain.revocation import RevocationReason
from ca.domain.unlocking import (
    ANSWERS,
    ANSWERS_IN_A_ROW,
    CODE_ATTEMPTS,
    UnlockState,
)
from ca.usecases.unlock import REFUSED
from tests.fakes.bank import AUDITOR, HOTLINE, MARIA, STRANGER, SUPERVISOR, Bank, new_key
from tests.fakes.unlocking import TOKEN, Branch, Case, Tool
from tests.fakes.use_cases import unlocking_of


@pytest.fixture
def branch() -> Branch:
    return Branch(Bank())


def test_two_officers_a_code_and_a_proof_unlock_a_u_shield_and_its_certificate_lives_on(branch: Branch) -> None:
    case, tool = branch.approved(), Tool()
    assert branch.state is DeviceState.BLOCKED

    passwords, nonce = tool.read(branch.bank, branch.answer(case, tool))
    certificate = branch.complete(case, nonce)

    assert passwords["now"] == branch.prepared["now"]
    assert passwords["next"] != passwords["now"]
    assert certificate == branch.certificate
    assert certificate.status is CertificateStatus.ACTIVE
    assert branch.state is DeviceState.IN_USE
    assert branch.bank.event_names[-4:] == [
        "unlock.opened", "unlock.approved", "unlock.answered", "unlock.completed",
    ]  # fmt: skip
    assert [(serial, what[:24]) for _, serial, what in branch.notify.told] == [
        (certificate.serial, "The bank allowed its U-S"),
        (certificate.serial, "Its U-Shield was unlocke"),
    ]


def test_each_unlock_leaves_another_so_password_and_the_next_one_knows_it(branch: Branch) -> None:
    first, second = branch.unlocked(), branch.unlocked()

    assert second["now"] == first["next"]
    assert len({first["now"], first["next"], second["next"]}) == 3


def test_a_cut_unlock_gets_the_same_passwords_again(branch: Branch) -> None:
    case, tools = branch.approved(), (Tool(), Tool())
    before, after = (tool.read(branch.bank, branch.answer(case, tool))[0] for tool in tools)
    assert before == after


def test_no_password_is_kept_or_told_to_anybody_but_the_tool(branch: Branch) -> None:
    passwords = branch.unlocked()
    kept = repr(branch.bank.stored)
    assert not any(password in kept for password in passwords.values())


def test_an_envelope_opens_for_its_tool_and_its_token_only(branch: Branch) -> None:
    tool = Tool()
    answer = branch.answer(branch.approved(), tool)
    with pytest.raises(InvalidTag):
        Tool().read(branch.bank, answer)
    with pytest.raises(InvalidTag):
        tool.read(branch.bank, answer, token="another")


def test_two_u_shields_have_nothing_in_common(branch: Branch) -> None:
    branch.bank.clock.tick(timedelta(seconds=1))
    other = branch.bank.register_device(branch.bank.session(MARIA), serial="FF00", model="U-Shield 2").serial
    tool = Tool()
    answer = branch.unlocking.prepare(
        branch.bank.session(SUPERVISOR), serial=other, token_serial="FF00", public_key=tool.public
    )
    theirs = tool.read(branch.bank, answer, token="FF00")[0]
    assert not set(theirs.values()) & set(branch.prepared.values())


# What is never unlocked


def test_before_the_approval_the_code_is_worth_nothing(branch: Branch) -> None:
    with pytest.raises(NotAuthenticated, match=REFUSED):
        branch.answer(branch.open())


def test_after_a_report_of_loss_it_stays_shut(branch: Branch) -> None:
    case = branch.approved()
    branch.bank.change_status.hold(branch.bank.session(HOTLINE), branch.certificate.serial)
    with pytest.raises(InvalidTransition, match="on hold"):
        branch.answer(case)
    with pytest.raises(InvalidTransition, match="on hold"):
        branch.open()


def test_after_a_revocation_it_stays_shut(branch: Branch) -> None:
    case = branch.approved()
    branch.bank.revoked(branch.certificate, RevocationReason.KEY_COMPROMISE)
    with pytest.raises(InvalidTransition, match="no certificate"):
        branch.answer(case)


def test_a_loss_reported_between_answer_and_proof_stops_the_unlock(branch: Branch) -> None:
    case, tool = branch.approved(), Tool()
    _, nonce = tool.read(branch.bank, branch.answer(case, tool))
    branch.bank.change_status.hold(branch.bank.session(HOTLINE), branch.certificate.serial)
    with pytest.raises(InvalidTransition, match="on hold"):
        branch.complete(case, nonce)
    assert branch.state is DeviceState.BLOCKED


def test_a_u_shield_without_the_banks_so_password_cannot_be_unlocked() -> None:
    bank = Bank()
    certificate = bank.active()
    with pytest.raises(InvalidTransition, match="not prepared"):
        unlocking_of(bank).decide.open(
            bank.session(MARIA), device_serial=certificate.device_serial, reason="ID card seen"
        )


def test_a_challenge_of_another_u_shield_is_refused_and_costs_no_answer(branch: Branch) -> None:
    case = branch.approved()
    with pytest.raises(InvalidRequest, match="another U-Shield"):
        branch.answer(case, token="FF00")
    assert branch.bank.stored.unlocks[case.reference][0].answers == 0


def test_a_software_token_makes_up_its_serial_number_and_any_is_taken() -> None:
    assert Branch(Bank(), model="SoftHSM v2").answer


def test_a_rejected_one_is_over(branch: Branch) -> None:
    case = branch.approved()
    branch.unlocking.decide.reject(branch.bank.session(MARIA), case.reference, reason="not the customer")
    with pytest.raises(NotAuthenticated, match=REFUSED):
        branch.answer(case)


def test_a_completed_one_is_over(branch: Branch) -> None:
    case, tool = branch.approved(), Tool()
    _, nonce = tool.read(branch.bank, branch.answer(case, tool))
    branch.complete(case, nonce)
    with pytest.raises(NotAuthenticated, match=REFUSED):
        branch.answer(case)


def test_one_out_of_time_is_over(branch: Branch) -> None:
    case = branch.approved()
    branch.bank.clock.tick(USUAL.unlock_case_life)
    branch.answer(case)
    branch.bank.clock.tick(timedelta(seconds=1))
    with pytest.raises(NotAuthenticated, match=REFUSED):
        branch.answer(case)


# Guessing


def test_wrong_codes_lock_the_case_and_say_nothing(branch: Branch) -> None:
    case = branch.approved()
    for guess in ["", "0" * 12, "x", "ÄÖÜ", case.code[::-1]][:CODE_ATTEMPTS]:
        with pytest.raises(NotAuthenticated, match=REFUSED):
            branch.answer(Case(case.reference, guess))
    assert branch.case_state(case) is UnlockState.LOCKED
    with pytest.raises(NotAuthenticated, match=REFUSED):
        branch.answer(case)
    with pytest.raises(NotAuthenticated, match=REFUSED):
        branch.answer(Case("9999999999", case.code))


def test_the_budget_of_a_case_and_of_a_u_shield(branch: Branch) -> None:
    for _ in range(ANSWERS_IN_A_ROW // ANSWERS):
        case = branch.approved()
        for _ in range(ANSWERS):
            branch.answer(case)
        with pytest.raises(InvalidTransition, match="too often"):
            branch.answer(case)
        branch.bank.clock.tick(timedelta(seconds=1))
    with pytest.raises(InvalidTransition, match="too often without success"):
        branch.open()


def test_a_success_renews_the_budget(branch: Branch) -> None:
    for _ in range(ANSWERS_IN_A_ROW + 1):
        branch.unlocked()
        branch.bank.clock.tick(timedelta(seconds=1))


# The proof


def test_a_proof_is_by_this_certificates_key_at_our_origin_over_this_nonce_once(branch: Branch) -> None:
    case = branch.approved()

    def nonce() -> bytes:
        tool = Tool()
        return tool.read(branch.bank, branch.answer(case, tool))[1]

    with pytest.raises(NotAuthenticated):
        branch.complete(case, bytes(32))
    used = nonce()
    with pytest.raises(NotAuthenticated):
        branch.complete(case, used, key=new_key())
    with pytest.raises(NotAuthenticated, match="used up"):
        branch.complete(case, used)
    with pytest.raises(NotAuthenticated):
        branch.complete(case, nonce(), origin="https://evil.example")
    good = nonce()
    assert branch.complete(case, good) == branch.certificate
    with pytest.raises(PKIError):
        branch.complete(case, good)


def test_a_certificate_on_another_u_shield_proves_nothing(branch: Branch) -> None:
    key = new_key()
    other = branch.bank.active(key=key)
    case, tool = branch.approved(), Tool()
    _, nonce = tool.read(branch.bank, branch.answer(case, tool))
    with pytest.raises(NotAuthenticated):
        branch.complete(case, nonce, key=key, der=other.der)
    assert branch.state is DeviceState.BLOCKED


def test_a_nonce_of_one_unlock_serves_no_other(branch: Branch) -> None:
    first, tool = branch.approved(), Tool()
    _, nonce = tool.read(branch.bank, branch.answer(first, tool))
    with pytest.raises(NotAuthenticated):
        branch.complete(branch.approved(), nonce)


# Preparing


@pytest.mark.parametrize("person", [MARIA, HOTLINE, AUDITOR, STRANGER])
def test_only_a_supervisor_of_the_branch_prepares(person: str) -> None:
    branch = Branch(Bank())
    fresh = branch.bank.register_device(branch.bank.session(MARIA), serial="FF00", model="U-Shield 2").serial
    with pytest.raises((NotAllowed, NotFound)):
        branch.unlocking.prepare(
            branch.bank.session(person), serial=fresh, token_serial="FF00", public_key=Tool().public
        )


def test_what_a_customer_has_is_not_prepared(branch: Branch) -> None:
    with pytest.raises(InvalidTransition, match="only one in the stock"):
        branch.prepare()


def test_a_public_key_that_is_none_is_refused(branch: Branch) -> None:
    case = branch.approved()
    for bad in (b"", bytes(31), bytes(32)):
        with pytest.raises(InvalidRequest, match="X25519"):
            branch.unlocking.unlock.answer(case.reference, case.code, token_serial=TOKEN, public_key=bad)


@pytest.mark.parametrize(
    ("serial", "token", "why"),
    [("none", TOKEN, "no such U-Shield"), ("FF00", TOKEN, "another U-Shield before it")],
)
def test_the_u_shield_before_the_tool_is_the_one_that_is_prepared(
    branch: Branch, serial: str, token: str, why: str
) -> None:
    bank = branch.bank
    bank.register_device(bank.session(MARIA), serial="FF00", model="U-Shield 2")
    with pytest.raises(PKIError, match=why):
        branch.unlocking.prepare(bank.session(SUPERVISOR), serial=serial, token_serial=token, public_key=Tool().public)


def test_a_bank_without_the_unlock_key_says_so(branch: Branch) -> None:
    class Missing:
        def seal(self, purpose: str, message: bytes) -> bytes:
            raise NotFound("no such key")

        def require(self, purpose: str, message: bytes, seal: bytes) -> None:
            raise AssertionError("nothing was sealed")

    without = replace(branch.unlocking.unlock.so_passwords, seals=Missing())
    branch.unlocking = replace(branch.unlocking, unlock=replace(branch.unlocking.unlock, so_passwords=without))
    case = branch.approved()
    with pytest.raises(NotReady, match="unlock-1"):
        branch.answer(case)
    assert branch.bank.stored.unlocks[case.reference][0].answers == 0
