"""ca/usecases/sign_in.py and authorize.py: a passkey gives a session, and rows give nothing (THREATS 2-7, 45, 46)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.decisions import Assertion
from ca.domain.errors import NotAllowed, NotAuthenticated, NotReady, Tampered
from ca.domain.officers import TrustedRole
from ca.domain.policy import USUAL
from ca.usecases.authorize import token_hash
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import MARIA, PAVEL, Bank

SECOND = timedelta(seconds=1)


def test_a_passkey_signs_in(bank: Bank) -> None:
    colleague = bank[MARIA]
    assert bank.sign_in.who(colleague.session).sealed_fields() == colleague.officer.sealed_fields()
    assert bank.unit_of_work.events[-1].name == "officer.signed-in"
    assert bank.unit_of_work.events[-1].actor == MARIA


def test_the_token_is_kept_nowhere(bank: Bank) -> None:
    session = bank.session(MARIA)
    assert session not in str(bank.stored)
    assert token_hash(session) in bank.stored.sessions


def refused(bank: Bank, challenge: bytes, assertion: Assertion) -> None:
    with pytest.raises(NotAuthenticated):
        bank.sign_in(challenge, assertion)


def test_an_unknown_passkey_does_not_sign_in(bank: Bank) -> None:
    challenge = bank.sign_in.challenge()
    refused(bank, challenge, FakePasskey().sign(challenge))


def test_a_passkey_under_anothers_name_does_not_sign_in(bank: Bank) -> None:
    passkey = FakePasskey()
    passkey.credential_id = bank[MARIA].passkey.credential_id
    challenge = bank.sign_in.challenge()
    refused(bank, challenge, passkey.sign(challenge))


def test_a_challenge_of_ones_own_does_not_sign_in(bank: Bank) -> None:
    refused(bank, bytes(32), bank[MARIA].passkey.sign(bytes(32)))


def test_a_challenge_signs_in_once(bank: Bank) -> None:
    passkey, challenge = bank[MARIA].passkey, bank.sign_in.challenge()
    assertion = passkey.sign(challenge)
    bank.sign_in(challenge, assertion)
    refused(bank, challenge, assertion)


def test_a_challenge_is_used_up_by_a_failed_attempt_too(bank: Bank) -> None:
    passkey, challenge = bank[MARIA].passkey, bank.sign_in.challenge()
    refused(bank, challenge, passkey.sign(bytes(32)))
    refused(bank, challenge, passkey.sign(challenge))


def test_a_challenge_is_used_up_by_a_suspended_officers_attempt_too(bank: Bank) -> None:
    passkey = bank[PAVEL].passkey
    bank.suspend(PAVEL)
    challenge = bank.sign_in.challenge()
    refused(bank, challenge, passkey.sign(challenge))
    assert ("sign-in", challenge) not in bank.stored.challenges


def test_a_challenge_is_good_for_five_minutes(bank: Bank) -> None:
    passkey, challenge = bank[MARIA].passkey, bank.sign_in.challenge()
    bank.clock.tick(timedelta(minutes=5) + SECOND)
    refused(bank, challenge, passkey.sign(challenge))


def test_a_challenge_for_something_else_does_not_sign_in(bank: Bank) -> None:
    view = bank.decide.show(bank.session(PAVEL), bank.submitted())
    refused(bank, view.challenge, bank[PAVEL].passkey.sign(view.challenge))


def test_a_copied_passkey_is_found_out(bank: Bank) -> None:
    passkey = FakePasskey(counts=True)
    bank.officer("E1050", frozenset({TrustedRole.HOTLINE}), passkey=passkey)
    passkey.uses = 0
    challenge = bank.sign_in.challenge()
    refused(bank, challenge, passkey.sign(challenge))


def test_all_refusals_read_alike(bank: Bank) -> None:
    passkey = bank[PAVEL].passkey
    bank.suspend(PAVEL)
    answers = set()
    for signer in (FakePasskey(), passkey):
        challenge = bank.sign_in.challenge()
        with pytest.raises(NotAuthenticated) as error:
            bank.sign_in(challenge, signer.sign(challenge))
        answers.add(str(error.value))
    assert len(answers) == 1


def test_an_officer_written_into_the_database_does_not_sign_in(bank: Bank) -> None:
    passkey = FakePasskey()
    mallory = replace(bank[MARIA].officer, id="mallory", person="E6666", credentials=(passkey.credential,))
    bank.stored.officers["mallory"] = (mallory, bytes(32))
    with pytest.raises(Tampered):
        bank.signed_in(passkey)


def test_a_passkey_added_in_the_database_does_not_sign_in(bank: Bank) -> None:
    passkey, maria = FakePasskey(), bank[MARIA]
    bank.rewrite_officer(MARIA, credentials=(maria.passkey.credential, passkey.credential))
    with pytest.raises(Tampered):
        bank.signed_in(passkey)


def test_a_look_up_that_finds_the_wrong_officer_signs_nobody_in(bank: Bank) -> None:
    maria, stranger, found = bank[MARIA], FakePasskey(), bank.unit_of_work

    class WrongOfficers:
        def __init__(self, honest: object) -> None:
            self._honest = honest

        def __getattr__(self, name: str) -> object:
            return getattr(self._honest, name)

        def find_by_credential(self, credential_id: bytes) -> object:
            return found.stored.officers[maria.officer.id]

    def careless_work():  # type: ignore[no-untyped-def]  # a unit of work
        work = found()
        honest_open = work._open

        def opened() -> None:
            honest_open()
            work.officers = WrongOfficers(work.officers)  # type: ignore[assignment]  # a careless repository

        work._open = opened  # type: ignore[method-assign]  # of this one transaction
        return work

    sign_in = replace(bank.sign_in, unit_of_work=careless_work)
    challenge = sign_in.challenge()
    with pytest.raises(NotAuthenticated):
        sign_in(challenge, stranger.sign(challenge))


# Sessions


def test_a_session_ends_after_ten_idle_minutes(bank: Bank) -> None:
    session = bank.session(MARIA)
    bank.clock.tick(USUAL.session_idle)
    bank.sign_in.who(session)
    bank.clock.tick(USUAL.session_idle + SECOND)
    with pytest.raises(NotAuthenticated, match="session is over"):
        bank.sign_in.who(session)


def test_a_session_ends_after_eight_hours_however_busy(bank: Bank) -> None:
    session = bank.session(MARIA)
    for _ in range(USUAL.session_life // USUAL.session_idle):
        bank.clock.tick(USUAL.session_idle)
        bank.sign_in.who(session)
    bank.clock.tick(SECOND)
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(session)


def test_signing_out_ends_the_session(bank: Bank) -> None:
    session = bank.session(MARIA)
    bank.sign_in.out(session)
    assert bank.event_names[-1] == "officer.signed-out"
    for act in (bank.sign_in.who, bank.sign_in.out):
        with pytest.raises(NotAuthenticated):
            act(session)


@pytest.mark.parametrize("token", ["", "*", "%", "' OR 1=1 --", "a" * 100])
def test_a_made_up_token_is_no_session(bank: Bank, token: str) -> None:
    bank.session(MARIA)
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(token)


def test_a_session_written_into_the_database_is_none(bank: Bank) -> None:
    session = bank.session(MARIA)
    found, _ = bank.stored.sessions[token_hash(session)]
    bank.stored.sessions[token_hash("mine")] = (replace(found, token_hash=token_hash("mine")), bytes(32))
    with pytest.raises(Tampered):
        bank.sign_in.who("mine")


def test_a_session_given_to_another_officer_in_the_database_is_none(bank: Bank) -> None:
    session, other = bank.session(MARIA), bank[PAVEL].officer.id
    found, seal = bank.stored.sessions[token_hash(session)]
    bank.stored.sessions[token_hash(session)] = (replace(found, officer=other), seal)
    with pytest.raises(Tampered):
        bank.sign_in.who(session)


def test_a_session_cannot_be_made_younger_in_the_database(bank: Bank) -> None:
    session = bank.session(MARIA)
    bank.clock.tick(USUAL.session_life + SECOND)
    found, seal = bank.stored.sessions[token_hash(session)]
    now = bank.clock.now()
    bank.stored.sessions[token_hash(session)] = (replace(found, began_at=now, seen_at=now), seal)
    with pytest.raises(Tampered):
        bank.sign_in.who(session)


def test_a_role_written_into_the_database_grants_nothing(bank: Bank) -> None:
    session = bank.session(MARIA)
    bank.rewrite_officer(MARIA, roles=frozenset(TrustedRole))
    with pytest.raises(Tampered):
        bank.change_officer(session, "any", state="suspended", reason="because")


def test_an_officer_reinstated_in_the_database_is_not(bank: Bank) -> None:
    session = bank.session(PAVEL)
    active, _ = bank.stored.officers[f"officer-{PAVEL}"]
    bank.suspend(PAVEL)
    found, seal = bank.stored.sessions[token_hash(session)]
    bank.stored.sessions[token_hash(session)] = (replace(found, ended=False), seal)
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(session)
    bank.rewrite_officer(PAVEL, state=active.state)
    with pytest.raises(Tampered):
        bank.sign_in.who(session)


def test_a_session_alone_grants_no_role(bank: Bank) -> None:
    with pytest.raises(NotAllowed, match="security-officer"):
        bank.invite.propose(bank.session(MARIA), person="E9", name="N", branch="B", roles=["auditor"])


def test_looking_twice_in_a_second_writes_once(bank: Bank) -> None:
    session = bank.session(MARIA)
    seen = bank.stored.sessions[token_hash(session)]
    bank.sign_in.who(session)
    assert bank.stored.sessions[token_hash(session)] == seen


def test_no_event_means_no_session(bank: Bank) -> None:
    passkey, challenge = bank[MARIA].passkey, bank.sign_in.challenge()
    assertion, sessions = passkey.sign(challenge), len(bank.stored.sessions)
    bank.unit_of_work.refuse_commit(2)
    with pytest.raises(NotReady):
        bank.sign_in(challenge, assertion)
    assert len(bank.stored.sessions) == sessions
