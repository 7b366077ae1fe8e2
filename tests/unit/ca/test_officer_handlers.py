"""ca/officer_handlers.py: officers come, change and look after their access, asked as the fronts ask."""

import base64

import pytest

from ca import officer_operations as own
from ca import operations as ops
from ca.domain.decisions import Assertion
from ca.domain.errors import NotAuthenticated
from ca.domain.officers import whole_code
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import MARIA, SECOND_SECURITY, SECURITY, Bank
from tests.fakes.bank_console import BankSigner


@pytest.fixture
def signer(bank: Bank) -> BankSigner:
    return BankSigner(bank)


@pytest.fixture
def bank() -> Bank:
    return Bank()


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def message(assertion: Assertion) -> ops.AssertionMessage:
    return ops.AssertionMessage(
        credential_id=assertion.credential_id,
        client_data=assertion.client_data,
        authenticator_data=assertion.authenticator_data,
        signature=assertion.signature,
    )


def test_an_officer_is_invited_and_suspended(signer: BankSigner, bank: Bank) -> None:
    first, second = bank.session(SECURITY), bank.session(SECOND_SECURITY)
    proposed = signer.call(
        ops.ProposeInvitation(session=first, person="E9", name="Nina", branch="pudong", roles=["hotline"])
    )
    invitation = proposed["invitation"]
    shown = signer.call(ops.ShowInvitation(session=second, invitation=invitation))
    assert (shown["state"], shown["fields"]["person"]) == ("proposed", "E9")
    assertion = message(bank[SECOND_SECURITY].passkey.sign(b64(shown["challenge"])))
    half = signer.call(ops.ApproveInvitation(session=second, invitation=invitation, assertion=assertion))["half"]
    code = whole_code(half, proposed["half"])
    opened = signer.call(ops.OpenInvitation(invitation=invitation, code=code))
    assert (opened["state"], opened["roles"]) == ("open", ["hotline"])
    challenge = b64(opened["challenge"])
    officer = signer.call(
        ops.RedeemInvitation(
            invitation=invitation,
            code=code,
            challenge=challenge,
            registration=FakePasskey().register(challenge),
            label="office",
        )
    )["officer"]
    assert (officer["person"], officer["state"]) == ("E9", "active")
    changed = signer.call(ops.ChangeOfficer(session=first, officer=officer["id"], state="suspended", reason="left"))
    assert changed["officer"]["state"] == "suspended"


def test_roles_are_changed_and_a_change_is_rejected(signer: BankSigner, bank: Bank) -> None:
    bank.session(MARIA)
    first, second, passkey = bank.session(SECURITY), bank.session(SECOND_SECURITY), bank[SECOND_SECURITY].passkey
    asked = {"officer": f"officer-{MARIA}", "branch": "minhang", "reason": "moves"}
    change = signer.call(own.ProposeOfficerChange(session=first, roles=["hotline"], **asked))["change"]
    other = signer.call(own.ProposeOfficerChange(session=first, roles=["ra-operator"], **asked))["change"]
    seen = signer.call(own.ShowOfficerChange(session=second, change=change))
    assert (seen["state"], seen["void"], seen["may_approve"], seen["decided_by"]) == ("proposed", False, True, "")
    assert seen["fields"]["old_roles"] == ["ra-approver", "ra-operator"]
    assert not signer.call(own.ShowOfficerChange(session=first, change=change))["may_approve"]
    approved = own.ApproveOfficerChange(
        session=second,
        change=change,
        digest=b64(seen["digest"]),
        assertion=message(passkey.sign(b64(seen["challenge"]))),
    )
    officer = signer.call(approved)["officer"]
    assert (officer["roles"], officer["branch"]) == (["hotline"], "minhang")
    assert signer.call(own.RejectOfficerChange(session=first, change=other, reason="void")) == {"state": "rejected"}


def test_an_officer_is_reinstated(signer: BankSigner, bank: Bank) -> None:
    bank.session(MARIA)
    bank.suspend(MARIA)
    first, second, passkey = bank.session(SECURITY), bank.session(SECOND_SECURITY), bank[SECOND_SECURITY].passkey
    asked = own.ProposeReinstatement(session=first, officer=f"officer-{MARIA}", reason="is back")
    seen = signer.call(own.ShowOfficerChange(session=second, change=signer.call(asked)["change"]))
    assert (seen["reinstates"], seen["fields"]["reinstates"], seen["may_approve"]) == (True, True, True)
    approved = own.ApproveOfficerChange(
        session=second,
        change=seen["fields"]["id"],
        digest=b64(seen["digest"]),
        assertion=message(passkey.sign(b64(seen["challenge"]))),
    )
    assert signer.call(approved)["officer"]["state"] == "active"


