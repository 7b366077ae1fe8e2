"""ca/usecases/portal_sessions.py and letters.py: the letter opens an account once, a password opens sessions, and who
guesses learns nothing (THREATS 21, 45, 47)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.accounts import LETTER_ATTEMPTS, Account, Channel, Language
from ca.domain.errors import InvalidRequest, NotAllowed, NotAuthenticated, NotFound, Tampered
from ca.domain.policy import USUAL
from ca.usecases.authorize import token_hash
from ca.usecases.portal_sessions import WRONG, WRONG_LETTER
from tests.fakes.bank import HOTLINE, MARIA, STRANGER, Bank
from tests.fakes.use_cases import QuickPasswords, portal_of

PASSWORD, OTHER = "correct horse battery", "another horse entirely"


class Customer:
    """A customer of Maria's branch and the portal."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.passwords = bank, QuickPasswords()
        self.portal = portal_of(bank, passwords=self.passwords)
        self.id = bank.register_customer(
            bank.session(MARIA), kind="person", number="C77", name="Li Qiang", document_number="ID77", email=""
        ).id

    def letter(self, officer: str = MARIA) -> str:
        return self.portal.letters(self.bank.session(officer), "C77").code

    def open(self) -> None:
        self.portal.sign_in.open("C77", self.letter(), PASSWORD)

    def signed_in(self, password: str = PASSWORD) -> str:
        return self.portal.sign_in("C77", password, source="192.0.2.1")[0]


@pytest.fixture
def customer(bank: Bank) -> Customer:
    return Customer(bank)


def test_the_letter_sets_the_first_password_and_then_no_other(customer: Customer) -> None:
    code = customer.letter()
    customer.portal.sign_in.open("C77", f" {code.lower()}", PASSWORD)

    assert customer.portal.sign_in.who(customer.signed_in())[0].id == customer.id
    with pytest.raises(NotAuthenticated, match=WRONG_LETTER):
        customer.portal.sign_in.open("C77", code, OTHER)


def test_the_code_of_a_letter_is_kept_as_a_mac_only(customer: Customer) -> None:
    code = customer.letter()

    assert code not in repr(customer.bank.stored.accounts)
    assert code not in repr(customer.bank.unit_of_work.events)


def test_a_new_letter_voids_the_one_before_and_leaves_the_password(customer: Customer) -> None:
    customer.open()
    first, second = customer.letter(), customer.letter()
    customer.signed_in()

    with pytest.raises(NotAuthenticated):
        customer.portal.sign_in.open("C77", first, OTHER)
    customer.portal.sign_in.open("C77", second, OTHER)
    customer.signed_in(OTHER)


def test_a_letter_is_void_after_some_wrong_codes(customer: Customer) -> None:
    code = customer.letter()
    for _ in range(LETTER_ATTEMPTS):
        with pytest.raises(NotAuthenticated):
            customer.portal.sign_in.open("C77", "0000-0000-0000", PASSWORD)

    with pytest.raises(NotAuthenticated, match=WRONG_LETTER):
        customer.portal.sign_in.open("C77", code, PASSWORD)
    assert customer.bank.event_names.count("account.letter-refused") == LETTER_ATTEMPTS


def test_a_letter_is_void_after_two_weeks(customer: Customer) -> None:
    code = customer.letter()
    customer.bank.clock.tick(USUAL.letter_life + timedelta(seconds=1))

    with pytest.raises(NotAuthenticated):
        customer.portal.sign_in.open("C77", code, PASSWORD)


def test_a_password_that_is_refused_costs_nothing(customer: Customer) -> None:
    code = customer.letter()
    with pytest.raises(InvalidRequest, match="cannot be used"):
        customer.portal.sign_in.open("C77", code, "12345678")

    customer.portal.sign_in.open("C77", code, PASSWORD)


def test_opening_again_ends_every_session(customer: Customer) -> None:
    customer.open()
    token = customer.signed_in()
    customer.open()

    with pytest.raises(NotAuthenticated):
        customer.portal.sign_in.who(token)


@pytest.mark.parametrize("number", ["C77", "nobody", "C77 ", "c77", "%", "*"])
def test_whatever_is_wrong_the_answer_is_the_same_and_costs_the_same(customer: Customer, number: str) -> None:
    customer.open()
    before = customer.passwords.asked

    with pytest.raises(NotAuthenticated, match=f"^{WRONG}$"):
        customer.portal.sign_in(number, "wrong password", source="192.0.2.1")

    assert customer.passwords.asked == before + 1


def test_a_customer_without_an_account_cannot_sign_in(customer: Customer) -> None:
    for password in ("", PASSWORD):
        with pytest.raises(NotAuthenticated, match=f"^{WRONG}$"):
            customer.portal.sign_in("C77", password, source="192.0.2.1")
    customer.letter()
    with pytest.raises(NotAuthenticated, match=f"^{WRONG}$"):
        customer.portal.sign_in("C77", "", source="192.0.2.1")


def test_a_wrong_password_is_an_event_of_the_customer_and_an_unknown_number_is_in_no_event(customer: Customer) -> None:
    customer.open()
    for number in ("C77", "my password in the wrong field"):
        with pytest.raises(NotAuthenticated):
            customer.portal.sign_in(number, "wrong password", source="192.0.2.1")

    refused = [event for event in customer.bank.unit_of_work.events if event.name == "customer.sign-in-refused"]
    assert [event.subject for event in refused] == [customer.id, "unknown"]
    assert "my password" not in repr(customer.bank.unit_of_work.events)


