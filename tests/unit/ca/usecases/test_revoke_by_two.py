"""ca/usecases/revoke_by_two.py: a revocation that two people decide, and never a good certificate meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.accounts import Cancellation, CancellationState
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.decisions import Act
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.notices import Notice
from ca.domain.officers import TrustedRole
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.revocation_cases import CASE_LIFE, RevocationCaseState
from ca.domain.serials import serial_text
from ca.usecases.authorize import OFFICER_SEAL
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import (
    AUDITOR,
    HOTLINE,
    PAVEL,
    SECURITY,
    STRANGER,
    SUPERVISOR,
    Bank,
)
from tests.fakes.ceremony import ISSUING
from tests.fakes.revoking import OPERATOR, OTHER, REASON, WHY, a_bank_of_two, approve, kept, propose, view

HOUR = timedelta(hours=1)
COMPROMISE = RevocationReason.KEY_COMPROMISE
ORDINARY = [each for each in RevocationReason if each not in (COMPROMISE, RevocationReason.CERTIFICATE_HOLD)]
_S, _C = RevocationCaseState, CertificateStatus


@pytest.fixture
def bank() -> Bank:
    return a_bank_of_two()


@pytest.fixture
def certificate(bank: Bank) -> Certificate:
    return bank.active()


# The certificate stops being good at once, whatever happens then


@pytest.mark.parametrize("reason", ORDINARY)
def test_a_proposed_revocation_is_a_hold_at_once(
    bank: Bank, certificate: Certificate, reason: RevocationReason
) -> None:
    case = propose(bank, certificate, reason=reason)
    held = bank.certificate(certificate.serial)
    assert held.revocation == Revocation(RevocationReason.CERTIFICATE_HOLD, bank.clock.now())
    assert (case.state, case.reason, case.proposed_by) == (_S.PROPOSED, reason, PAVEL)
    assert case.is_about(held)
    assert bank.event_names[-2:] == ["certificate.held", "revocation.proposed"]
    assert bank.unit_of_work.events[-1].details["why"] == WHY
    assert bank.published[-1] == ISSUING
    assert bank.stored.crl_due[ISSUING]
    assert bank.notify.told[-1][2] == Notice.HELD_BY_BANK.value[0].format()


def test_a_certificate_on_hold_stays_on_the_hold_that_it_is_on(bank: Bank, certificate: Certificate) -> None:
    held = bank.change_status.hold(bank.session(HOTLINE), certificate.serial)
    bank.clock.tick(HOUR)
    told = len(bank.notify.told)
    case = propose(bank, certificate)
    assert bank.certificate(certificate.serial) == held
    assert case.held_since == held.revocation.revoked_at  # type: ignore[union-attr]  # it is on hold
    assert bank.event_names[-1] == "revocation.proposed"
    assert len(bank.notify.told) == told


@pytest.mark.parametrize("by_two", [True, False])
@pytest.mark.parametrize("reason", [*ORDINARY, COMPROMISE])
@pytest.mark.parametrize("status", [_C.UNCONFIRMED, _C.ACTIVE, _C.ON_HOLD])
def test_no_way_to_ask_for_a_revocation_leaves_a_certificate_good(
    bank: Bank, status: CertificateStatus, reason: RevocationReason, *, by_two: bool
) -> None:
    bank.amend("personal-signing", revocation_by_two=by_two)
    certificate = bank.issued() if status is _C.UNCONFIRMED else bank.active()
    if status is _C.ON_HOLD:
        bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)
    changed = bank.change_status.revoke(bank.session(PAVEL), certificate.serial, reason, why=WHY)
    waits = by_two and reason is not COMPROMISE and status is not _C.UNCONFIRMED
    assert changed == bank.certificate(certificate.serial)
    assert changed.status is (_C.ON_HOLD if waits else _C.REVOKED)


def test_a_compromised_key_waits_for_nobody_and_ends_what_waits(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    revoked = bank.change_status.revoke(bank.session(PAVEL), certificate.serial, COMPROMISE)
    assert revoked.is_compromised
    assert certificate.public_key in bank.stored.blocked_keys
    assert (kept(bank, case).state, kept(bank, case).decided_by) == (_S.OVERTAKEN, PAVEL)
    assert bank.event_names[-2:] == ["revocation.overtaken", "certificate.revoked"]
    with pytest.raises(InvalidTransition, match="overtaken"):
        approve(bank, case)


def test_no_case_can_make_a_compromised_key_wait(bank: Bank, certificate: Certificate) -> None:
    with pytest.raises(InvalidRequest, match="waits for nobody"):
        replace(propose(bank, certificate), reason=COMPROMISE)


def test_a_policy_that_nobody_can_read_is_the_strict_one(bank: Bank) -> None:
    machine = bank.active(profile="machine")
    del bank.profile_files["machine"]
    assert bank.change_status.revoke(bank.session(PAVEL), machine.serial, REASON, why=WHY).status is _C.ON_HOLD
    assert bank.change_status.revoke(bank.session(PAVEL), machine.serial, COMPROMISE).status is _C.REVOKED


def test_a_forged_row_keeps_no_certificate_good(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, bank.active())
    forged = replace(case, id="forged", serial=certificate.serial)
    bank.stored.revocation_cases["forged"] = (forged, b"no seal")
    bank.change_status.revoke(bank.session(PAVEL), certificate.serial, REASON, why=WHY)
    about = [one.id for one, _seal in bank.stored.revocation_cases.values() if one.serial == certificate.serial]
    assert (len(about), bank.status(certificate.serial)) == (2, _C.ON_HOLD)
    assert bank.change_status.revoke(bank.session(PAVEL), certificate.serial, COMPROMISE).status is _C.REVOKED


def test_the_customers_cancellation_can_not_be_undone_any_more(bank: Bank, certificate: Certificate) -> None:
    bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)
    open_one = Cancellation(certificate.serial, certificate.customer, bank.clock.now(), bank.clock.now() + HOUR)
    bank.stored.cancellations[certificate.serial] = open_one
    propose(bank, certificate)
    assert bank.stored.cancellations[certificate.serial].state is CancellationState.OVERTAKEN
    assert bank.event_names[-2:] == ["cancellation.overtaken", "revocation.proposed"]


# What is asked


def test_it_is_known_before_whether_a_second_officer_decides(bank: Bank, certificate: Certificate) -> None:
    session = bank.session(PAVEL)
    assert bank.change_status.is_by_two(session, certificate.serial)
    assert not bank.change_status.is_by_two(session, bank.issued().serial)
    assert not bank.change_status.is_by_two(session, bank.active(profile="machine").serial)
    with pytest.raises(NotAllowed):
        bank.change_status.is_by_two(bank.session(HOTLINE), certificate.serial)
    with pytest.raises(NotFound):
        bank.change_status.is_by_two(bank.session(STRANGER), certificate.serial)


@pytest.mark.parametrize("why", ["", "  "])
def test_the_second_officer_is_told_why(bank: Bank, certificate: Certificate, why: str) -> None:
    with pytest.raises(InvalidRequest, match="another officer decides"):
        bank.change_status.revoke(bank.session(PAVEL), certificate.serial, REASON, why=why)
    assert bank.status(certificate.serial) is _C.ACTIVE


def test_an_impossible_invalidity_date_is_refused_when_it_is_proposed(bank: Bank, certificate: Certificate) -> None:
    with pytest.raises(InvalidRequest, match="invalid since"):
        propose(bank, certificate, invalid_since=bank.clock.now() + HOUR)
    assert bank.stored.revocation_cases == {}


def test_only_one_waits_at_a_time(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    with pytest.raises(InvalidTransition, match="waits for another officer already"):
        bank.change_status.revoke(bank.session(SUPERVISOR), certificate.serial, REASON, why=WHY)
    assert kept(bank, case) == case


def test_where_the_profile_asks_for_one_officer_one_is_enough(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    bank.amend("personal-signing", revocation_by_two=False)
    assert bank.change_status.revoke(bank.session(SUPERVISOR), certificate.serial, REASON).status is _C.REVOKED
    assert kept(bank, case).state is _S.OVERTAKEN


# Two people


@pytest.mark.parametrize("second", [SUPERVISOR, OTHER])
def test_two_officers_end_it_since_the_time_of_the_hold(bank: Bank, certificate: Certificate, second: str) -> None:
    since = bank.clock.now()
    bank.clock.tick(HOUR)
    case = propose(bank, certificate, invalid_since=since)
    held_at = bank.clock.now()
    bank.clock.tick(HOUR)
    colleague = bank[second] if second == SUPERVISOR else bank.officer(OTHER, frozenset({TrustedRole.RA_APPROVER}))
    revoked = approve(bank, case, colleague)
    assert revoked == bank.certificate(certificate.serial)
    assert revoked.revocation == Revocation(REASON, held_at, since)
    assert (kept(bank, case).state, kept(bank, case).decided_by) == (_S.APPROVED, second)
    approved, event = bank.unit_of_work.events[-2:]
    assert (approved.name, approved.actor, approved.details["proposed_by"]) == ("revocation.approved", second, PAVEL)
    assert (event.name, event.subject, event.actor) == ("certificate.revoked", serial_text(certificate.serial), second)
    assert event.details["invalid_since"]
    assert bank.published[-1] == ISSUING
    assert bank.notify.told[-1][2] == Notice.REVOKED.value[0].format()


def test_the_approval_is_kept_as_evidence_over_exactly_this_case(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    approve(bank, case)
    subject, evidence = bank.stored.evidence[-1]
    assert (subject, evidence.decision.act) == (case.id, Act.APPROVE_REVOCATION)
    assert (evidence.decision.subject_digest, evidence.decision.person) == (case.digest(), SUPERVISOR)


def test_who_proposed_does_not_approve(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    assert not view(bank, case, PAVEL).may_approve
    with pytest.raises(NotAllowed, match="another officer"):
        approve(bank, case, PAVEL)
    assert bank.status(certificate.serial) is _C.ON_HOLD


def test_nor_under_a_second_officers_record_of_the_same_person(bank: Bank, certificate: Certificate) -> None:
    case, passkey = propose(bank, certificate), FakePasskey()
    twin = replace(bank[PAVEL].officer, id="officer-twin", credentials=(passkey.credential,))
    bank.stored.officers[twin.id] = (twin, bank.seals.seal(OFFICER_SEAL, twin.sealed_fields()))
    again = bank.signed_in(passkey)
    assert again.officer.id != bank[PAVEL].officer.id
    with pytest.raises(NotAllowed, match="another officer"):
        approve(bank, case, again)
    assert bank.status(certificate.serial) is _C.ON_HOLD


@pytest.mark.parametrize("person", [OPERATOR, HOTLINE, SECURITY, AUDITOR, STRANGER])
def test_nobody_else_decides(bank: Bank, certificate: Certificate, person: str) -> None:
    roles = frozenset({TrustedRole.RA_OPERATOR})
    colleague = bank.officer(OPERATOR, roles) if person == OPERATOR else bank[person]
    case = propose(bank, certificate)
    challenge = view(bank, case).challenge
    with pytest.raises((NotAllowed, NotFound)):
        bank.revoking.approve(
            colleague.session, case.id, case_digest=case.digest(), assertion=colleague.passkey.sign(challenge)
        )
    with pytest.raises((NotAllowed, NotFound)):
        bank.revoking.reject(colleague.session, case.id, reason="no")
    assert (kept(bank, case), bank.status(certificate.serial)) == (case, _C.ON_HOLD)


def test_another_branchs_case_does_not_exist(bank: Bank, certificate: Certificate) -> None:
    case, answers = propose(bank, certificate), set()
    for case_id in (case.id, "none"):
        with pytest.raises(NotFound) as error:
            bank.revoking.show(bank.session(STRANGER), case_id)
        answers.add(str(error.value))
    assert len(answers) == 1


def test_who_looks_on_sees_it_and_may_not_approve(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    assert (view(bank, case).may_approve, view(bank, case, AUDITOR).may_approve) == (True, False)
    with pytest.raises(NotAllowed):
        view(bank, case, HOTLINE)


# Rejected, and out of date


@pytest.mark.parametrize("person", [SUPERVISOR, PAVEL])
def test_a_rejected_one_leaves_the_hold_to_be_released(bank: Bank, certificate: Certificate, person: str) -> None:
    case = propose(bank, certificate)
    rejected = bank.revoking.reject(bank.session(person), case.id, reason="the account is open")
    assert rejected == kept(bank, case)
    assert (rejected.state, rejected.decided_by, rejected.decision_reason) == (
        _S.REJECTED, person, "the account is open",
    )  # fmt: skip
    assert (bank.event_names[-1], bank.unit_of_work.events[-1].actor) == ("revocation.rejected", person)
    assert bank.status(certificate.serial) is _C.ON_HOLD
    assert bank.change_status.release(bank.session(SUPERVISOR), certificate.serial).status is _C.ACTIVE


def test_a_rejection_says_why(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    with pytest.raises(InvalidRequest):
        bank.revoking.reject(bank.session(SUPERVISOR), case.id, reason="")


def test_one_out_of_date_ends_nothing_and_the_hold_stays(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    bank.clock.tick(CASE_LIFE)
    assert view(bank, case).may_approve
    bank.clock.tick(timedelta(seconds=1))
    assert (view(bank, case).is_late, view(bank, case).may_approve) == (True, False)
    with pytest.raises(InvalidTransition, match="out of date"):
        approve(bank, case)
    assert bank.status(certificate.serial) is _C.ON_HOLD


def test_after_it_is_out_of_date_it_is_proposed_anew_or_released(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    bank.clock.tick(CASE_LIFE + HOUR)
    again = propose(bank, certificate, SUPERVISOR)
    assert (kept(bank, case).state, again.state) == (_S.OVERTAKEN, _S.PROPOSED)
    bank.clock.tick(CASE_LIFE + HOUR)
    assert bank.change_status.release(bank.session(SUPERVISOR), certificate.serial).status is _C.ACTIVE
    assert kept(bank, again).state is _S.OVERTAKEN
