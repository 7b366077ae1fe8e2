"""ca/domain/officers.py, sessions.py, decisions.py: what a seal covers and what a decision is."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from ca.domain.bindings import BindingState
from ca.domain.decisions import Act, Decision, approval
from ca.domain.errors import InvalidRequest, NotAllowed
from ca.domain.officers import (
    InvitationState,
    OfficerState,
    TrustedRole,
    require_compatible,
    require_employee_number,
)
from ca.domain.policy import USUAL
from ca.domain.proposals import ProposalState
from ca.domain.recovery import RecoveryCodes
from tests.builders import (
    NOW,
    a_binding,
    a_case,
    a_challenge,
    a_credential,
    a_session,
    an_intent,
    an_invitation,
    an_officer,
    an_officer_change,
)

SECOND = timedelta(seconds=1)
_R = TrustedRole


@pytest.mark.parametrize("role", TrustedRole)
def test_each_role_stands_alone(role: TrustedRole) -> None:
    require_compatible(frozenset({role}))


@pytest.mark.parametrize(
    "roles",
    [
        set(),
        {_R.SECURITY_OFFICER, _R.AUDITOR},
        {_R.SECURITY_OFFICER, _R.CA_ADMINISTRATOR},
        {_R.AUDITOR, _R.RA_APPROVER},
        {_R.CA_ADMINISTRATOR, _R.RA_OPERATOR},
        {_R.SECURITY_OFFICER, _R.RA_SUPERVISOR},
        {_R.SECURITY_OFFICER, _R.HOTLINE},
        {_R.AUDITOR, _R.HOTLINE},
        {_R.CA_ADMINISTRATOR, _R.HOTLINE},
    ],
    ids=lambda roles: " ".join(sorted(roles)) or "none",
)
def test_duties_are_kept_apart(roles: set[TrustedRole]) -> None:
    with pytest.raises(InvalidRequest):
        require_compatible(frozenset(roles))


def test_case_work_goes_together() -> None:
    require_compatible(frozenset({_R.RA_OPERATOR, _R.RA_APPROVER, _R.RA_SUPERVISOR, _R.HOTLINE}))


@pytest.mark.parametrize("number", ["E1001", "P-1", "7", "A-B-C"])
def test_employee_numbers(number: str) -> None:
    require_employee_number(number)


@pytest.mark.parametrize("number", ["", "e1001", "E 1", "E--1", "-E", "E-", "Е1001", "E1\n", "Ｅ1"])
def test_other_ways_to_write_an_employee_number_are_none(number: str) -> None:
    with pytest.raises(InvalidRequest):
        require_employee_number(number)


def test_a_role_is_needed_and_being_active() -> None:
    officer = an_officer(roles=frozenset({_R.HOTLINE}))
    officer.require(_R.HOTLINE, _R.AUDITOR)
    with pytest.raises(NotAllowed, match="needs the role auditor or ra-operator"):
        officer.require(_R.AUDITOR, _R.RA_OPERATOR)
    for state in (OfficerState.SUSPENDED, OfficerState.LEFT):
        with pytest.raises(NotAllowed, match=state.value):
            replace(officer, state=state).require(_R.HOTLINE)


def test_a_passkey_is_found_by_its_id() -> None:
    officer = an_officer()
    (credential,) = officer.credentials
    assert officer.find_credential(credential.id) == credential
    assert officer.find_credential(b"another") is None


def test_one_passkey_more_is_a_new_version() -> None:
    officer = an_officer()
    more = officer.with_credential(a_credential(id=b"second"))
    assert (len(more.credentials), more.version) == (2, officer.version + 1)


def test_using_a_passkey_does_not_break_the_seal() -> None:
    officer = an_officer()
    used = replace(officer, credentials=(a_credential(sign_count=7, used_at=NOW),))
    assert used.sealed_fields() == officer.sealed_fields()


_SEALED: list[tuple[Any, dict[str, Any]]] = [
    (
        an_officer(),
        {
            "id": "x",
            "person": "x",
            "name": "x",
            "branch": "x",
            "roles": frozenset(),
            "state": OfficerState.LEFT,
            "credentials": (),
            "version": 9,
        },
    ),
    (
        an_invitation(),
        {
            "id": "x",
            "person": "x",
            "name": "x",
            "branch": "x",
            "roles": frozenset(),
            "proposed_by": "x",
            "state": InvitationState.VOID,
            "expires_at": NOW,
            "code_mac": b"",
            "approved_by": "x",
        },
    ),
    (
        an_officer_change(),
        {
            "id": "x",
            "version": 9,
            "officer": "x",
            "officer_version": 9,
            "person": "x",
            "name": "x",
            "old_branch": "x",
            "old_roles": frozenset(),
            "branch": "x",
            "roles": frozenset(),
            "reason": "x",
            "proposed_by": "x",
            "proposed_at": NOW + SECOND,
            "expires_at": NOW,
            "state": ProposalState.APPROVED,
            "decided_by": "x",
            "decision_reason": "x",
            "reinstates": True,
        },
    ),
    (
        RecoveryCodes("officer-1", 1, (b"m" * 32,), NOW),
        {
            "officer": "x",
            "version": 2,
            "macs": (),
            "made_at": NOW + SECOND,
            "used_at": NOW,
            "misses": 1,
            "missed_at": NOW,
        },
    ),
    (a_session(), {"token_hash": "x", "officer": "x", "began_at": NOW + SECOND, "stepped_up_at": NOW, "binding": "x"}),
    (
        a_binding(),
        {
            "id": "x",
            "version": 9,
            "officer": "x",
            "person": "x",
            "name": "x",
            "serial": 9,
            "fingerprint": "x",
            "subject": "x",
            "reason": "x",
            "proposed_by": "x",
            "proposed_at": NOW + SECOND,
            "expires_at": NOW,
            "state": BindingState.BOUND,
            "decided_by": "x",
            "decision_reason": "x",
        },
    ),
    (
        an_intent(),
        {
            "serial": 1,
            "issuer": "x",
            "profile": "x",
            "application": "x",
            "tbs_der": b"x",
            "public_key": "x",
            "request": "x",
            "predecessor": 1,
            "needs_confirmation": False,
            # Taken away; other bytes are told by the digest.
            "request_der": b"",
        },
    ),
]
# A sign count, the last moment a session was seen: they grant nothing, or only while the signer's own limits hold.
_UNSEALED = {"Session": {"seen_at", "ended", "source"}, "Intent": {"intended_at", "signed", "seal"}}


@pytest.mark.parametrize(
    ("record", "name", "value"),
    [
        pytest.param(record, name, value, id=f"{type(record).__name__}.{name}")
        for record, changes in _SEALED
        for name, value in changes.items()
    ],
)
def test_whatever_grants_something_is_under_the_seal(record: Any, name: str, value: Any) -> None:
    assert replace(record, **{name: value}).sealed_fields() != record.sealed_fields()


@pytest.mark.parametrize(("record", "changes"), _SEALED, ids=[type(record).__name__ for record, _ in _SEALED])
def test_the_table_of_changes_names_every_field(record: Any, changes: dict[str, Any]) -> None:
    names = {field.name for field in fields(record)}
    assert names - set(changes) == _UNSEALED.get(type(record).__name__, set())


def test_a_passkeys_key_is_under_the_seal() -> None:
    officer = an_officer()
    swapped = replace(officer, credentials=(a_credential(public_key=b"another"),))
    assert swapped.sealed_fields() != officer.sealed_fields()


def test_an_invitation_is_redeemable_while_open_and_in_time() -> None:
    invitation = an_invitation()
    assert invitation.is_redeemable(invitation.expires_at)
    assert not invitation.is_redeemable(invitation.expires_at + SECOND)
    assert not replace(invitation, state=InvitationState.PROPOSED).is_redeemable(NOW)


def test_sessions_and_challenges_end() -> None:
    session, challenge = a_session(), a_challenge()
    assert not session.is_over(NOW + USUAL.session_idle, USUAL)
    assert session.is_over(NOW + USUAL.session_idle + SECOND, USUAL)
    assert replace(session, ended=True).is_over(NOW, USUAL)
    busy = replace(session, seen_at=NOW + USUAL.session_life)
    assert not busy.is_over(NOW + USUAL.session_life, USUAL)
    assert busy.is_over(NOW + USUAL.session_life + SECOND, USUAL)
    assert not challenge.is_over(challenge.expires_at)
    assert challenge.is_over(challenge.expires_at + SECOND)


@pytest.mark.parametrize(
    "changes",
    [
        {"act": Act.APPROVE_INVITATION},
        {"subject": "x"},
        {"subject_digest": bytes(32)},
        {"officer": "x"},
        {"person": "x"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_signature_serves_one_decision(changes: dict[str, Any]) -> None:
    decision = approval(a_case(), an_officer())
    assert isinstance(decision, Decision)
    assert replace(decision, **changes).challenge() != decision.challenge()