def stepped_up(signer: BankSigner, bank: Bank) -> str:
    session = bank.session(MARIA)
    challenge = b64(signer.call(own.StepUpChallenge(session=session))["challenge"])
    assertion = message(bank[MARIA].passkey.sign(challenge))
    token: str = signer.call(own.StepUp(session=session, challenge=challenge, assertion=assertion, source="::1"))[
        "token"
    ]
    return token


def test_an_officer_looks_after_their_access(signer: BankSigner, bank: Bank) -> None:
    fresh = signer.call(own.ShowAccess(session=bank.session(MARIA)))
    assert (fresh["recovery"], fresh["stepped_up_until"], len(fresh["passkeys"])) == (None, None, 1)
    session, second = stepped_up(signer, bank), FakePasskey()
    begun = signer.call(own.NewPasskey(session=session))
    assert (begun["person"], len(begun["known"])) == (MARIA, 1)
    challenge = b64(begun["challenge"])
    registration = second.register(challenge)
    add = own.AddPasskey(session=session, challenge=challenge, registration=registration, label="blue key")
    assert signer.call(add) == {}
    codes = signer.call(own.MakeRecoveryCodes(session=session))["codes"]
    assert (len(codes), {len(code) for code in codes}) == (10, {24})
    shown = signer.call(own.ShowAccess(session=session))
    assert [one["label"] for one in shown["passkeys"]] == ["a passkey", "blue key"]
    assert (shown["recovery"]["left"], shown["recovery"]["used_at"]) == (10, None)
    assert [(one["source"], one["this"]) for one in shown["sessions"]] == [("::1", True)]
    assert shown["stepped_up_until"].endswith("Z")
    assert signer.call(own.RemovePasskey(session=session, passkey=second.credential_id)) == {}


def test_a_recovery_code_gives_a_passkey(signer: BankSigner, bank: Bank) -> None:
    code = signer.call(own.MakeRecoveryCodes(session=stepped_up(signer, bank)))["codes"][0]
    opened = signer.call(own.OpenRecovery(person=MARIA, code=code))
    assert (opened["person"], opened["name"]) == (MARIA, "Maria")
    challenge, passkey = b64(opened["challenge"]), FakePasskey()
    recover = own.Recover(
        person=MARIA, code=code, challenge=challenge, registration=passkey.register(challenge), label="phone"
    )
    assert signer.call(recover) == {}
    assert bank.signed_in(passkey).officer.person == MARIA


def test_sessions_are_ended(signer: BankSigner, bank: Bank) -> None:
    here, there = bank.session(MARIA), bank.signed_in(bank[MARIA].passkey).session
    (other,) = (one["id"] for one in signer.call(own.ShowAccess(session=here))["sessions"] if not one["this"])
    assert signer.call(own.EndOwnSession(session=here, live=other)) == {}
    with pytest.raises(NotAuthenticated):
        signer.call(ops.WhoAmI(session=there))
    bank.signed_in(bank[MARIA].passkey)
    assert signer.call(own.EndOwnOtherSessions(session=here)) == {"ended": 1}
    security = bank.session(SECURITY)
    assert signer.call(own.EndSessionsOf(session=security, officer=f"officer-{MARIA}")) == {"ended": 1}
    assert signer.call(own.EndAllSessions(session=security)) == {"ended": 1}


# Asked of the signer by somebody without a session: tests/unit/ca/test_handlers.py walks them with all others.

NOBODY = message(Assertion(b"id", b"{}", bytes(4), b"signature"))
OFFICER_ACTS: list[ops.Operation] = [
    own.ProposeOfficerChange(session="none", officer="none", branch="B", roles=["auditor"], reason="x"),
    own.ProposeReinstatement(session="none", officer="none", reason="x"),
    own.ApproveOfficerChange(session="none", change="none", digest=bytes(32), assertion=NOBODY),
    own.RejectOfficerChange(session="none", change="none", reason="x"),
    own.StepUpChallenge(session="none"),
    own.StepUp(session="none", challenge=bytes(32), assertion=NOBODY),
    own.NewPasskey(session="none"),
    own.AddPasskey(session="none", challenge=bytes(32), registration="{}", label="x"),
    own.RemovePasskey(session="none", passkey=b"x"),
    own.MakeRecoveryCodes(session="none"),
    own.OpenRecovery(person="E9", code="none"),
    own.Recover(person="E9", code="none", challenge=bytes(32), registration="{}", label="x"),
    own.EndOwnSession(session="none", live="none"),
    own.EndOwnOtherSessions(session="none"),
    own.EndSessionsOf(session="none", officer="none"),
    own.EndAllSessions(session="none"),
]
OFFICER_QUESTIONS: list[ops.Operation] = [
    own.ShowOfficerChange(session="none", change="none"),
    own.ShowAccess(session="none"),
]
