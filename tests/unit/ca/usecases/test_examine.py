"""ca/usecases/examine.py: a certificate looked at again, its approvals verified now."""

import hashlib
from dataclasses import replace

import pytest

from ca.certificate_handlers import OneCertificate
from ca.certificate_operations import ExamineCertificate as Asked
from ca.domain.certificates import Certificate
from ca.domain.decisions import Assertion, Evidence, approval
from ca.domain.errors import NotFound, Tampered
from ca.domain.officers import OfficerState
from ca.domain.serials import serial_text
from ca.usecases.examine import ExamineCertificate
from tests.drafts import a_request
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import AUDITOR, HOTLINE, MARIA, PAVEL, SECURITY, STRANGER, SUPERVISOR, Bank, new_key
from tests.fakes.ceremony import ISSUING


@pytest.fixture
def certificate(bank: Bank) -> Certificate:
    return bank.active()


@pytest.fixture
def examine(bank: Bank) -> ExamineCertificate:
    return ExamineCertificate(bank.unit_of_work, bank.dossier, bank.linter)


def _spoil(bank: Bank, certificate: Certificate, evidence: Evidence) -> None:
    bank.stored.evidence[:] = [(certificate.application, evidence)]


def _evidence(bank: Bank, certificate: Certificate) -> Evidence:
    return next(each for application, each in bank.stored.evidence if application == certificate.application)


@pytest.mark.parametrize("person", [MARIA, PAVEL, SUPERVISOR, HOTLINE, AUDITOR, SECURITY])
def test_who_sees_the_certificate_sees_its_approvals_verified(
    bank: Bank, certificate: Certificate, examine: ExamineCertificate, person: str
) -> None:
    bank.linter.findings = ["NOTICE some.code: something"]
    found = examine(bank.session(person), certificate.serial)
    ((evidence, wrong),) = found.approvals
    assert (evidence.decision.person, wrong) == (PAVEL, "")
    assert found.findings == ["NOTICE some.code: something"]
    assert bank.linter.seen[-1] == certificate.der


def test_another_branchs_certificate_does_not_exist(
    bank: Bank, certificate: Certificate, examine: ExamineCertificate
) -> None:
    answers = set()
    for serial in (certificate.serial, 0xDEAD):
        with pytest.raises(NotFound) as error:
            examine(bank.session(STRANGER), serial)
        answers.add(str(error.value))
    assert len(answers) == 1


def test_an_approval_outlives_its_officer(bank: Bank, certificate: Certificate, examine: ExamineCertificate) -> None:
    officer = bank[PAVEL].officer
    session = bank.session(SECURITY)
    bank.change_officer(session, officer.id, state=OfficerState.LEFT.value, reason="retired")
    ((_evidence, wrong),) = examine(session, certificate.serial).approvals
    assert wrong == ""


def test_a_spoilt_signature_is_named(bank: Bank, certificate: Certificate, examine: ExamineCertificate) -> None:
    honest = _evidence(bank, certificate)
    _spoil(bank, certificate, replace(honest, assertion=replace(honest.assertion, signature=b"spoilt")))
    ((_, wrong),) = examine(bank.session(SUPERVISOR), certificate.serial).approvals
    assert wrong == "the passkey's signature does not hold"


def test_the_makers_own_word_is_named(bank: Bank, certificate: Certificate, examine: ExamineCertificate) -> None:
    case = bank.application(certificate.application).case
    own = approval(case, bank[MARIA].officer)
    passkey = bank[MARIA].passkey
    _spoil(bank, certificate, Evidence(own, passkey.sign(own.challenge()), passkey.public_key, bank.clock.now()))
    ((_, wrong),) = examine(bank.session(SUPERVISOR), certificate.serial).approvals
    assert wrong == "the same person entered the case"


