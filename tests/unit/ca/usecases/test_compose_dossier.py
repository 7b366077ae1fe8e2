"""ca/usecases/compose_dossier.py: who gets a dossier, what is in it, and what is recorded of it."""

import hashlib
import json
from dataclasses import replace

import pytest
from cryptography.x509 import ocsp

from ca.domain.dossiers import MANIFEST, SIGNATURE, manifest_message
from ca.domain.errors import InvalidRequest, NotAllowed, NotFound, Tampered
from ca.usecases.audit import AUDIT_KEY
from ca.usecases.compose_dossier import GIVEN_OUT, Files
from ca.usecases.customers import CorrectCustomer
from ca.usecases.looks import LOOKED
from tests.drafts import a_request
from tests.fakes.bank import AUDITOR, HOTLINE, ISSUING, MARIA, PAVEL, SECURITY, STRANGER, SUPERVISOR, Bank, new_key
from tests.fakes.use_cases import auditing_of


@pytest.fixture
def bank() -> Bank:
    bank = Bank()
    bank.responder(ISSUING)
    return bank


def dossier(bank: Bank, serial: int, by: str = AUDITOR) -> Files:
    return auditing_of(bank).compose(bank.session(by), serial)


def test_everything_is_in_it_and_under_one_signature(bank: Bank) -> None:
    certificate = bank.active()
    bank.publish_crl(ISSUING)

    files = dossier(bank, certificate.serial)

    told = json.loads(files[MANIFEST])
    assert sorted(told["files"]) == [
        "README.txt", "application.json", "approvals.json", "certificate.cer", "certificate.json", "events.jsonl",
        "identity.json", "issuer.cer", "issuing-delta.crl", "issuing.crl", "ocsp.der", "request.p10", "root.cer",
        "status.json", "verify.py", "verify_log.py",
    ]  # fmt: skip
    assert told["files"] == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name in told["files"]
    }
    bank.verify_checkpoint(manifest_message(files[MANIFEST]), bytes.fromhex(files[SIGNATURE].decode()))
    assert [key for key, _ in bank.key_store.signed[-2:]].count(AUDIT_KEY) >= 1


def test_two_dossiers_of_one_moment_are_alike_but_for_what_grew(bank: Bank) -> None:
    certificate = bank.active()

    first, second = dossier(bank, certificate.serial), dossier(bank, certificate.serial)

    assert list(first) == list(second)
    assert all(first[name] == second[name] for name in ("application.json", "approvals.json", "certificate.json"))


def test_that_it_was_given_out_is_recorded_and_the_customer_sees_it(bank: Bank) -> None:
    certificate = bank.active()

    dossier(bank, certificate.serial)

    given, looked = bank.unit_of_work.events[-2:]
    assert (given.name, given.subject, given.actor) == (GIVEN_OUT, f"{certificate.serial:x}", AUDITOR)
    assert (looked.name, looked.subject, looked.details) == (LOOKED, certificate.customer, {"page": "dossier"})


def test_every_event_in_it_is_under_a_checkpoint_even_that_it_was_given_out(bank: Bank) -> None:
    certificate = bank.active()

    lines = [json.loads(line) for line in dossier(bank, certificate.serial)["events.jsonl"].splitlines()]

    events = [line["event"]["name"] for line in lines if "event" in line]
    assert [name for name in events if name in (GIVEN_OUT, "application.approved", "certificate.issued")] == [
        "application.approved",
        "certificate.issued",
        GIVEN_OUT,
    ]
    assert "customer.registered" in events
    assert LOOKED not in events
    assert len([line for line in lines if "checkpoint" in line]) == len(events)


def test_a_correction_of_the_register_is_in_it(bank: Bank) -> None:
    certificate = bank.active()
    correct = CorrectCustomer(bank.unit_of_work, bank.clock, bank.authorize)
    correct(bank.session(MARIA), certificate.customer, name="Wei Corrected", document_number="D-2", email="", phone="")

    lines = [json.loads(line) for line in dossier(bank, certificate.serial)["events.jsonl"].splitlines()]

    corrected = [line["event"] for line in lines if line.get("event", {}).get("name") == "customer.corrected"]
    assert [event["subject"] for event in corrected] == [certificate.customer]


def test_what_relying_parties_are_told_now_is_in_it(bank: Bank) -> None:
    certificate = bank.active()
    bank.revoked(certificate)

    files = dossier(bank, certificate.serial)

    answer = ocsp.load_der_ocsp_response(files["ocsp.der"])
    assert (answer.serial_number, answer.certificate_status) == (certificate.serial, ocsp.OCSPCertStatus.REVOKED)
    assert json.loads(files["status.json"])["ocsp"]["reason"] == "keyCompromise"
    assert [one["status"] for one in json.loads(files["certificate.json"])["statuses"]][-1] == "revoked"


@pytest.mark.parametrize("by", [AUDITOR, SUPERVISOR, SECURITY])
def test_who_settles_disputes_gets_one(bank: Bank, by: str) -> None:
    assert MANIFEST in dossier(bank, bank.active().serial, by)


@pytest.mark.parametrize("by", [MARIA, PAVEL, HOTLINE])
def test_nobody_else_does(bank: Bank, by: str) -> None:
    certificate = bank.active()
    with pytest.raises(NotAllowed):
        dossier(bank, certificate.serial, by)
    assert GIVEN_OUT not in bank.event_names


def test_another_branchs_supervisor_does_not_know_the_certificate(bank: Bank) -> None:
    certificate = bank.active()
    with pytest.raises(NotFound):
        dossier(bank, certificate.serial, STRANGER)


def test_there_is_none_of_what_nobody_issued_and_of_the_cas_own(bank: Bank) -> None:
    own = next(one for one in bank.stored.certificates.values() if not one.application)
    with pytest.raises(NotFound):
        dossier(bank, 0xDEAD)
    with pytest.raises(InvalidRequest):
        dossier(bank, own.serial)


def test_a_case_that_was_edited_is_no_evidence(bank: Bank) -> None:
    certificate = bank.active()
    bank.rewrite_case(certificate.application, document_number="another")
    with pytest.raises(Tampered):
        dossier(bank, certificate.serial)


def test_a_kept_request_that_was_changed_is_no_evidence(bank: Bank) -> None:
    certificate = bank.active()
    honest = bank.stored.intents[certificate.serial]
    for request_der in (a_request(new_key()), b""):
        bank.stored.intents[certificate.serial] = replace(honest, request_der=request_der)
        with pytest.raises(Tampered):
            dossier(bank, certificate.serial)


def test_of_a_certificate_from_before_requests_were_kept_there_is_the_digest_alone(bank: Bank) -> None:
    certificate = bank.active()
    before = replace(bank.stored.intents[certificate.serial], request_der=b"")
    bank.stored.intents[certificate.serial] = replace(before, seal=bank.seals.seal("intent", before.sealed_fields()))

    files = dossier(bank, certificate.serial)

    assert "request.p10" not in files
    assert json.loads(files["certificate.json"])["request_sha256"] == before.request


def test_a_certificate_that_was_never_recorded_to_be_signed_has_none(bank: Bank) -> None:
    certificate = bank.active()
    del bank.stored.intents[certificate.serial]
    with pytest.raises(NotFound):
        dossier(bank, certificate.serial)
