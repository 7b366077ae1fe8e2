"""ca/usecases/recovery.py: a code gives a new passkey, once; guessing gets nowhere (THREATS 21, 46, 47)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.codes import shown
from ca.domain.errors import InvalidRequest, NotAllowed, NotAuthenticated, Tampered
from ca.domain.officers import Officer, TrustedRole
from ca.domain.recovery import CODES, DEAF_FOR, MISSES_IN_A_ROW
from ca.usecases.own_access import OwnAccess
from ca.usecases.recovery import WRONG, RecoverAccess
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import MARIA, PAVEL, SECURITY, Bank

SECOND = timedelta(seconds=1)
NO_CODE = "0000-0000-0000-0000-0000"


@pytest.fixture
def access(bank: Bank) -> OwnAccess:
    return bank.officers.access


@pytest.fixture
def recover(bank: Bank) -> RecoverAccess:
    return bank.officers.recover


def make(bank: Bank, access: OwnAccess, recover: RecoverAccess, person: str = MARIA) -> Sequence[str]:
    session = bank.session(person)
    challenge = access.challenge(session)
    return recover.make(access.step_up(session, challenge, bank[person].passkey.sign(challenge)))


@pytest.fixture
def codes(bank: Bank, access: OwnAccess, recover: RecoverAccess) -> Sequence[str]:
    return make(bank, access, recover)


def use(recover: RecoverAccess, code: str, passkey: FakePasskey | None = None, person: str = MARIA) -> Officer:
    _, challenge = recover.open(person, code)
    registration = (passkey or FakePasskey()).register(challenge)
    return recover(person, code, challenge=challenge, registration=registration, label="new phone")


def refused(recover: RecoverAccess, person: str, code: str) -> None:
    with pytest.raises(NotAuthenticated) as error:
        recover.open(person, code)
    assert str(error.value) == WRONG


# Making them


def test_ten_codes_of_ninety_five_bits_are_made_and_kept_nowhere(bank: Bank, codes: Sequence[str]) -> None:
    assert (len(codes), len(set(codes)), {len(code) for code in codes}) == (CODES, CODES, {20})
    for code in codes:
        assert code not in str(bank.stored)
    assert bank.event_names[-1] == "recovery.codes-made"


def test_new_codes_void_the_old(bank: Bank, access: OwnAccess, recover: RecoverAccess, codes: Sequence[str]) -> None:
    fresh = make(bank, access, recover)
    refused(recover, MARIA, codes[0])
    assert use(recover, fresh[0]).person == MARIA
    made = [one.details["void"] for one in bank.unit_of_work.events if one.name == "recovery.codes-made"]
    assert made == ["0", "10"]


def test_making_them_needs_a_step_up(bank: Bank, recover: RecoverAccess) -> None:
    with pytest.raises(NotAllowed):
        recover.make(bank.session(MARIA))
    assert bank.stored.recovery_codes == {}


# Using one


def test_a_code_gives_a_new_passkey_that_signs_in(bank: Bank, recover: RecoverAccess, codes: Sequence[str]) -> None:
    passkey = FakePasskey()
    officer = use(recover, codes[3], passkey)
    assert [each.label for each in officer.credentials] == ["a passkey", "new phone"]
    assert bank.signed_in(passkey).officer.person == MARIA
    names = ["recovery.code-used", "officer.passkey-registered", "officer.signed-in"]
    assert bank.event_names[-3:] == names
    assert bank.unit_of_work.events[-3].details == {"left": "9"}
    bank.verify_audit()


def test_it_may_be_typed_as_people_type(recover: RecoverAccess, codes: Sequence[str]) -> None:
    assert use(recover, f" {shown(codes[0]).lower()} ").person == MARIA


def test_a_code_is_used_once(recover: RecoverAccess, codes: Sequence[str]) -> None:
    use(recover, codes[0])
    refused(recover, MARIA, codes[0])
    use(recover, codes[1])


def test_looking_does_not_use_it_up(recover: RecoverAccess, codes: Sequence[str]) -> None:
    recover.open(MARIA, codes[0])
    recover.open(MARIA, codes[0])
    use(recover, codes[0])


def test_two_who_opened_with_one_code_do_not_both_get_in(recover: RecoverAccess, codes: Sequence[str]) -> None:
    (_, first), (_, second) = recover.open(MARIA, codes[0]), recover.open(MARIA, codes[0])
    recover(MARIA, codes[0], challenge=first, registration=FakePasskey().register(first), label="one")
    with pytest.raises(NotAuthenticated):
        recover(MARIA, codes[0], challenge=second, registration=FakePasskey().register(second), label="two")


def test_a_code_is_no_session_and_opens_none(bank: Bank, recover: RecoverAccess, codes: Sequence[str]) -> None:
    before = len(bank.stored.sessions)
    use(recover, codes[0])
    assert len(bank.stored.sessions) == before
    for token in (codes[0], shown(codes[0])):
        with pytest.raises(NotAuthenticated):
            bank.sign_in.who(token)


def test_every_session_ends_with_it(bank: Bank, recover: RecoverAccess, codes: Sequence[str]) -> None:
    session = bank.signed_in(bank[MARIA].passkey).session
    use(recover, codes[0])
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(session)


def test_anothers_code_is_of_no_use(
    bank: Bank, access: OwnAccess, recover: RecoverAccess, codes: Sequence[str]
) -> None:
    make(bank, access, recover, PAVEL)
    refused(recover, PAVEL, codes[0])
    refused(recover, SECURITY, codes[0])


def test_a_challenge_of_another_officer_is_not_taken(
    bank: Bank, access: OwnAccess, recover: RecoverAccess, codes: Sequence[str]
) -> None:
    theirs = make(bank, access, recover, PAVEL)
    _, challenge = recover.open(PAVEL, theirs[0])
    with pytest.raises(NotAuthenticated):
        recover(MARIA, codes[0], challenge=challenge, registration=FakePasskey().register(challenge), label="x")
    assert use(recover, codes[0]).person == MARIA


def test_a_challenge_is_good_for_five_minutes(bank: Bank, recover: RecoverAccess, codes: Sequence[str]) -> None:
    _, challenge = recover.open(MARIA, codes[0])
    bank.clock.tick(timedelta(minutes=5, seconds=1))
    with pytest.raises(NotAuthenticated, match="too long"):
        recover(MARIA, codes[0], challenge=challenge, registration=FakePasskey().register(challenge), label="x")
    assert use(recover, codes[0]).person == MARIA


def test_a_passkey_that_is_registered_uses_up_no_code(bank: Bank, recover: RecoverAccess, codes: Sequence[str]) -> None:
    for passkey in (bank[MARIA].passkey, bank[PAVEL].passkey):
        with pytest.raises(InvalidRequest, match="registered already"):
            use(recover, codes[0], passkey)
    assert use(recover, codes[0]).person == MARIA


@pytest.mark.parametrize("state", ["suspended", "left"])
def test_who_may_not_act_does_not_get_back_in(
    bank: Bank, recover: RecoverAccess, codes: Sequence[str], state: str
) -> None:
    _, challenge = recover.open(MARIA, codes[0])
    bank.change_officer(bank.session(SECURITY), f"officer-{MARIA}", state=state, reason="fraud")
    refused(recover, MARIA, codes[0])
    with pytest.raises(NotAuthenticated):
        recover(MARIA, codes[0], challenge=challenge, registration=FakePasskey().register(challenge), label="x")


def test_an_edited_record_is_not_got_back_into(bank: Bank, recover: RecoverAccess, codes: Sequence[str]) -> None:
    bank.rewrite_officer(MARIA, roles=frozenset({TrustedRole.SECURITY_OFFICER}))
    with pytest.raises(Tampered):
        recover.open(MARIA, codes[0])


# Guessing


@pytest.mark.parametrize("code", ["", "x", NO_CODE, "0" * 300, "0000-0000-0000-000\x00"], ids=ascii)
@pytest.mark.parametrize("person", ["", "E9999", "e1001", "E1001 ", "%", "*", PAVEL], ids=ascii)
def test_whatever_is_wrong_gets_the_same_words(
    bank: Bank, recover: RecoverAccess, codes: Sequence[str], person: str, code: str
) -> None:
    bank.session(PAVEL)  # an officer without codes
    refused(recover, person, code)
    assert len(bank.stored.recovery_codes) == 1


def test_after_five_wrong_ones_even_the_right_one_waits(
    bank: Bank, recover: RecoverAccess, codes: Sequence[str]
) -> None:
    for _ in range(MISSES_IN_A_ROW):
        refused(recover, MARIA, NO_CODE)
    refused(recover, MARIA, codes[0])
    bank.clock.tick(DEAF_FOR)
    refused(recover, MARIA, codes[0])
    bank.clock.tick(SECOND)
    assert use(recover, codes[0]).person == MARIA


def test_guessing_on_while_it_is_deaf_does_not_lock_the_officer_out_for_longer(
    bank: Bank, recover: RecoverAccess, codes: Sequence[str]
) -> None:
    for _ in range(MISSES_IN_A_ROW + 20):
        refused(recover, MARIA, NO_CODE)
    assert bank.event_names.count("recovery.code-missed") == MISSES_IN_A_ROW
    bank.clock.tick(DEAF_FOR + SECOND)
    assert use(recover, codes[0]).person == MARIA


def test_misses_far_apart_begin_anew(bank: Bank, recover: RecoverAccess, codes: Sequence[str]) -> None:
    for _ in range(3):
        refused(recover, MARIA, NO_CODE)
        refused(recover, MARIA, NO_CODE)
        bank.clock.tick(DEAF_FOR + SECOND)
    refused(recover, MARIA, NO_CODE)
    assert bank.stored.recovery_codes[f"officer-{MARIA}"][0].misses == 1
    assert use(recover, codes[0]).person == MARIA


def test_one_officers_misses_are_nobody_elses(
    bank: Bank, access: OwnAccess, recover: RecoverAccess, codes: Sequence[str]
) -> None:
    theirs = make(bank, access, recover, PAVEL)
    for _ in range(MISSES_IN_A_ROW):
        refused(recover, MARIA, NO_CODE)
    assert use(recover, theirs[0], person=PAVEL).person == PAVEL


def test_no_code_gets_into_the_log(bank: Bank, recover: RecoverAccess, codes: Sequence[str]) -> None:
    refused(recover, PAVEL, codes[0])
    use(recover, codes[0])
    assert codes[0] not in str(bank.unit_of_work.events)
    assert shown(codes[0]) not in str(bank.unit_of_work.events)


# A pen in the database


def test_a_set_written_into_the_database_opens_nothing(
    bank: Bank, recover: RecoverAccess, codes: Sequence[str]
) -> None:
    kept, seal = bank.stored.recovery_codes[f"officer-{MARIA}"]
    for forged in (
        replace(kept, macs=(*kept.macs, b"x" * 32)),
        replace(kept, misses=1),
        replace(kept, officer=f"officer-{PAVEL}"),
    ):
        bank.stored.recovery_codes[f"officer-{MARIA}"] = (forged, seal)
        with pytest.raises(Tampered):
            recover.open(MARIA, codes[0])


def test_a_set_moved_to_another_officer_opens_nothing(bank: Bank, recover: RecoverAccess, codes: Sequence[str]) -> None:
    bank.session(SECURITY)
    bank.stored.recovery_codes[f"officer-{SECURITY}"] = bank.stored.recovery_codes[f"officer-{MARIA}"]
    with pytest.raises((Tampered, NotAuthenticated)):
        recover.open(SECURITY, codes[0])