def test_a_passkey_nobody_registered_is_named(
    bank: Bank, certificate: Certificate, examine: ExamineCertificate
) -> None:
    honest, stranger = _evidence(bank, certificate), FakePasskey()
    assertion: Assertion = stranger.sign(honest.decision.challenge())
    _spoil(bank, certificate, replace(honest, assertion=assertion, public_key=stranger.public_key))
    ((_, wrong),) = examine(bank.session(SUPERVISOR), certificate.serial).approvals
    assert wrong == "the passkey is not one of this officer's"


def test_an_approval_of_another_case_is_named(
    bank: Bank, certificate: Certificate, examine: ExamineCertificate
) -> None:
    _spoil(bank, certificate, _evidence(bank, bank.active()))
    ((_, wrong),) = examine(bank.session(SUPERVISOR), certificate.serial).approvals
    assert wrong == "it is about another case or another officer"


def test_an_officers_record_that_was_edited_is_named(
    bank: Bank, certificate: Certificate, examine: ExamineCertificate
) -> None:
    officer, _seal = bank.stored.officers[bank[PAVEL].officer.id]
    session = bank.session(SUPERVISOR)
    bank.stored.officers[officer.id] = officer, b"not ours"
    ((_, wrong),) = examine(session, certificate.serial).approvals
    assert wrong == "the officer's record is not one that the signer wrote"


def test_a_case_that_was_edited_is_no_answer(bank: Bank, certificate: Certificate, examine: ExamineCertificate) -> None:
    bank.rewrite_case(certificate.application, customer_name="somebody else")
    with pytest.raises(Tampered):
        examine(bank.session(SUPERVISOR), certificate.serial)


def test_the_kept_request_is_judged_against_its_digest_and_its_seal(
    bank: Bank, certificate: Certificate, examine: ExamineCertificate
) -> None:
    session, serial = bank.session(AUDITOR), certificate.serial
    honest = bank.stored.intents[serial]
    assert examine(session, serial).request_wrong == ""
    other = a_request(new_key())
    digest = hashlib.sha256(other).hexdigest()
    changed = {
        "does not match its digest": replace(honest, request_der=other),
        "was changed since": replace(honest, request_der=other, request=digest),
    }
    for sentence, intent in changed.items():
        bank.stored.intents[serial] = intent
        assert sentence in examine(session, serial).request_wrong


def test_a_kept_request_is_not_taken_away_unnoticed(
    bank: Bank, certificate: Certificate, examine: ExamineCertificate
) -> None:
    without = replace(bank.stored.intents[certificate.serial], request_der=b"")
    bank.stored.intents[certificate.serial] = without
    assert "was changed since" in examine(bank.session(AUDITOR), certificate.serial).request_wrong


def test_an_intent_from_before_requests_were_kept_stands(
    bank: Bank, certificate: Certificate, examine: ExamineCertificate
) -> None:
    before = replace(bank.stored.intents[certificate.serial], request_der=b"")
    bank.stored.intents[certificate.serial] = replace(before, seal=bank.seals.seal("intent", before.sealed_fields()))
    assert examine(bank.session(AUDITOR), certificate.serial).request_wrong == ""


def test_the_cas_own_certificate_has_no_approvals(bank: Bank, examine: ExamineCertificate) -> None:
    bank.responder(ISSUING)
    own = next(each for each in bank.stored.certificates.values() if not each.application)
    assert examine(bank.session(AUDITOR), own.serial).approvals == []


def test_what_travels_names_officer_digest_and_passkey(
    bank: Bank, certificate: Certificate, examine: ExamineCertificate
) -> None:
    table = OneCertificate(bank.revoking, examine).table()
    asked = Asked(session=bank.session(AUDITOR), serial=serial_text(certificate.serial))
    answer = table[Asked](asked)
    (told,) = answer["approvals"]
    evidence = _evidence(bank, certificate)
    assert told["digest"] == bank.application(certificate.application).case.digest().hex()
    assert (told["person"], told["passkey"], told["wrong"]) == (PAVEL, evidence.assertion.credential_id.hex(), "")
