"""ca/usecases/officers.py: two security officers make an officer, and nobody makes themselves one (THREATS 7)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ca.domain.codes import shown
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Tampered,
)
from ca.domain.officers import InvitationState, Officer, TrustedRole, code_halves, whole_code
from ca.usecases.authorize import token_hash
from ca.usecases.officers import Proposal
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import AUDITOR, BRANCH, MARIA, PAVEL, SECOND_SECURITY, SECURITY, SUPERVISOR, Bank

NEW = "E4001"


def proposal(bank: Bank, *, by: str = SECURITY, **changes: Any) -> Proposal:
    asked: dict[str, Any] = {"person": NEW, "name": "Nina", "branch": BRANCH, "roles": ["ra-operator"]} | changes
    return bank.invite.propose(bank.session(by), **asked)


def propose(bank: Bank, *, by: str = SECURITY, **changes: Any) -> str:
    return proposal(bank, by=by, **changes).invitation.id


def approve(bank: Bank, invitation: str, *, by: str = SECOND_SECURITY) -> str:
    _, challenge = bank.invite.show(bank.session(by), invitation)
    return bank.invite.approve(bank.session(by), invitation, bank[by].passkey.sign(challenge))


def redeem(bank: Bank, invitation: str, code: str, passkey: FakePasskey | None = None) -> Officer:
    _, challenge = bank.redeem.open(invitation, code)
    registration = (passkey or FakePasskey()).register(challenge)
    return bank.redeem(invitation, code, challenge=challenge, registration=registration, label="office")


def invited(bank: Bank, **changes: Any) -> tuple[str, str]:
    """The invitation and its whole code, as the invited person gets it from two officers."""
    proposed = proposal(bank, **changes)
    return proposed.invitation.id, whole_code(approve(bank, proposed.invitation.id), proposed.half)


# Proposing and approving


def test_two_security_officers_make_an_officer(bank: Bank) -> None:
    passkey = FakePasskey()
    officer = redeem(bank, *invited(bank), passkey)
    assert (officer.person, officer.branch, officer.roles) == (NEW, BRANCH, frozenset({TrustedRole.RA_OPERATOR}))
    assert bank.signed_in(passkey).officer == officer
    names = ["invitation.proposed", "invitation.approved", "officer.passkey-registered"]
    assert [name for name in bank.event_names if name in names] == names


@pytest.mark.parametrize("person", [MARIA, SUPERVISOR, AUDITOR])
def test_only_security_officers_propose_show_and_approve(bank: Bank, person: str) -> None:
    invitation, session = propose(bank), bank.session(person)
    assertion = bank[person].passkey.sign(bytes(32))
    for attempt in (
        lambda: propose(bank, by=person),
        lambda: bank.invite.show(session, invitation),
        lambda: bank.invite.approve(session, invitation, assertion),
    ):
        with pytest.raises(NotAllowed, match="security-officer"):
            attempt()


def test_who_proposed_does_not_approve(bank: Bank) -> None:
    invitation = propose(bank)
    with pytest.raises(NotAllowed, match="another security officer"):
        approve(bank, invitation, by=SECURITY)


def test_nobody_proposes_themselves(bank: Bank) -> None:
    with pytest.raises(NotAllowed, match="for themselves"):
        propose(bank, person=SECURITY, roles=["security-officer"])


def test_nobody_approves_roles_for_themselves(bank: Bank) -> None:
    bank.session(SECOND_SECURITY)
    invitation = propose(bank, person=SECOND_SECURITY, roles=["ra-approver"])
    with pytest.raises(NotAllowed, match="another security officer"):
        approve(bank, invitation)


@pytest.mark.parametrize("person", ["e2001", "E2001 ", "E 2001", "Е2001", "E--1", "-E1", "E1-", ""])
def test_an_employee_number_is_written_in_one_way(bank: Bank, person: str) -> None:
    # `e2001` (or a Cyrillic letter) would be a second person who is the first one.
    with pytest.raises(InvalidRequest):
        propose(bank, person=person)


@pytest.mark.parametrize(
    "roles",
    [
        [],
        ["root"],
        ["RA-OPERATOR"],
        ["auditor", "security-officer"],
        ["security-officer", "ra-approver"],
        ["ca-administrator", "ra-operator"],
        ["auditor", "ra-supervisor"],
    ],
    ids=str,
)
def test_roles_are_known_and_kept_apart(bank: Bank, roles: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        propose(bank, roles=roles)


def test_what_is_approved_is_what_was_shown(bank: Bank) -> None:
    invitation, other = propose(bank), propose(bank, person="E4002", roles=["security-officer"])
    session = bank.session(SECOND_SECURITY)
    _, challenge = bank.invite.show(session, invitation)
    with pytest.raises(NotAuthenticated):
        bank.invite.approve(session, other, bank[SECOND_SECURITY].passkey.sign(challenge))


def test_another_officers_passkey_approves_nothing(bank: Bank) -> None:
    invitation = propose(bank)
    session = bank.session(SECOND_SECURITY)
    _, challenge = bank.invite.show(session, invitation)
    with pytest.raises(NotAuthenticated, match="not yours"):
        bank.invite.approve(session, invitation, bank[SECURITY].passkey.sign(challenge))


def test_an_invitation_is_approved_once(bank: Bank) -> None:
    invitation, _ = invited(bank)
    with pytest.raises(InvalidTransition, match="no longer waiting"):
        approve(bank, invitation)


def test_an_invitation_waits_for_seven_days(bank: Bank) -> None:
    invitation = propose(bank)
    bank.clock.tick(timedelta(days=7, seconds=1))
    with pytest.raises(InvalidTransition, match="no longer waiting"):
        approve(bank, invitation)


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": frozenset({TrustedRole.SECURITY_OFFICER})},
        {"person": MARIA},
        {"state": InvitationState.OPEN},
        {"proposed_by": SECOND_SECURITY},
    ],
    ids=str,
)
def test_an_invitation_edited_in_the_database_is_found_out(bank: Bank, changes: dict[str, object]) -> None:
    identifier = propose(bank)
    invitation, seal = bank.stored.invitations[identifier]
    bank.stored.invitations[identifier] = (replace(invitation, **changes), seal)  # type: ignore[arg-type]  # any field
    with pytest.raises(Tampered):
        approve(bank, identifier)
    with pytest.raises(Tampered):
        bank.redeem.open(identifier, "any code")


def test_an_invitation_nobody_proposed_makes_nobody_an_officer(bank: Bank) -> None:
    identifier, code = invited(bank)
    honest, seal = bank.stored.invitations[identifier]
    forged = replace(honest, id="forged", roles=frozenset({TrustedRole.SECURITY_OFFICER}))
    bank.stored.invitations["forged"] = (forged, seal)
    with pytest.raises(Tampered):
        redeem(bank, "forged", code)


# Redeeming


def test_the_approver_alone_cannot_redeem(bank: Bank) -> None:
    # A colleague honestly proposes a second passkey for Pavel; who approves it would like to be Pavel.
    bank.session(PAVEL)
    proposed = proposal(bank, person=PAVEL, roles=["ra-approver"])
    other = proposal(bank, by=SECOND_SECURITY)
    half = approve(bank, proposed.invitation.id)

    for guess in (half, whole_code(half, ""), whole_code(half, "0" * 12), whole_code(half, other.half)):
        with pytest.raises(NotAuthenticated, match="other half"):
            bank.redeem.open(proposed.invitation.id, guess)

    assert len(bank.unit_of_work.officers[f"officer-{PAVEL}"].credentials) == 1


def test_the_proposer_alone_cannot_redeem(bank: Bank) -> None:
    proposed = proposal(bank, person=PAVEL, roles=["ra-approver"])
    with pytest.raises(InvalidTransition):
        bank.redeem.open(proposed.invitation.id, whole_code("", proposed.half))
    approve(bank, proposed.invitation.id)
    with pytest.raises(NotAuthenticated, match="other half"):
        bank.redeem.open(proposed.invitation.id, whole_code("", proposed.half))


def test_the_proposers_half_may_be_typed_as_people_type(bank: Bank) -> None:
    proposed = proposal(bank)
    half = approve(bank, proposed.invitation.id)
    typed = f" {shown(proposed.half).lower()} "
    assert isinstance(redeem(bank, proposed.invitation.id, whole_code(half, typed)), Officer)


def test_the_link_is_needed_to_its_end(bank: Bank) -> None:
    invitation, code = invited(bank)
    for wrong in (code[:-1], "", code.lower(), code[1:]):
        with pytest.raises(NotAuthenticated, match="not complete"):
            bank.redeem.open(invitation, wrong)


def test_the_code_of_another_invitation_does_not_fit(bank: Bank) -> None:
    invitation, _ = invited(bank)
    _, code = invited(bank, person="E4002")
    with pytest.raises(NotAuthenticated):
        bank.redeem.open(invitation, code)


def test_the_code_is_kept_nowhere_in_clear(bank: Bank) -> None:
    _, code = invited(bank)
    for half in code_halves(code):
        assert half not in str(bank.stored)


def test_an_unknown_invitation_is_told_so(bank: Bank) -> None:
    with pytest.raises(NotFound):
        bank.redeem.open("nothing", "code")


def test_an_invitation_is_redeemed_once(bank: Bank) -> None:
    invitation, code = invited(bank)
    redeem(bank, invitation, code)
    with pytest.raises(InvalidTransition, match="used already"):
        redeem(bank, invitation, code)


def test_an_invitation_that_nobody_approved_is_not_redeemed(bank: Bank) -> None:
    with pytest.raises(InvalidTransition):
        bank.redeem.open(propose(bank), "code")


def test_an_invitation_out_of_date_is_not_redeemed(bank: Bank) -> None:
    invitation, code = invited(bank)
    bank.clock.tick(timedelta(days=8))
    with pytest.raises(InvalidTransition, match="out of date"):
        redeem(bank, invitation, code)


def test_registering_takes_five_minutes_at_most(bank: Bank) -> None:
    invitation, code = invited(bank)
    _, challenge = bank.redeem.open(invitation, code)
    bank.clock.tick(timedelta(minutes=5, seconds=1))
    registration = FakePasskey().register(challenge)
    with pytest.raises(NotAuthenticated, match="too long"):
        bank.redeem(invitation, code, challenge=challenge, registration=registration, label="office")


def test_a_challenge_of_ones_own_registers_nothing(bank: Bank) -> None:
    invitation, code = invited(bank)
    registration = FakePasskey().register(bytes(32))
    with pytest.raises(NotAuthenticated):
        bank.redeem(invitation, code, challenge=bytes(32), registration=registration, label="office")


def test_a_challenge_registers_once_even_when_it_failed(bank: Bank) -> None:
    invitation, code = invited(bank)
    _, challenge = bank.redeem.open(invitation, code)
    for registration in (FakePasskey().register(bytes(32)), FakePasskey().register(challenge)):
        with pytest.raises(NotAuthenticated):
            bank.redeem(invitation, code, challenge=challenge, registration=registration, label="office")
    assert isinstance(redeem(bank, invitation, code), Officer)


def test_a_passkey_belongs_to_one_officer(bank: Bank) -> None:
    passkey = bank[MARIA].passkey
    with pytest.raises(InvalidRequest, match="registered already"):
        redeem(bank, *invited(bank), passkey)


def test_a_second_invitation_brings_new_roles_and_one_passkey_more_to_the_same_record(bank: Bank) -> None:
    passkey, before = FakePasskey(), bank[PAVEL].officer
    after = redeem(bank, *invited(bank, person=PAVEL, roles=["ra-supervisor"], branch="minhang"), passkey)
    assert (after.id, after.roles, after.branch) == (before.id, frozenset({TrustedRole.RA_SUPERVISOR}), "minhang")
    assert len(after.credentials) == 2
    assert bank[PAVEL].officer.person == PAVEL
    assert bank.sign_in.who(bank.session(PAVEL)).roles == after.roles


def test_new_roles_count_in_open_sessions_at_once(bank: Bank) -> None:
    session = bank.session(PAVEL)
    redeem(bank, *invited(bank, person=PAVEL, roles=["auditor"]))
    with pytest.raises(NotAuthenticated):
        bank.decide.reject(session, "any", reason="no")
    kept, seal = bank.stored.sessions[token_hash(session)]
    bank.stored.sessions[token_hash(session)] = (replace(kept, ended=False), seal)
    with pytest.raises(NotAllowed):
        bank.decide.reject(session, "any", reason="no")


def test_a_suspended_officer_redeems_nothing(bank: Bank) -> None:
    bank.session(PAVEL)
    invitation = invited(bank, person=PAVEL)
    bank.suspend(PAVEL)
    with pytest.raises(NotAllowed, match="is suspended"):
        redeem(bank, *invitation)


def test_a_record_without_our_seal_gets_no_passkey(bank: Bank) -> None:
    bank.session(PAVEL)
    invitation = invited(bank, person=PAVEL)
    bank.rewrite_officer(PAVEL, name="somebody else")
    with pytest.raises(Tampered):
        redeem(bank, *invitation)


# Suspending, reinstating, leaving


def change(bank: Bank, person: str, state: str, *, by: str = SECURITY) -> Officer:
    return bank.change_officer(bank.session(by), f"officer-{person}", state=state, reason="because")


def test_a_suspended_officers_session_is_over_at_once(bank: Bank) -> None:
    session = bank.session(PAVEL)
    change(bank, PAVEL, "suspended")
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(session)
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.actor, event.details) == (
        "officer.suspended",
        SECURITY,
        {"reason": "because", "officer_version": "2"},
    )


def test_a_suspended_officer_cannot_sign_in(bank: Bank) -> None:
    passkey = bank[PAVEL].passkey
    change(bank, PAVEL, "suspended")
    with pytest.raises(NotAuthenticated):
        bank.signed_in(passkey)


def test_who_left_does_not_come_back(bank: Bank) -> None:
    bank.session(PAVEL)
    change(bank, PAVEL, "left")
    with pytest.raises(InvalidTransition):
        change(bank, PAVEL, "suspended")
    assert PAVEL in {officer.person for officer in bank.unit_of_work.officers.values()}


@pytest.mark.parametrize("before", ["active", "suspended"])
def test_one_security_officer_alone_reinstates_nobody(bank: Bank, before: str) -> None:
    bank.session(PAVEL)
    if before == "suspended":
        bank.suspend(PAVEL)
    with pytest.raises(NotAllowed, match="two security officers"):
        change(bank, PAVEL, "active")
    assert bank.stored.officers[f"officer-{PAVEL}"][0].state.value == before


def test_nobody_changes_their_own_record(bank: Bank) -> None:
    with pytest.raises(NotAllowed, match="their own"):
        change(bank, SECURITY, "suspended")


@pytest.mark.parametrize("person", [MARIA, SUPERVISOR, AUDITOR])
def test_only_security_officers_change_officers(bank: Bank, person: str) -> None:
    bank.session(PAVEL)
    with pytest.raises(NotAllowed):
        change(bank, PAVEL, "suspended", by=person)


@pytest.mark.parametrize("state", ["", "Active", "deleted", "invited"])
def test_an_officer_becomes_nothing_unknown(bank: Bank, state: str) -> None:
    bank.session(PAVEL)
    with pytest.raises(InvalidRequest, match="active, suspended or left"):
        change(bank, PAVEL, state)


def test_an_edited_record_is_not_sealed_anew_by_a_change(bank: Bank) -> None:
    bank.session(PAVEL)
    bank.rewrite_officer(PAVEL, roles=frozenset({TrustedRole.SECURITY_OFFICER}))
    with pytest.raises(Tampered):
        change(bank, PAVEL, "suspended")
