"""ca/usecases/officer_changes.py: roles change by two people, never about oneself, and at once (THREATS 3, 4, 6, 7)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ca.domain.decisions import Act
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated, NotFound, Tampered
from ca.domain.officer_changes import OfficerChange
from ca.domain.officers import Officer, TrustedRole
from ca.domain.policy import USUAL
from ca.domain.proposals import ProposalState
from ca.usecases.authorize import save_officer, token_hash
from tests.fakes.bank import (
    AUDITOR,
    BRANCH,
    ELSEWHERE,
    HEAD_OFFICE,
    MARIA,
    PAVEL,
    SECOND_SECURITY,
    SECURITY,
    SUPERVISOR,
    Bank,
)

THIRD = "E2003"
_R = TrustedRole


@pytest.fixture
def bank() -> Bank:
    bank = Bank()
    for person in (MARIA, PAVEL, SECURITY, SECOND_SECURITY):
        bank.session(person)
    return bank


def propose(bank: Bank, person: str = MARIA, *, by: str = SECURITY, **changes: Any) -> OfficerChange:
    asked: dict[str, Any] = {"branch": BRANCH, "roles": ["hotline"], "reason": "moves to the hotline"} | changes
    return bank.move.propose(bank.session(by), f"officer-{person}", **asked)


def approve(bank: Bank, change: OfficerChange, *, by: str = SECOND_SECURITY, digest: bytes | None = None) -> Officer:
    view = bank.move.show(bank.session(by), change.id)
    assertion = bank[by].passkey.sign(view.challenge)
    given = view.change.digest() if digest is None else digest
    return bank.move.approve(bank.session(by), change.id, change_digest=given, assertion=assertion)


def state(bank: Bank, change: OfficerChange) -> ProposalState:
    return bank.stored.officer_changes[change.id][0].state


def record(bank: Bank, person: str) -> Officer:
    return bank.stored.officers[f"officer-{person}"][0]


# Two people


def test_two_security_officers_change_roles_and_branch(bank: Bank) -> None:
    change = propose(bank, roles=["ra-supervisor", "hotline"], branch=ELSEWHERE)
    assert record(bank, MARIA).branch == BRANCH
    officer = approve(bank, change)
    assert (officer.roles, officer.branch) == (frozenset({_R.RA_SUPERVISOR, _R.HOTLINE}), ELSEWHERE)
    assert record(bank, MARIA) == officer
    assert state(bank, change) is ProposalState.APPROVED
    event = bank.unit_of_work.events[-1]
    assert bank.event_names[-2] == "officer.change-approved"
    assert (event.name, event.subject, event.actor) == ("officer.moved", officer.id, SECOND_SECURITY)
    assert event.details["roles"] == "ra-approver ra-operator -> hotline ra-supervisor"
    assert event.details["branch"] == f"{BRANCH} -> {ELSEWHERE}"


def test_a_record_taken_back_to_its_old_roles_is_found(bank: Bank) -> None:
    kept = bank.stored.officers[f"officer-{MARIA}"]
    approve(bank, propose(bank))
    bank.verify_audit()
    bank.stored.officers[f"officer-{MARIA}"] = kept
    with pytest.raises(Tampered, match="the log knows 2"):
        bank.verify_audit()


def test_the_approval_is_kept_as_evidence_over_exactly_this_change(bank: Bank) -> None:
    change = propose(bank)
    approve(bank, change)
    subject, evidence = bank.stored.evidence[-1]
    assert (subject, evidence.decision.act) == (change.id, Act.APPROVE_OFFICER_CHANGE)
    assert (evidence.decision.subject_digest, evidence.decision.person) == (change.digest(), SECOND_SECURITY)
    assert evidence.assertion.client_data == evidence.decision.challenge()


@pytest.mark.parametrize("person", [MARIA, SUPERVISOR, AUDITOR])
def test_only_security_officers_take_part(bank: Bank, person: str) -> None:
    change, session = propose(bank, PAVEL), bank.session(person)
    assertion = bank[person].passkey.sign(bytes(32))
    for attempt in (
        lambda: propose(bank, PAVEL, by=person),
        lambda: bank.move.show(session, change.id),
        lambda: bank.move.approve(session, change.id, change_digest=change.digest(), assertion=assertion),
        lambda: bank.move.reject(session, change.id, reason="no"),
    ):
        with pytest.raises(NotAllowed, match="security-officer"):
            attempt()
    assert state(bank, change) is ProposalState.PROPOSED


def test_nobody_proposes_about_themselves(bank: Bank) -> None:
    with pytest.raises(NotAllowed, match="for themselves"):
        propose(bank, SECURITY, roles=["auditor"])


def test_who_proposed_does_not_approve(bank: Bank) -> None:
    change = propose(bank)
    with pytest.raises(NotAllowed, match="another security officer"):
        approve(bank, change, by=SECURITY)
    assert record(bank, MARIA).roles == {_R.RA_OPERATOR, _R.RA_APPROVER}


def test_who_it_is_about_neither_approves_nor_rejects(bank: Bank) -> None:
    change = propose(bank, SECOND_SECURITY, roles=["security-officer"], branch=BRANCH)
    with pytest.raises(NotAllowed, match="whom it is about"):
        approve(bank, change)
    with pytest.raises(NotAllowed, match="about themselves"):
        bank.move.reject(bank.session(SECOND_SECURITY), change.id, reason="I stay")


def test_a_second_record_of_the_proposer_is_the_same_person(bank: Bank) -> None:
    # T-12, T-13: persons are compared by the number recorded at the time, not by record or name.
    change = propose(bank)
    officer = replace(record(bank, SECURITY), name="Somebody Else", version=7)
    with bank.unit_of_work() as work:
        save_officer(work, bank.seals, officer)
        work.commit()
    with pytest.raises(NotAllowed, match="another security officer"):
        approve(bank, change, by=SECURITY)


@pytest.mark.parametrize("becomes", ["suspended", "left"])
def test_a_proposal_falls_with_its_proposer(bank: Bank, becomes: str) -> None:
    change = propose(bank)
    bank.change_officer(bank.session(SECOND_SECURITY), f"officer-{SECURITY}", state=becomes, reason="fraud")
    with pytest.raises(NotAllowed):
        approve(bank, change)
    assert state(bank, change) is ProposalState.PROPOSED


def test_a_proposal_falls_when_its_proposer_loses_the_role(bank: Bank) -> None:
    third = bank.officer(THIRD, frozenset({_R.SECURITY_OFFICER}), branch=HEAD_OFFICE)
    change = propose(bank)
    demotion = bank.move.propose(
        third.session, f"officer-{SECURITY}", branch=HEAD_OFFICE, roles=["auditor"], reason="moves"
    )
    approve(bank, demotion)
    with pytest.raises(NotAllowed, match="security-officer"):
        approve(bank, change)


def test_a_proposal_falls_when_its_proposers_record_was_edited_or_is_gone(bank: Bank) -> None:
    change = propose(bank)
    bank.rewrite_officer(SECURITY, roles=frozenset({_R.SECURITY_OFFICER, _R.AUDITOR}))
    with pytest.raises(Tampered):
        approve(bank, change)
    del bank.stored.officers[f"officer-{SECURITY}"]
    with pytest.raises(NotAllowed, match="is no officer"):
        approve(bank, change)
    assert record(bank, MARIA).roles == {_R.RA_OPERATOR, _R.RA_APPROVER}


# What is approved is what was shown


def test_another_digest_is_refused(bank: Bank) -> None:
    with pytest.raises(InvalidTransition, match="not what was shown"):
        approve(bank, propose(bank), digest=bytes(32))


def test_a_signature_over_another_change_is_refused(bank: Bank) -> None:
    change, other = propose(bank), propose(bank, PAVEL, roles=["security-officer"])
    challenge = bank.move.show(bank.session(SECOND_SECURITY), change.id).challenge
    with pytest.raises(NotAuthenticated):
        bank.move.approve(
            bank.session(SECOND_SECURITY),
            other.id,
            change_digest=other.digest(),
            assertion=bank[SECOND_SECURITY].passkey.sign(challenge),
        )
    assert record(bank, PAVEL).roles == {_R.RA_OPERATOR, _R.RA_APPROVER}


def test_another_officers_passkey_approves_nothing(bank: Bank) -> None:
    change = propose(bank)
    view = bank.move.show(bank.session(SECOND_SECURITY), change.id)
    with pytest.raises(NotAuthenticated, match="not yours"):
        bank.move.approve(
            bank.session(SECOND_SECURITY),
            change.id,
            change_digest=change.digest(),
            assertion=bank[SECURITY].passkey.sign(view.challenge),
        )


@pytest.mark.parametrize(
    "forged",
    [
        {"roles": frozenset({_R.SECURITY_OFFICER})},
        {"branch": "elsewhere"},
        {"officer": f"officer-{PAVEL}"},
        {"proposed_by": "E9999"},
        {"officer_version": 2},
        {"state": ProposalState.PROPOSED, "version": 3},
    ],
    ids=lambda forged: next(iter(forged)),
)
def test_a_row_written_into_the_database_changes_nobody(bank: Bank, forged: dict[str, Any]) -> None:
    change = propose(bank)
    kept, seal = bank.stored.officer_changes[change.id]
    bank.stored.officer_changes[change.id] = (replace(kept, **forged), seal)
    with pytest.raises(Tampered):
        approve(bank, change)
    with pytest.raises(Tampered):
        bank.move.reject(bank.session(SECOND_SECURITY), change.id, reason="x")


def test_an_edited_record_is_not_sealed_anew(bank: Bank) -> None:
    change = propose(bank)
    bank.rewrite_officer(MARIA, roles=frozenset({_R.SECURITY_OFFICER}))
    with pytest.raises(Tampered):
        approve(bank, change)
    with pytest.raises(Tampered):
        propose(bank)


# Void, decided, out of date


def test_a_proposal_is_void_when_the_officer_was_changed_since(bank: Bank) -> None:
    first, second = propose(bank), propose(bank, roles=["ra-supervisor"])
    approve(bank, second)
    view = bank.move.show(bank.session(SECOND_SECURITY), first.id)
    assert (view.is_void, view.may_approve) == (True, False)
    with pytest.raises(InvalidTransition, match="propose it anew"):
        approve(bank, first)
    assert record(bank, MARIA).roles == {_R.RA_SUPERVISOR}


def test_a_suspension_in_between_voids_it_too(bank: Bank) -> None:
    change = propose(bank)
    bank.suspend(MARIA)
    with pytest.raises(InvalidTransition, match="propose it anew"):
        approve(bank, change)


def test_a_proposal_waits_for_seven_days(bank: Bank) -> None:
    change = propose(bank)
    bank.clock.tick(USUAL.officer_change_life + timedelta(seconds=1))
    assert bank.move.show(bank.session(SECOND_SECURITY), change.id).is_void
    with pytest.raises(InvalidTransition):
        approve(bank, change)


@pytest.mark.parametrize("decide", ["approve", "reject"])
def test_a_change_is_decided_once(bank: Bank, decide: str) -> None:
    change = propose(bank)
    if decide == "approve":
        approve(bank, change)
    else:
        bank.move.reject(bank.session(SECOND_SECURITY), change.id, reason="not needed")
    with pytest.raises(InvalidTransition):
        approve(bank, change)
    with pytest.raises(InvalidTransition):
        bank.move.reject(bank.session(SECOND_SECURITY), change.id, reason="again")


@pytest.mark.parametrize("by", [SECURITY, SECOND_SECURITY])
def test_a_change_is_rejected_with_a_reason_or_taken_back(bank: Bank, by: str) -> None:
    change, before = propose(bank), record(bank, MARIA)
    with pytest.raises(InvalidRequest):
        bank.move.reject(bank.session(by), change.id, reason=" ")
    bank.move.reject(bank.session(by), change.id, reason="not needed")
    view = bank.move.show(bank.session(SECOND_SECURITY), change.id)
    assert (view.change.state, view.change.decided_by) == (ProposalState.REJECTED, by)
    assert view.change.decision_reason == "not needed"
    assert record(bank, MARIA) == before
    assert bank.event_names[-1] == "officer.change-rejected"


# What cannot be proposed


@pytest.mark.parametrize(
    "roles",
    [[], ["root"], ["RA-OPERATOR"], ["auditor", "security-officer"], ["ca-administrator", "ra-operator"]],
    ids=str,
)
def test_roles_are_known_and_kept_apart(bank: Bank, roles: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        propose(bank, roles=roles)
    assert bank.stored.officer_changes == {}


def test_a_change_that_changes_nothing_is_none(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="already"):
        propose(bank, roles=["ra-approver", "ra-operator"], branch=BRANCH)


@pytest.mark.parametrize(
    "changes", [{"reason": " "}, {"branch": ""}, {"branch": "a\nb"}, {"reason": "x\u202e"}], ids=str
)
def test_branch_and_reason_are_plain_text(bank: Bank, changes: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        propose(bank, **changes)


def test_there_is_nothing_to_change_about_who_left_or_never_was(bank: Bank) -> None:
    bank.change_officer(bank.session(SECURITY), f"officer-{MARIA}", state="left", reason="retired")
    with pytest.raises(InvalidTransition, match="has left"):
        propose(bank)
    with pytest.raises(NotFound):
        propose(bank, "E9999")
    with pytest.raises(NotFound):
        bank.move.show(bank.session(SECURITY), "none")


# Live sessions


def test_a_running_session_is_over_at_the_next_request(bank: Bank) -> None:
    application, session = bank.submitted(maker=PAVEL), bank.session(MARIA)
    bank.decide.show(session, application)
    approve(bank, propose(bank))
    with pytest.raises(NotAuthenticated):
        bank.decide.show(session, application)


def test_a_session_brought_back_in_the_database_has_the_new_roles(bank: Bank) -> None:
    application, session = bank.submitted(maker=PAVEL), bank.session(MARIA)
    approve(bank, propose(bank))
    kept, seal = bank.stored.sessions[token_hash(session)]
    bank.stored.sessions[token_hash(session)] = (replace(kept, ended=False), seal)
    assert bank.sign_in.who(session).roles == {_R.HOTLINE}
    with pytest.raises(NotAllowed):
        bank.decide.show(session, application)


def test_other_officers_sessions_go_on(bank: Bank) -> None:
    session = bank.session(PAVEL)
    approve(bank, propose(bank))
    assert bank.sign_in.who(session).person == PAVEL


def test_who_entered_a_case_does_not_approve_it_after_a_change_of_roles(bank: Bank) -> None:
    # T-13: the maker of yesterday is the maker, whatever they are today.
    approve(bank, propose(bank, roles=["ra-operator"]))
    application = bank.submitted(maker=MARIA)
    approve(bank, propose(bank, roles=["ra-approver"]))
    with pytest.raises(NotAllowed):
        bank.approve(application, checker=MARIA)
