"""ca/usecases/codes.py: handed out once, wrong ones all alike, counted, locked, voided (DESIGN invariant 4)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.accounts import Account, Channel, Language
from ca.domain.applications import ApplicationState
from ca.domain.codes import CodeState, HandOver, parse_hand_over, shown
from ca.domain.customers import Customer
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    KeyStoreUnavailable,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    Tampered,
)
from ca.domain.notices import Message, Way
from ca.usecases.portal_sessions import ACCOUNT_SEAL
from tests.drafts import a_request
from tests.fakes.bank import AUDITOR, MARIA, PAVEL, STRANGER, SUPERVISOR, Bank, Codes

WRONG = "0000-0000-0000"


def hints(bank: Bank, codes: Codes, code: str = "") -> None:
    bank.enrol.hints(codes.reference, code or codes.code)


def lock(bank: Bank, codes: Codes) -> None:
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            hints(bank, codes, WRONG)


def test_the_code_is_kept_nowhere_in_clear(bank: Bank) -> None:
    codes = bank.codes()
    everything = str(bank.stored) + str(bank.unit_of_work.events)
    assert codes.code not in everything
    assert codes.code.replace("-", "") not in everything
    assert len(bank.pair(codes).code_mac) == 32


def test_handing_out_is_an_event(bank: Bank) -> None:
    codes = bank.codes()
    assert bank.event_names[-1] == "codes.handed-out"
    assert bank.unit_of_work.events[-1].details == {"reference": codes.reference, "by": "letter"}
    assert bank.state(codes.application) is ApplicationState.CODES_ISSUED


@pytest.mark.parametrize("person", [MARIA, PAVEL, SUPERVISOR])
def test_any_officer_of_the_branch_hands_out_the_first_pair(bank: Bank, person: str) -> None:
    assert len(bank.codes(by=person).reference) == 10


def test_another_branch_hands_out_nothing(bank: Bank) -> None:
    application = bank.approved()
    with pytest.raises(NotFound):
        bank.codes(application, by=STRANGER)


def test_an_auditor_hands_out_nothing(bank: Bank) -> None:
    application = bank.approved()
    with pytest.raises(NotAllowed):
        bank.codes(application, by=AUDITOR)


@pytest.mark.parametrize("person", [MARIA, PAVEL])
def test_a_new_pair_needs_a_supervisor(bank: Bank, person: str) -> None:
    codes = bank.codes()
    with pytest.raises(NotAllowed, match="ra-supervisor"):
        bank.codes(codes.application, by=person)


def test_a_new_pair_voids_the_old_one(bank: Bank) -> None:
    old = bank.codes()

    new = bank.codes(old.application, by=SUPERVISOR)

    assert bank.pair(old).state is CodeState.VOID
    assert bank.event_names[-1] == "codes.reissued"
    with pytest.raises(NotAuthenticated):
        hints(bank, old)
    hints(bank, new)


@pytest.mark.parametrize(
    "state", [ApplicationState.SUBMITTED, ApplicationState.REJECTED, ApplicationState.CLAIMED, ApplicationState.VOID]
)
def test_codes_are_handed_out_for_approved_cases_only(bank: Bank, state: ApplicationState) -> None:
    application = bank.approved()
    bank.rewrite_state(application, state)
    with pytest.raises(InvalidTransition):
        bank.codes(application, by=SUPERVISOR)


def test_an_edited_case_gets_no_codes(bank: Bank) -> None:
    application = bank.approved()
    bank.rewrite_case(application, customer_name="Mallory")
    with pytest.raises(Tampered):
        bank.codes(application)


def test_a_reference_number_is_never_given_twice(bank: Bank) -> None:
    first = bank.codes()
    second = bank.approved()
    session = bank.session(MARIA)
    same = (int(first.reference[:-1]) - 10**8).to_bytes(8, "big")
    bank.random.plan(bytes(8), same, same, same)
    with pytest.raises(InvalidTransition, match="random source"):
        bank.hand_out(session, second)
    assert bank.pair(first).application == first.application


def test_a_reference_number_that_is_taken_is_drawn_again(bank: Bank) -> None:
    first = bank.codes()
    second = bank.approved()
    session = bank.session(MARIA)
    bank.random.plan(bytes(8), (int(first.reference[:-1]) - 10**8).to_bytes(8, "big"))
    assert bank.hand_out(session, second).reference != first.reference


def test_the_code_is_read_as_people_type_it(bank: Bank) -> None:
    codes = bank.codes()
    hints(bank, codes, codes.code.lower().replace("1", "l").replace("0", "o"))


def expire(bank: Bank, codes: Codes) -> str:
    bank.clock.set(bank.pair(codes).expires_at + timedelta(seconds=1))
    return codes.code


def expire_and_sweep(bank: Bank, codes: Codes) -> str:
    expire(bank, codes)
    bank.sweep.expire_codes()
    return codes.code


def lock_out(bank: Bank, codes: Codes) -> str:
    lock(bank, codes)
    return codes.code


def replace_by_new_ones(bank: Bank, codes: Codes) -> str:
    bank.codes(codes.application, by=SUPERVISOR)
    return codes.code


def unknown(bank: Bank, codes: Codes) -> str:
    del bank.stored.codes[codes.reference]
    return codes.code


SPOILED = [
    lambda bank, codes: WRONG,
    lambda bank, codes: "",
    lambda bank, codes: "no code at all: U!",
    expire,
    expire_and_sweep,
    lock_out,
    replace_by_new_ones,
    unknown,
]
NAMES = ["wrong", "empty", "no code", "expired", "swept", "locked", "replaced", "unknown"]


@pytest.mark.parametrize("spoil", SPOILED, ids=NAMES)
def test_whatever_is_wrong_the_answer_is_the_same(bank: Bank, spoil) -> None:  # type: ignore[no-untyped-def]  # a table
    codes = bank.codes()
    code = spoil(bank, codes)

    with pytest.raises(NotAuthenticated) as error:
        bank.enrol(codes.reference, code, a_request())

    assert str(error.value) == "the reference number or the authorization code is not valid"
    assert error.value.__cause__ is None
    assert bank.event_names[-1] in ("codes.refused", "codes.locked")
    assert bank.signatures == []


def test_an_unknown_reference_costs_as_much_as_a_known_one(bank: Bank) -> None:
    codes = bank.codes()
    asked: list[str] = []
    honest = bank.seals.require

    class CountingSeals:
        def seal(self, purpose: str, message: bytes) -> bytes:
            return bank.seals.seal(purpose, message)

        def require(self, purpose: str, message: bytes, seal: bytes) -> None:
            asked.append(purpose)
            honest(purpose, message, seal)

    check = type(bank.check_codes)(bank.unit_of_work, bank.clock, CountingSeals())
    for reference in (codes.reference, "9999999999"):
        with pytest.raises(NotAuthenticated):
            check.require(reference, WRONG)
    assert asked == ["authorization-code", "authorization-code"]


def test_a_wrong_code_costs_an_attempt_and_a_right_one_none(bank: Bank) -> None:
    codes = bank.codes()
    hints(bank, codes)
    assert bank.pair(codes).attempts_left == 5
    with pytest.raises(NotAuthenticated):
        hints(bank, codes, WRONG)
    assert bank.pair(codes).attempts_left == 4


def test_the_fifth_wrong_code_locks_even_the_right_one_out(bank: Bank) -> None:
    codes = bank.codes()

    lock(bank, codes)

    assert bank.pair(codes).state is CodeState.LOCKED
    assert bank.state(codes.application) is ApplicationState.LOCKED
    assert bank.event_names[-2:] == ["codes.locked", "codes.refused"]
    with pytest.raises(NotAuthenticated):
        hints(bank, codes)


def test_four_wrong_codes_do_not_lock(bank: Bank) -> None:
    codes = bank.codes()
    for _ in range(4):
        with pytest.raises(NotAuthenticated):
            hints(bank, codes, WRONG)
    hints(bank, codes)


def test_a_supervisor_unlocks_with_new_codes(bank: Bank) -> None:
    codes = bank.codes()
    lock(bank, codes)
    hints(bank, bank.codes(codes.application, by=SUPERVISOR))


def test_one_customers_misses_lock_nobody_else_out(bank: Bank) -> None:
    codes, other = bank.codes(), bank.codes()
    lock(bank, codes)
    hints(bank, other)


def test_guessing_on_a_claimed_pair_does_not_undo_the_download(bank: Bank) -> None:
    codes = bank.codes()
    request = a_request()
    certificate = bank.download(codes, request)
    lock(bank, codes)
    assert bank.download(codes, request) == certificate


def test_codes_hold_to_their_last_second(bank: Bank) -> None:
    codes = bank.codes()
    bank.clock.set(bank.pair(codes).expires_at)
    hints(bank, codes)


def test_codes_moved_to_another_application_do_not_open_it(bank: Bank) -> None:
    mine, theirs = bank.codes(), bank.codes()
    moved = bank.pair(mine)
    bank.stored.codes[mine.reference] = type(moved)(
        moved.reference, theirs.application, moved.code_mac, moved.state, moved.expires_at, moved.attempts_left
    )
    with pytest.raises(NotAuthenticated):
        bank.download(mine, a_request())


def test_a_known_mac_put_into_another_pair_does_not_open_it(bank: Bank) -> None:
    mine, theirs = bank.codes(), bank.codes()
    victim = bank.pair(theirs)
    bank.stored.codes[theirs.reference] = type(victim)(
        victim.reference,
        victim.application,
        bank.pair(mine).code_mac,
        victim.state,
        victim.expires_at,
        victim.attempts_left,
    )
    with pytest.raises(NotAuthenticated):
        bank.enrol(theirs.reference, mine.code, a_request())


def test_without_the_hsm_no_attempt_is_counted(bank: Bank) -> None:
    codes = bank.codes()
    bank.seals.away = True
    with pytest.raises(KeyStoreUnavailable):
        hints(bank, codes, WRONG)
    bank.seals.away = False
    assert bank.pair(codes).attempts_left == 5


def approved(bank: Bank, **addresses: str) -> tuple[str, Customer]:
    """An approved application of a customer with these addresses in the register."""
    owner = bank.customer()
    customer = replace(bank.stored.customers[owner], **addresses)
    bank.stored.customers[customer.id] = customer
    application = bank.submitted(customer=customer.id)
    bank.approve(application)
    return application, customer


def test_by_message_the_code_goes_to_the_customer_and_nowhere_else(
    bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    application, customer = approved(bank, email="li@bank.example", phone="+8613800138000")
    account = Account(customer.id, 1, language=Language.CHINESE, channel=Channel.SMS)
    bank.stored.accounts[customer.id] = account, bank.seals.seal(ACCOUNT_SEAL, account.sealed_fields())

    handed_out = bank.hand_out(bank.session(MARIA), application, HandOver.MESSAGE)

    (message,) = bank.posted
    code = shown(handed_out.authorization_code)
    assert (message.way, message.to, handed_out.sent_to) == (Way.SMS, "+8613800138000", ("••• 8000",))
    assert f"您的授权码：{code}" in message.text
    assert handed_out.reference not in message.text
    assert code not in message.subject + caplog.text + str(bank.stored) + str(bank.unit_of_work.events)
    assert bank.unit_of_work.events[-1].details["by"] == "message"
    assert bank.enrol.hints(handed_out.reference, code).profile.name == "personal-signing"


def test_without_room_for_the_message_nothing_is_handed_out(bank: Bank) -> None:
    application, _ = approved(bank, email="li@bank.example")
    session, events = bank.session(MARIA), len(bank.unit_of_work.events)

    def refuse(_message: Message) -> None:
        raise OSError("no room")

    bank.hand_out = replace(bank.hand_out, send_code=replace(bank.send_code, post=refuse))
    with pytest.raises(NotReady, match="no code was handed out"):
        bank.hand_out(session, application, HandOver.MESSAGE)

    assert bank.state(application) is ApplicationState.APPROVED
    assert not bank.stored.codes
    assert len(bank.unit_of_work.events) == events


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ({}, {}),
        ({}, {"email": "thief@bank.example", "phone": "+8613999999999"}),
        ({"email": "li@bank.example"}, {"email": "thief@bank.example"}),
        ({"phone": "+8613800138000"}, {"phone": "+8613999999999"}),
        ({"email": "li@bank.example"}, {"email": ""}),
    ],
)
def test_an_address_that_nobody_approved_gets_no_code(bank: Bank, then: dict[str, str], now: dict[str, str]) -> None:
    application, customer = approved(bank, **then)
    bank.stored.customers[customer.id] = replace(customer, **now)

    with pytest.raises(InvalidRequest, match="hand out a letter"):
        bank.hand_out(bank.session(MARIA), application, HandOver.MESSAGE)

    assert bank.posted == []
    assert bank.state(application) is ApplicationState.APPROVED


@pytest.mark.parametrize("way", ["", "LETTER", "telephone"])
def test_there_are_two_ways_to_hand_a_code_out(way: str) -> None:
    with pytest.raises(InvalidRequest, match="by letter or by message"):
        parse_hand_over(way)
