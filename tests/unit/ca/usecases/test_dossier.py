"""ca/usecases/dossier.py: whatever is written into the database, nothing is issued without two people's word.

Each test forges or spoils one thing between the approval and the download and sees the download refused, nothing
signed and the codes still whole.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.codes import CodeState
from ca.domain.decisions import Act, Evidence, approval
from ca.domain.errors import SigningRefused
from ca.domain.officers import TrustedRole
from tests.drafts import a_request
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import MARIA, PAVEL, SUPERVISOR, Bank, Codes, Colleague
from tests.unit.ca.usecases import test_reinstatements as reinstatements

APPROVER = frozenset({TrustedRole.RA_APPROVER})


@pytest.fixture
def codes(bank: Bank) -> Codes:
    """Codes for a case that Maria entered and Pavel approved."""
    return bank.codes()


@pytest.fixture
def unapproved(bank: Bank) -> Codes:
    """Codes for a case that nobody approved: its state was written straight into the database."""
    application = bank.submitted(maker=MARIA)
    bank.rewrite_state(application, ApplicationState.APPROVED)
    return bank.codes(application)


def refused(bank: Bank, codes: Codes, why: str) -> None:
    with pytest.raises(SigningRefused, match=why):
        bank.download(codes, a_request())
    assert bank.signatures == []
    assert bank.stored.intents == {}
    assert bank.pair(codes).state is CodeState.OPEN


def forge(bank: Bank, codes: Codes, signer: Colleague, **decision: object) -> None:
    """Evidence as `signer` would give it, written straight into the database."""
    honest = approval(bank.application(codes.application).case, signer.officer)
    taken = replace(honest, **decision)  # type: ignore[arg-type]  # any field
    assertion = signer.passkey.sign(taken.challenge())
    evidence = Evidence(taken, assertion, signer.passkey.public_key, bank.clock.now())
    bank.stored.evidence.append((codes.application, evidence))


def test_what_two_people_wanted_is_issued(bank: Bank, codes: Codes) -> None:
    bank.download(codes, a_request())
    assert len(bank.signatures) == 1


def test_a_state_without_evidence_is_no_approval(bank: Bank, unapproved: Codes) -> None:
    refused(bank, unapproved, "no valid approval")


def test_an_edited_case_is_refused(bank: Bank, codes: Codes) -> None:
    bank.rewrite_case(codes.application, subject=(("country", "CN"), ("common_name", "Mallory")))
    refused(bank, codes, "edited")


def test_an_edited_case_is_refused_though_it_was_sealed_when_it_was_another(bank: Bank, codes: Codes) -> None:
    # Somebody who can have cases sealed (an operator) puts a sealed case of theirs in the approved one's place.
    other = bank.submitted(maker=MARIA)
    found, seal = bank.stored.applications[other]
    moved = replace(found, state=ApplicationState.CODES_ISSUED)
    bank.stored.applications[codes.application] = (moved, seal)
    refused(bank, codes, "no valid approval")


def test_a_case_that_vanished_is_refused(bank: Bank, codes: Codes) -> None:
    del bank.stored.applications[codes.application]
    refused(bank, codes, "not entered through the signer")


def test_the_makers_own_word_is_no_approval(bank: Bank, unapproved: Codes) -> None:
    forge(bank, unapproved, bank[MARIA])
    refused(bank, unapproved, "no valid approval")


def test_the_makers_word_under_another_name_is_no_approval(bank: Bank, unapproved: Codes) -> None:
    forge(bank, unapproved, bank[MARIA], person=PAVEL)
    refused(bank, unapproved, "no valid approval")


def test_the_word_of_the_makers_second_account_is_no_approval(bank: Bank, unapproved: Codes) -> None:
    passkey = FakePasskey()
    second = replace(bank[MARIA].officer, id="second", credentials=(passkey.credential,))
    bank.stored.officers["second"] = (second, bank.seals.seal("officer", second.sealed_fields()))
    forge(bank, unapproved, Colleague(second, passkey, ""))
    refused(bank, unapproved, "no valid approval")


def test_evidence_by_another_key_is_no_approval(bank: Bank, unapproved: Codes) -> None:
    stranger = FakePasskey()
    forge(bank, unapproved, Colleague(bank[PAVEL].officer, stranger, ""))
    refused(bank, unapproved, "no valid approval")


def test_evidence_that_names_the_officers_key_but_was_made_by_another_is_no_approval(
    bank: Bank, unapproved: Codes
) -> None:
    stranger = FakePasskey()
    stranger.credential_id = bank[PAVEL].passkey.credential_id
    forge(bank, unapproved, Colleague(bank[PAVEL].officer, stranger, ""))
    refused(bank, unapproved, "no valid approval")


def test_a_decision_to_do_something_else_is_no_approval(bank: Bank, unapproved: Codes) -> None:
    forge(bank, unapproved, bank[PAVEL], act=Act.APPROVE_INVITATION)
    refused(bank, unapproved, "no valid approval")


def test_an_approval_of_another_case_is_none_of_this_one(bank: Bank, unapproved: Codes) -> None:
    other = bank.approved()
    replayed = [evidence for key, evidence in bank.stored.evidence if key == other]
    bank.stored.evidence.extend((unapproved.application, evidence) for evidence in replayed)
    refused(bank, unapproved, "no valid approval")


def test_an_approval_with_this_cases_name_over_another_is_none_of_this_one(bank: Bank, unapproved: Codes) -> None:
    # The signature is over the other case, the row beside it was edited to name this one.
    other = bank.approved()
    (replayed,) = [evidence for key, evidence in bank.stored.evidence if key == other]
    decision = approval(bank.application(unapproved.application).case, bank[PAVEL].officer)
    bank.stored.evidence.append((unapproved.application, replace(replayed, decision=decision)))
    refused(bank, unapproved, "no valid approval")


def test_the_word_of_an_officer_nobody_invited_is_no_approval(bank: Bank, unapproved: Codes) -> None:
    passkey = FakePasskey()
    mallory = replace(bank[PAVEL].officer, id="mallory", person="E6666", credentials=(passkey.credential,))
    bank.stored.officers["mallory"] = (mallory, bytes(32))
    forge(bank, unapproved, Colleague(mallory, passkey, ""))
    refused(bank, unapproved, "no valid approval")


def test_another_officers_seal_does_not_fit(bank: Bank, unapproved: Codes) -> None:
    passkey, pavel = FakePasskey(), bank[PAVEL].officer
    _, seal = bank.stored.officers[pavel.id]
    mallory = replace(pavel, credentials=(passkey.credential,))
    bank.stored.officers[mallory.id] = (mallory, seal)
    forge(bank, unapproved, Colleague(mallory, passkey, ""))
    refused(bank, unapproved, "no valid approval")


def test_the_word_of_an_officer_who_does_not_exist_is_no_approval(bank: Bank, unapproved: Codes) -> None:
    forge(bank, unapproved, bank[PAVEL], officer="nobody")
    refused(bank, unapproved, "no valid approval")


def test_the_word_of_an_officer_without_the_role_is_no_approval(bank: Bank, unapproved: Codes) -> None:
    forge(bank, unapproved, bank[SUPERVISOR])
    refused(bank, unapproved, "no valid approval")


def test_an_approver_suspended_since_approves_nothing(bank: Bank, codes: Codes) -> None:
    bank.suspend(PAVEL)
    refused(bank, codes, "no valid approval")


def test_an_approver_whose_record_was_edited_approves_nothing(bank: Bank, codes: Codes) -> None:
    bank.rewrite_officer(PAVEL, branch="elsewhere")
    refused(bank, codes, "no valid approval")


def test_an_approver_whose_role_was_taken_away_approves_nothing(bank: Bank, codes: Codes) -> None:
    bank.officer(PAVEL, frozenset({TrustedRole.RA_OPERATOR}), passkey=bank[PAVEL].passkey)
    refused(bank, codes, "no valid approval")


def test_an_approver_reinstated_counts_again(bank: Bank, codes: Codes) -> None:
    bank.suspend(PAVEL)
    reinstatements.approve(bank, reinstatements.propose(bank, PAVEL))
    bank.download(codes, a_request())
    assert len(bank.signatures) == 1


def test_one_valid_approval_among_forged_ones_is_enough(bank: Bank, codes: Codes) -> None:
    (honest,) = bank.stored.evidence
    bank.stored.evidence.clear()
    forge(bank, codes, bank[MARIA])
    bank.stored.evidence.append(honest)
    bank.download(codes, a_request())
    assert len(bank.signatures) == 1


def test_a_profile_changed_after_the_approval_issues_nothing(bank: Bank, codes: Codes) -> None:
    bank.amend("personal-signing", validity=timedelta(days=30))
    refused(bank, codes, "profile was changed")


def test_a_profile_taken_away_after_the_approval_issues_nothing(bank: Bank, codes: Codes) -> None:
    del bank.profile_files["personal-signing"]
    refused(bank, codes, "profile was changed")


def test_hints_are_not_given_for_a_case_that_was_edited(bank: Bank, codes: Codes) -> None:
    bank.rewrite_case(codes.application, device_serial="US-of-another")
    with pytest.raises(SigningRefused):
        bank.enrol.hints(codes.reference, codes.code)
