"""ca/usecases/ended_by_two.py: the second officer's decision on a certificate's end, verified again and given out."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ca.certificate_handlers import OneCertificate
from ca.certificate_operations import ExamineCertificate as Asked
from ca.domain.certificates import Certificate
from ca.domain.decisions import Evidence
from ca.domain.errors import Tampered
from ca.domain.officers import OfficerState
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.revocation_cases import RevocationCase
from ca.domain.serials import serial_text
from ca.usecases.ended_by_two import SecondDecision
from ca.usecases.examine import ExamineCertificate
from ca.usecases.revoke_by_two import revocation_approval
from ca.usecases.second_officer import REVOCATION_SEAL
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import AUDITOR, HOTLINE, ISSUING, PAVEL, SECURITY, SUPERVISOR, Bank
from tests.fakes.revoking import OTHER, REASON, WHY, a_bank_of_two, approve, kept, propose
from tests.fakes.use_cases import auditing_of

GONE = "the case that two officers decided on is gone"
NO_SEAL = "a record of kind revocation-case does not carry our seal"
OTHER_CASE = "the case is not the one that the log says was approved"
OTHER_END = "the certificate did not end as the case says that two officers decided on"
NO_SIGNATURE = "no signature of the second officer is kept"


@pytest.fixture
def bank() -> Bank:
    bank = a_bank_of_two()
    bank.responder(ISSUING)
    return bank


@pytest.fixture
def case(bank: Bank) -> RevocationCase:
    """Decided, with an invalidity date."""
    certificate = bank.active()
    bank.clock.tick(timedelta(hours=2))
    proposed = propose(bank, certificate, invalid_since=bank.clock.now() - timedelta(hours=1))
    bank.clock.tick(timedelta(hours=1))
    approve(bank, proposed)
    return kept(bank, proposed)


def examined(bank: Bank, serial: int) -> SecondDecision | None:
    examine = ExamineCertificate(bank.unit_of_work, bank.dossier, bank.linter)
    return examine(bank.session(AUDITOR), serial).ended_by_two


def wrong(bank: Bank, case: RevocationCase) -> str:
    found = examined(bank, case.serial)
    assert found is not None
    return found.wrong


def evidence(bank: Bank, case: RevocationCase) -> Evidence:
    return next(each for subject, each in bank.stored.evidence if subject == case.id)


def spoil(bank: Bank, case: RevocationCase, *others: Evidence) -> None:
    bank.stored.evidence[:] = [pair for pair in bank.stored.evidence if pair[0] != case.id]
    bank.stored.evidence.extend((case.id, other) for other in others)


def test_the_second_officers_signature_is_verified_now(bank: Bank, case: RevocationCase) -> None:
    assert examined(bank, case.serial) == SecondDecision(
        case.id, SUPERVISOR, bank.clock.now(), case.digest().hex(), wrong=""
    )


def test_what_one_officer_ended_or_nobody_did_has_no_second_decision(bank: Bank) -> None:
    waiting, ended = bank.active(), bank.active()
    propose(bank, waiting)
    bank.change_status.revoke(bank.session(PAVEL), ended.serial, RevocationReason.KEY_COMPROMISE)
    rejected = propose(bank, bank.active())
    bank.revoking.reject(bank.session(SUPERVISOR), rejected.id, reason="not so")
    assert [examined(bank, one) for one in (waiting.serial, ended.serial, rejected.serial)] == [None] * 3


def test_a_decision_outlives_its_officer(bank: Bank, case: RevocationCase) -> None:
    officer = bank[SUPERVISOR].officer
    bank.change_officer(bank.session(SECURITY), officer.id, state=OfficerState.LEFT.value, reason="retired")
    assert wrong(bank, case) == ""


def test_a_spoilt_a_foreign_and_a_missing_signature_are_named(bank: Bank, case: RevocationCase) -> None:
    honest, stranger = evidence(bank, case), FakePasskey()
    spoil(bank, case, replace(honest, assertion=replace(honest.assertion, signature=b"spoilt")))
    assert wrong(bank, case) == "the passkey's signature does not hold"
    spoil(bank, case, replace(honest, assertion=stranger.sign(honest.decision.challenge())))
    assert wrong(bank, case) == "the passkey is not one of this officer's"
    spoil(bank, case)
    assert wrong(bank, case) == NO_SIGNATURE


def test_what_was_added_to_a_good_signature_takes_nothing_away(bank: Bank, case: RevocationCase) -> None:
    honest = evidence(bank, case)
    spoil(bank, case, replace(honest, assertion=replace(honest.assertion, signature=b"spoilt")), honest)
    assert wrong(bank, case) == ""


@pytest.mark.parametrize("person", [PAVEL, SECURITY])
def test_another_officers_signature_is_not_the_decision(bank: Bank, case: RevocationCase, person: str) -> None:
    colleague = bank[person]
    own = revocation_approval(case, colleague.officer)
    signed = Evidence(own, colleague.passkey.sign(own.challenge()), colleague.passkey.public_key, bank.clock.now())
    spoil(bank, case, signed)
    assert wrong(bank, case) == "it is about another case or another officer"


def test_one_person_with_two_records_is_named(bank: Bank, case: RevocationCase) -> None:
    """As a signer that was taken over would have let it pass: case, log and signature say one and the same person."""
    alone = replace(case, proposed_by=SUPERVISOR)
    reseal(bank, alone)
    at = next(at for at, one in enumerate(bank.stored.audit) if one.event.name == "revocation.approved")
    event = bank.stored.audit[at].event
    details = event.details | {"digest": alone.digest().hex(), "proposed_by": SUPERVISOR}
    bank.stored.audit[at] = replace(bank.stored.audit[at], event=replace(event, details=details))
    colleague = bank[SUPERVISOR]
    own = revocation_approval(alone, colleague.officer)
    signed = Evidence(own, colleague.passkey.sign(own.challenge()), colleague.passkey.public_key, bank.clock.now())
    spoil(bank, alone, signed)
    assert wrong(bank, alone) == "the same person proposed the revocation"


def test_an_officers_record_that_was_edited_is_named(bank: Bank, case: RevocationCase) -> None:
    officer, _seal = bank.stored.officers[bank[SUPERVISOR].officer.id]
    bank.stored.officers[officer.id] = officer, b"not ours"
    assert wrong(bank, case) == "the officer's record is not one that the signer wrote"


def reseal(bank: Bank, case: RevocationCase) -> None:
    bank.stored.revocation_cases[case.id] = case, bank.seals.seal(REVOCATION_SEAL, case.sealed_fields())


def _gone(bank: Bank, case: RevocationCase) -> None:
    del bank.stored.revocation_cases[case.id]


def _edited(bank: Bank, case: RevocationCase) -> None:
    bank.stored.revocation_cases[case.id] = replace(case, why="another"), bank.stored.revocation_cases[case.id][1]


def _another(bank: Bank, case: RevocationCase) -> None:
    reseal(bank, replace(case, why="another"))


def _decided_by_another(bank: Bank, case: RevocationCase) -> None:
    reseal(bank, replace(case, decided_by=OTHER))


def _ended_otherwise(bank: Bank, case: RevocationCase) -> None:
    _end(bank, case, reason=RevocationReason.SUPERSEDED)


def _invalid_otherwise(bank: Bank, case: RevocationCase) -> None:
    _end(bank, case, invalid_since=None)


def _end(bank: Bank, case: RevocationCase, **changes: Any) -> None:
    certificate = bank.stored.certificates[case.serial]
    assert isinstance(certificate.revocation, Revocation)
    bank.stored.certificates[case.serial] = replace(certificate, revocation=replace(certificate.revocation, **changes))


CHANGES = [
    (_gone, GONE), (_edited, NO_SEAL), (_another, OTHER_CASE), (_decided_by_another, OTHER_CASE),
    (_ended_otherwise, OTHER_END), (_invalid_otherwise, OTHER_END),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), CHANGES)
def test_a_case_that_is_not_the_one_that_was_decided_is_named_and_is_in_no_dossier(
    bank: Bank, case: RevocationCase, change: Any, sentence: str
) -> None:
    change(bank, case)
    assert wrong(bank, case) == sentence
    with pytest.raises(Tampered):
        auditing_of(bank).compose(bank.session(AUDITOR), case.serial)


def test_a_forged_row_is_no_second_decision_and_in_no_dossiers_way(bank: Bank, case: RevocationCase) -> None:
    certificate = bank.active()
    bank.revoked(certificate)
    bank.stored.revocation_cases["forged"] = replace(case, id="forged", serial=certificate.serial), b"no seal"
    assert examined(bank, certificate.serial) is None
    assert "revocation.json" not in auditing_of(bank).compose(bank.session(AUDITOR), certificate.serial)


def test_case_decision_and_signature_are_in_the_dossier(bank: Bank, case: RevocationCase) -> None:
    files = auditing_of(bank).compose(bank.session(AUDITOR), case.serial)

    told = json.loads(files["revocation.json"])
    assert told["case"] == case.fields()
    assert (told["case"]["proposed_by"], told["case"]["why"]) == (PAVEL, WHY)
    assert (told["state"], told["decided_by"], told["case_sha256"]) == ("approved", SUPERVISOR, case.digest().hex())
    (approval,) = told["approvals"]
    kept_ = evidence(bank, case)
    assert (approval["act"], approval["person"]) == ("approve-revocation", SUPERVISOR)
    assert approval["signature"] == kept_.assertion.signature.hex()
    assert approval["subject_digest"] == told["case_sha256"]


def test_what_travels_names_case_person_and_digest(bank: Bank, case: RevocationCase) -> None:
    examine = ExamineCertificate(bank.unit_of_work, bank.dossier, bank.linter)
    table = OneCertificate(bank.revoking, examine).table()

    def answer(certificate: int) -> Any:
        return table[Asked](Asked(session=bank.session(HOTLINE), serial=serial_text(certificate)))["ended_by_two"]

    told = answer(case.serial)
    assert (told["act"], told["case"], told["person"]) == ("approve-revocation", case.id, SUPERVISOR)
    assert (told["digest"], told["wrong"]) == (case.digest().hex(), "")
    good: Certificate = bank.active()
    assert answer(good.serial) is None
    assert case.reason is REASON