def test_nobody_is_locked_out_by_others_who_guess(customer: Customer) -> None:
    customer.open()
    for _ in range(50):
        with pytest.raises(NotAuthenticated):
            customer.portal.sign_in("C77", "wrong password", source="203.0.113.9")

    customer.signed_in()


@pytest.mark.parametrize("idle", [True, False])
def test_a_session_ends_by_idleness_and_by_age(customer: Customer, *, idle: bool) -> None:
    customer.open()
    token = customer.signed_in()
    steps = 1 if idle else USUAL.portal_session_life // USUAL.portal_session_idle
    for _ in range(steps):
        customer.bank.clock.tick(USUAL.portal_session_idle)
        customer.portal.sign_in.who(token)
    customer.bank.clock.tick(USUAL.portal_session_idle + timedelta(seconds=1) if idle else timedelta(seconds=1))

    with pytest.raises(NotAuthenticated, match="over"):
        customer.portal.sign_in.who(token)


def test_signing_out_ends_this_session_and_no_other(customer: Customer) -> None:
    customer.open()
    here, there = customer.signed_in(), customer.signed_in()
    customer.portal.sign_in.out(here)

    customer.portal.sign_in.who(there)
    with pytest.raises(NotAuthenticated):
        customer.portal.sign_in.who(here)


def test_all_other_sessions_can_be_seen_and_ended(customer: Customer) -> None:
    customer.open()
    there = customer.signed_in()
    customer.bank.clock.tick(timedelta(seconds=1))
    here = customer.signed_in()

    listed = customer.portal.sign_in.list_sessions(here)
    assert [one.is_this for one in listed] == [True, False]
    assert customer.portal.sign_in.end_others(here) == 1
    assert [one.is_this for one in customer.portal.sign_in.list_sessions(here)] == [True]
    with pytest.raises(NotAuthenticated):
        customer.portal.sign_in.who(there)


def test_a_new_password_needs_the_present_one_and_ends_the_other_sessions(customer: Customer) -> None:
    customer.open()
    there, here = customer.signed_in(), customer.signed_in()
    change = customer.portal.sign_in.change_password
    for old, new, why in (
        ("wrong", OTHER, "not right"), (PASSWORD, "12345678", "cannot be used"), (PASSWORD, PASSWORD, "present one"),
    ):  # fmt: skip
        with pytest.raises(InvalidRequest, match=why):
            change(here, old, new)
    change(here, PASSWORD, OTHER)

    customer.portal.sign_in.who(here)
    customer.signed_in(OTHER)
    with pytest.raises(NotAuthenticated):
        customer.portal.sign_in.who(there)
    with pytest.raises(NotAuthenticated):
        customer.signed_in(PASSWORD)


def test_a_language_is_chosen_among_those_there_are(customer: Customer) -> None:
    customer.open()
    token = customer.signed_in()
    customer.portal.sign_in.choose_language(token, "zh")

    assert customer.portal.sign_in.who(token)[1].language is Language.CHINESE
    with pytest.raises(InvalidRequest):
        customer.portal.sign_in.choose_language(token, "tlh")


def test_the_way_of_notices_is_chosen_among_those_there_are(customer: Customer) -> None:
    customer.open()
    token = customer.signed_in()
    assert customer.portal.sign_in.who(token)[1].channel is Channel.BOTH
    customer.portal.sign_in.choose_channel(token, "sms")

    assert customer.portal.sign_in.who(token)[1].channel is Channel.SMS
    for none in ("", "none", "fax"):
        with pytest.raises(InvalidRequest):
            customer.portal.sign_in.choose_channel(token, none)


def test_a_seal_from_before_the_choice_could_be_made_counts_and_one_choice_is_not_another() -> None:
    account = Account("c", 1)

    assert b"channel" not in account.sealed_fields()
    assert len({account.with_channel(channel).sealed_fields() for channel in Channel}) == 3


def test_an_account_that_somebody_wrote_into_the_database_opens_nothing(customer: Customer) -> None:
    customer.open()
    account, seal = customer.bank.stored.accounts[customer.id]
    customer.bank.stored.accounts[customer.id] = (replace(account, password_mac=b"\0" * 32), seal)

    with pytest.raises(Tampered):
        customer.signed_in()


def test_a_session_that_somebody_wrote_into_the_database_is_none(customer: Customer) -> None:
    customer.open()
    token = customer.signed_in()
    session, seal = customer.bank.stored.customer_sessions[token_hash(token)]
    forged = replace(session, token_hash=token_hash("forged"))
    customer.bank.stored.customer_sessions[forged.token_hash] = (forged, seal)

    with pytest.raises(Tampered):
        customer.portal.sign_in.who("forged")


@pytest.mark.parametrize(("officer", "error"), [(HOTLINE, NotAllowed), (STRANGER, NotFound)])
def test_only_officers_of_the_customers_branch_hand_out_a_letter(
    customer: Customer, officer: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        customer.letter(officer)


def test_there_is_no_letter_for_nobody(customer: Customer) -> None:
    with pytest.raises(NotFound):
        customer.portal.letters(customer.bank.session(MARIA), "nobody")
