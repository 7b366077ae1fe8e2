"""ca/usecases/own_access.py, end_sessions.py: a step-up first, only one's own, and old tokens die (THREATS 45)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated, NotFound, Tampered
from ca.domain.officers import MOST_PASSKEYS, Officer
from ca.domain.policy import USUAL
from ca.domain.sessions import STEP_UP_LIFE
from ca.officer_handlers import Officers
from ca.usecases.authorize import token_hash
from ca.usecases.own_access import OwnAccess
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import AUDITOR, MARIA, PAVEL, SECURITY, Bank

SECOND = timedelta(seconds=1)


@pytest.fixture
def officers(bank: Bank) -> Officers:
    return bank.officers


@pytest.fixture
def access(officers: Officers) -> OwnAccess:
    return officers.access


def step_up(bank: Bank, access: OwnAccess, person: str = MARIA) -> str:
    """The token of the session that took the place of the one before."""
    session = bank.session(person)
    challenge = access.challenge(session)
    return access.step_up(session, challenge, bank[person].passkey.sign(challenge))


def add(access: OwnAccess, session: str, passkey: FakePasskey | None = None, label: str = "spare") -> Officer:
    _, challenge = access.new_passkey(session)
    registration = (passkey or FakePasskey()).register(challenge)
    return access.add_passkey(session, challenge=challenge, registration=registration, label=label)


# Step-up


def test_a_step_up_exchanges_the_token_and_the_old_one_is_dead(bank: Bank, access: OwnAccess) -> None:
    before = bank.session(MARIA)
    after = step_up(bank, access)
    assert after != before
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(before)
    assert bank.sign_in.who(after).person == MARIA
    assert after not in str(bank.stored)
    assert bank.event_names[-1] == "officer.stepped-up"


def test_a_token_known_before_the_step_up_changes_nothing_after_it(bank: Bank, access: OwnAccess) -> None:
    # Fixation (T-18): whoever planted or copied the token is left with nothing.
    planted = bank.session(MARIA)
    step_up(bank, access)
    for attempt in (
        lambda: access.new_passkey(planted),
        lambda: access.show(planted),
        lambda: access.challenge(planted),
        lambda: access.end_others(planted),
    ):
        with pytest.raises(NotAuthenticated):
            attempt()


def test_a_sign_in_is_no_step_up(bank: Bank, officers: Officers) -> None:
    session = bank.session(MARIA)
    credential = bank[MARIA].passkey.credential_id
    for attempt in (
        lambda: officers.access.new_passkey(session),
        lambda: officers.access.remove_passkey(session, credential),
        lambda: officers.recover.make(session),
    ):
        with pytest.raises(NotAllowed, match="it is you"):
            attempt()


def test_a_step_up_is_good_for_five_minutes(bank: Bank, access: OwnAccess) -> None:
    session = step_up(bank, access)
    bank.clock.tick(STEP_UP_LIFE)
    access.new_passkey(session)
    bank.clock.tick(SECOND)
    with pytest.raises(NotAllowed):
        access.new_passkey(session)
    assert access.show(session).stepped_up_until is None
    assert bank.sign_in.who(session).person == MARIA


def test_a_registration_begun_in_time_is_not_finished_too_late(bank: Bank, access: OwnAccess) -> None:
    session = step_up(bank, access)
    bank.clock.tick(STEP_UP_LIFE)
    _, challenge = access.new_passkey(session)
    bank.clock.tick(SECOND)
    registration = FakePasskey().register(challenge)
    with pytest.raises(NotAllowed):
        access.add_passkey(session, challenge=challenge, registration=registration, label="late")


def test_a_step_up_begins_the_eight_hours_anew(bank: Bank, access: OwnAccess) -> None:
    bank.session(MARIA)
    session = step_up(bank, access)
    began = bank.stored.sessions[token_hash(session)][0].began_at
    assert began == bank.clock.now()
    assert began + USUAL.session_life > bank.clock.now()


def test_a_step_up_written_into_the_database_is_none(bank: Bank, access: OwnAccess) -> None:
    session = bank.session(MARIA)
    kept, seal = bank.stored.sessions[token_hash(session)]
    bank.stored.sessions[token_hash(session)] = (replace(kept, stepped_up_at=bank.clock.now()), seal)
    with pytest.raises(Tampered):
        access.new_passkey(session)


def refused_step_up(access: OwnAccess, session: str, challenge: bytes, passkey: FakePasskey) -> None:
    with pytest.raises(NotAuthenticated):
        access.step_up(session, challenge, passkey.sign(challenge))


def test_only_ones_own_passkey_steps_up(bank: Bank, access: OwnAccess) -> None:
    session = bank.session(MARIA)
    refused_step_up(access, session, access.challenge(session), bank[PAVEL].passkey)
    refused_step_up(access, session, access.challenge(session), FakePasskey())
    assert bank.sign_in.who(session).person == MARIA


def test_only_a_challenge_of_ones_own_for_this_purpose_steps_up_once(bank: Bank, access: OwnAccess) -> None:
    session, passkey = bank.session(MARIA), bank[MARIA].passkey
    for challenge in (bytes(32), bank.sign_in.challenge(), access.challenge(bank.session(PAVEL))):
        refused_step_up(access, session, challenge, passkey)
    challenge = access.challenge(session)
    bank.clock.tick(timedelta(minutes=5, seconds=1))
    refused_step_up(access, session, challenge, passkey)
    challenge = access.challenge(session)
    fresh = access.step_up(session, challenge, passkey.sign(challenge))
    refused_step_up(access, fresh, challenge, passkey)


def test_a_challenge_is_used_up_by_a_failed_step_up(bank: Bank, access: OwnAccess) -> None:
    session = bank.session(MARIA)
    challenge = access.challenge(session)
    refused_step_up(access, session, challenge, FakePasskey())
    refused_step_up(access, session, challenge, bank[MARIA].passkey)


def test_a_step_ups_challenge_signs_nobody_in(bank: Bank, access: OwnAccess) -> None:
    challenge = access.challenge(bank.session(MARIA))
    with pytest.raises(NotAuthenticated):
        bank.sign_in(challenge, bank[MARIA].passkey.sign(challenge))


# Passkeys


def test_a_second_passkey_signs_in(bank: Bank, access: OwnAccess) -> None:
    session, second = step_up(bank, access), FakePasskey()
    officer = add(access, session, second, label="blue key")
    assert [each.label for each in officer.credentials] == ["a passkey", "blue key"]
    assert bank.signed_in(second).officer.person == MARIA
    event = next(one for one in bank.unit_of_work.events if one.name == "officer.passkey-registered")
    assert (event.actor, event.details["by"], event.details["label"]) == (MARIA, "step-up", "blue key")
    bank.verify_audit()


def test_last_uses_are_told(bank: Bank, access: OwnAccess) -> None:
    session, second = step_up(bank, access), FakePasskey()
    add(access, session, second)
    assert [each.used_at for each in access.show(session).passkeys] == [bank.clock.now(), None]
    bank.clock.tick(timedelta(minutes=2))
    bank.signed_in(second)
    assert access.show(session).passkeys[1].used_at == bank.clock.now()


def test_a_passkey_made_for_another_officer_or_purpose_is_not_taken(bank: Bank, access: OwnAccess) -> None:
    mine, theirs = step_up(bank, access), step_up(bank, access, PAVEL)
    _, for_pavel = access.new_passkey(theirs)
    for challenge in (for_pavel, bank.sign_in.challenge(), access.challenge(mine), bytes(32)):
        registration = FakePasskey().register(challenge)
        with pytest.raises(NotAuthenticated):
            access.add_passkey(mine, challenge=challenge, registration=registration, label="x")
    assert len(access.show(mine).passkeys) == 1


def test_a_challenge_registers_one_passkey(bank: Bank, access: OwnAccess) -> None:
    session = step_up(bank, access)
    _, challenge = access.new_passkey(session)
    access.add_passkey(session, challenge=challenge, registration=FakePasskey().register(challenge), label="x")
    with pytest.raises(NotAuthenticated):
        access.add_passkey(session, challenge=challenge, registration=FakePasskey().register(challenge), label="y")


def test_a_passkey_belongs_to_one_officer_once(bank: Bank, access: OwnAccess) -> None:
    session = step_up(bank, access)
    for passkey in (bank[MARIA].passkey, bank[PAVEL].passkey):
        with pytest.raises(InvalidRequest, match="registered already"):
            add(access, session, passkey)


@pytest.mark.parametrize("label", ["", " ", "x" * 61, "a\nb", "x\u202e"], ids=ascii)
def test_a_passkeys_name_is_plain_text(bank: Bank, access: OwnAccess, label: str) -> None:
    session = step_up(bank, access)
    with pytest.raises(InvalidRequest):
        add(access, session, label=label)


def test_there_is_an_end_to_passkeys(bank: Bank, access: OwnAccess) -> None:
    session = step_up(bank, access)
    for _ in range(MOST_PASSKEYS - 1):
        add(access, session)
    with pytest.raises(InvalidTransition, match="remove one first"):
        add(access, session)


def test_a_passkey_that_was_removed_signs_nobody_in_and_its_sessions_are_over(bank: Bank, access: OwnAccess) -> None:
    session, second = step_up(bank, access), FakePasskey()
    add(access, session, second)
    stolen = bank.signed_in(second).session
    officer = access.remove_passkey(session, second.credential_id)
    assert [each.id for each in officer.credentials] == [bank[MARIA].passkey.credential_id]
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(stolen)
    with pytest.raises(NotAuthenticated):
        bank.signed_in(second)
    assert bank.sign_in.who(session).person == MARIA
    assert "officer.passkey-removed" in bank.event_names
    bank.verify_audit()


def test_the_last_passkey_stays(bank: Bank, access: OwnAccess) -> None:
    session = step_up(bank, access)
    with pytest.raises(InvalidTransition, match="last passkey"):
        access.remove_passkey(session, bank[MARIA].passkey.credential_id)


def test_nobody_removes_anothers_passkey(bank: Bank, access: OwnAccess) -> None:
    add(access, step_up(bank, access, PAVEL))
    session = step_up(bank, access)
    with pytest.raises(NotFound):
        access.remove_passkey(session, bank[PAVEL].passkey.credential_id)


def test_a_passkey_more_or_less_voids_a_proposed_change_of_roles(bank: Bank, access: OwnAccess) -> None:
    # The record that the second security officer would approve is not the one that was read.
    bank.session(MARIA)
    change = bank.move.propose(
        bank.session(SECURITY), f"officer-{MARIA}", branch="x", roles=["hotline"], reason="moves"
    )
    add(access, step_up(bank, access))
    assert bank.move.show(bank.session(SECURITY), change.id).is_void


# Sessions


def test_ones_own_live_sessions_are_told_with_where_from(bank: Bank, access: OwnAccess) -> None:
    here = bank.session(MARIA)
    bank.session(PAVEL)
    bank.clock.tick(timedelta(minutes=1))
    challenge = bank.sign_in.challenge()
    there, _ = bank.sign_in(challenge, bank[MARIA].passkey.sign(challenge), source="192.0.2.7")
    shown = access.show(here).sessions
    assert [(live.session.source, live.is_this) for live in shown] == [("192.0.2.7", False), ("", True)]
    bank.sign_in.out(there)
    assert len(access.show(here).sessions) == 1


def test_a_session_that_is_over_by_time_is_not_told(bank: Bank, access: OwnAccess) -> None:
    bank.session(MARIA)
    bank.clock.tick(timedelta(minutes=11))
    assert len(access.show(bank.session(MARIA)).sessions) == 1


def test_one_session_is_ended(bank: Bank, access: OwnAccess) -> None:
    here, there = bank.session(MARIA), bank.signed_in(bank[MARIA].passkey).session
    access.end_session(here, token_hash(there)[:16])
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(there)
    assert bank.sign_in.who(here).person == MARIA
    with pytest.raises(NotFound):
        access.end_session(here, token_hash(there)[:16])


def test_nobody_ends_anothers_session(bank: Bank, access: OwnAccess) -> None:
    theirs = bank.session(PAVEL)
    for name in (token_hash(theirs)[:16], token_hash(theirs), theirs, "", "%", "*"):
        with pytest.raises(NotFound):
            access.end_session(bank.session(MARIA), name)
    assert bank.sign_in.who(theirs).person == PAVEL


def test_all_other_sessions_are_ended_and_no_other_officers(bank: Bank, access: OwnAccess) -> None:
    here = bank.session(MARIA)
    others = [bank.signed_in(bank[MARIA].passkey).session for _ in range(2)]
    pavel = bank.session(PAVEL)
    assert access.end_others(here) == 2
    for session in others:
        with pytest.raises(NotAuthenticated):
            bank.sign_in.who(session)
    assert (bank.sign_in.who(here).person, bank.sign_in.who(pavel).person) == (MARIA, PAVEL)
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.details) == ("officer.sessions-ended", {"sessions": "2"})


# A security officer ends them


def test_a_security_officer_ends_all_sessions_of_one(bank: Bank, officers: Officers) -> None:
    sessions = [bank.session(MARIA), bank.signed_in(bank[MARIA].passkey).session]
    pavel = bank.session(PAVEL)
    assert officers.end.of(bank.session(SECURITY), f"officer-{MARIA}") == 2
    for session in sessions:
        with pytest.raises(NotAuthenticated):
            bank.sign_in.who(session)
    assert bank.sign_in.who(pavel).person == PAVEL
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.subject, event.actor) == ("officer.sessions-ended", f"officer-{MARIA}", SECURITY)
    with pytest.raises(NotFound):
        officers.end.of(bank.session(SECURITY), "nobody")


def test_a_security_officer_ends_everybodys_sessions_and_their_own(bank: Bank, officers: Officers) -> None:
    sessions = [bank.session(person) for person in (MARIA, PAVEL, SECURITY)]
    assert officers.end.of_everybody(sessions[-1]) == 3
    for session in sessions:
        with pytest.raises(NotAuthenticated):
            bank.sign_in.who(session)
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.actor, event.details) == ("sessions.all-ended", SECURITY, {"sessions": "3"})
    assert bank.signed_in(bank._staff[MARIA].passkey).officer.person == MARIA


@pytest.mark.parametrize("person", [MARIA, AUDITOR])
def test_nobody_else_ends_others_sessions(bank: Bank, officers: Officers, person: str) -> None:
    session = bank.session(person)
    acts: tuple[Callable[[], int], ...] = (
        lambda: officers.end.of(session, f"officer-{person}"),
        lambda: officers.end.of_everybody(session),
    )
    for act in acts:
        with pytest.raises(NotAllowed, match="security-officer"):
            act()
