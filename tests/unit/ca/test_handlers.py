"""ca/handlers.py: each operation reaches its use case, and every refusal of an act is an event (DESIGN invariant 9)."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca import authority_operations as authority
from ca import case_operations as case_ops
from ca import dossier_operations as dossier
from ca import operations as ops
from ca import policy_operations as policy
from ca import portal_operations as portal
from ca import unlock_operations as unlock
from ca.backup_operations import SignBackup
from ca.certificate_operations import (
    UndoHold,
)
from ca.domain.decisions import Assertion
from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotAllowed, NotFound, NotReady, PKIError
from ca.domain.responders import memory_key_proof
from ca.handlers import Handlers
from tests.drafts import a_request
from tests.fakes.bank import (
    HOTLINE,
    MARIA,
    PAVEL,
    SECURITY,
    STRANGER,
    SUPERVISOR,
    Bank,
    new_key,
    prove,
    request_like,
)
from tests.fakes.ceremony import ISSUING
from tests.fakes.portal_acts import PORTAL_ACTS
from tests.fakes.stock import STOCK_ACTS
from tests.unit.ca.test_certificate_handlers import CERTIFICATE_ACTS, CERTIFICATE_QUESTIONS
from tests.unit.ca.test_door_handlers import DOOR_ACTS, DOOR_CHALLENGE, DOOR_QUESTIONS
from tests.unit.ca.test_officer_handlers import OFFICER_ACTS, OFFICER_QUESTIONS


class Signer:
    """The handlers of a bank, asked with operations as the socket brings them."""

    def __init__(self) -> None:
        self.bank = Bank()
        self.handlers = Handlers(self.bank.use_cases)
        self.table = self.handlers.table()

    def ask(self, operation: ops.Operation) -> dict[str, Any]:
        # Over JSON and back, as it travels.
        kind = type(operation)
        return self.table[kind](kind.model_validate(operation.payload()))

    def refuse(self, operation: ops.Operation) -> PKIError:
        with pytest.raises(PKIError) as error:
            self.ask(operation)
        self.handlers.refused(operation, error.value)
        return error.value


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def bank(signer: Signer) -> Bank:
    return signer.bank


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def message(assertion: Assertion) -> ops.AssertionMessage:
    return ops.AssertionMessage(
        credential_id=assertion.credential_id,
        client_data=assertion.client_data,
        authenticator_data=assertion.authenticator_data,
        signature=assertion.signature,
    )


NOBODY = message(Assertion(b"id", b"{}", bytes(4), b"signature"))


def test_every_operation_has_one_handler(signer: Signer) -> None:
    assert set(signer.table) == set(ops.all_operations().values())


def test_an_officer_signs_in_and_out(signer: Signer, bank: Bank) -> None:
    passkey = bank[MARIA].passkey
    challenge = b64(signer.ask(ops.SignInChallenge())["challenge"])
    answer = signer.ask(ops.SignIn(challenge=challenge, assertion=message(passkey.sign(challenge))))
    who = signer.ask(ops.WhoAmI(session=answer["token"]))
    assert who == {"officer": answer["officer"]}
    assert who["officer"]["roles"] == ["ra-approver", "ra-operator"]
    assert signer.ask(ops.SignOut(session=answer["token"])) == {}
    assert signer.refuse(ops.WhoAmI(session=answer["token"])).code == "not-authenticated"


def test_one_certificates_whole_life(signer: Signer, bank: Bank) -> None:
    maker, checker, supervisor = bank.session(MARIA), bank.session(PAVEL), bank.session(SUPERVISOR)
    customer = signer.ask(
        ops.RegisterCustomer(session=maker, kind="person", number="1", name="张伟", document_number="ID1")
    )["customer"]
    assert signer.ask(ops.RegisterDevice(session=maker, serial="US1", model="U-Shield 2")) == {"device": "US1"}
    application = signer.ask(
        case_ops.SubmitApplication(session=maker, customer=customer, profile="personal-signing", device_serial="US1")
    )["application"]
    shown = signer.ask(case_ops.ShowCase(session=checker, application=application))
    assert (shown["state"], shown["profile_current"], shown["may_approve"]) == ("submitted", True, True)
    assert (shown["case"]["device_serial"], shown["outlook"]["warnings"]) == ("US1", [])
    approved = signer.ask(
        case_ops.ApproveApplication(
            session=checker,
            application=application,
            digest=b64(shown["digest"]),
            assertion=message(bank[PAVEL].passkey.sign(b64(shown["challenge"]))),
        )
    )
    assert approved == {"application": application, "state": "approved"}
    codes = signer.ask(ops.HandOutCodes(session=maker, application=application))
    assert codes["expires_at"].endswith("Z")
    reference, code = codes["reference_number"], codes["authorization_code"]
    hints = signer.ask(ops.EnrolmentHints(reference=reference, code=code))
    assert hints == {
        "profile": "personal-signing",
        "subject": "serialNumber=1,CN=张伟,OU=Personal customers,O=Demo Bank,C=CN",
        "device_serial": "US1",
        "key_algorithms": ["ec-p256", "ec-p384", "rsa-2048", "rsa-3072"],
        "confirm": True,
    }
    key = new_key()
    issued = signer.ask(ops.Enrol(reference=reference, code=code, request=a_request(key)))
    serial, certificate = issued["serial"], bank.certificate(int(issued["serial"], 16))
    assert (b64(issued["certificate"]), issued["confirm"]) == (certificate.der, True)
    asked = signer.ask(ops.ConfirmationChallenge(serial=serial))
    assert asked["expires_in"] == 300
    nonce = b64(asked["nonce"])
    confirm = ops.Confirm(serial=serial.upper(), nonce=nonce, signature=prove(key, nonce, certificate))
    assert signer.ask(confirm) == {"serial": serial, "status": "active"}
    assert signer.ask(ops.Hold(session=bank.session(HOTLINE), serial=serial))["status"] == "on-hold"
    assert signer.ask(UndoHold(session=bank.session(HOTLINE), serial=serial))["status"] == "active"
    assert signer.ask(ops.Hold(session=bank.session(HOTLINE), serial=serial))["status"] == "on-hold"
    assert signer.ask(ops.Release(session=supervisor, serial=serial))["status"] == "active"
    revoked = signer.ask(ops.Revoke(session=supervisor, serial=serial, reason="keyCompromise"))
    assert revoked == {"serial": serial, "status": "revoked"}


def test_a_code_that_went_by_message_is_not_in_the_answer(signer: Signer, bank: Bank) -> None:
    application = bank.submitted(customer=bank.customer(email="li.qiang@bank.example"))
    bank.approve(application)

    answer = signer.ask(ops.HandOutCodes(session=bank.session(MARIA), application=application, by="message"))

    assert answer.keys() == {"reference_number", "expires_at", "sent_to"}
    assert answer["sent_to"] == ["l•••@bank.example"]
    assert [message.to for message in bank.posted] == ["li.qiang@bank.example"]


def test_an_application_is_rejected_or_withdrawn(signer: Signer, bank: Bank) -> None:
    first, second = bank.submitted(), bank.submitted()
    reject = case_ops.RejectApplication(session=bank.session(PAVEL), application=first, reason="no")
    withdraw = case_ops.WithdrawApplication(session=bank.session(MARIA), application=second, reason="no")
    assert signer.ask(reject) == {"application": first, "state": "rejected"}
    assert signer.ask(withdraw) == {"application": second, "state": "withdrawn"}


def test_a_certificate_is_renewed(signer: Signer, bank: Bank) -> None:
    machine = bank.active(profile="machine")
    issued = signer.ask(ops.ReEnrol(client_certificate=machine.der, request=request_like(machine.der, new_key())))
    assert (issued["confirm"], int(issued["serial"], 16)) == (False, bank.customer_certificates[-1].serial)


def test_the_chain_is_told_with_the_root_last(signer: Signer, bank: Bank) -> None:
    issuers = bank.stored.issuers
    certificates = signer.ask(ops.CACertificates())["certificates"]
    assert [b64(text) for text in certificates] == [issuers[ISSUING].certificate_der, issuers["root"].certificate_der]


def test_a_key_in_memory_is_certified(signer: Signer, bank: Bank) -> None:
    key = new_key().private
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert isinstance(key, EllipticCurvePrivateKey)
    proof = key.sign(memory_key_proof(spki), ECDSA(SHA256()))
    given = signer.ask(ops.CertifyResponderKey(public_key=spki, proof=proof))
    assert given["issuer"] == ISSUING
    assert b64(given["issuer_certificate"]) == bank.stored.issuers[ISSUING].certificate_der
    assert spki in b64(given["certificate"])


def test_an_unknown_certificate_of_ours_is_reported(signer: Signer, bank: Bank) -> None:
    certificate = bank.active()
    assert signer.ask(ops.ReportUnknown(certificate=certificate.der)) == {"alarm": False}
    del bank.stored.certificates[certificate.serial]
    assert signer.ask(ops.ReportUnknown(certificate=certificate.der)) == {"alarm": True}


def test_jobs_reconciliation_and_health_answer(signer: Signer) -> None:
    assert signer.ask(ops.RunJob(name="count", holder="first")) == {"ran": True, "ok": True, "result": "counted"}
    assert signer.ask(ops.RunJob(name="count", holder="second")) == {"ran": False}
    assert signer.ask(ops.Reconcile()) == {"finished": []}
    assert signer.ask(ops.Health()) == {"hsm": "ok", "database": "ok", "clock": "ok"}


def test_what_reconcile_finished_is_told_by_serial(signer: Signer, bank: Bank) -> None:
    codes = bank.codes()
    bank.key_store.signatures_left = 0
    with pytest.raises(KeyStoreUnavailable):
        bank.download(codes, a_request())
    bank.key_store.signatures_left = None
    (serial,) = signer.ask(ops.Reconcile())["finished"]
    assert bank.certificate(int(serial, 16)).application == codes.application


# Refusals

A_LINE = case_ops.BatchLineMessage(number="1", name="N", document_number="1")
APPROVALS = (authority.ApproveProfile, policy.ApprovePolicy)
ACTS: list[ops.Operation] = [
    *(*STOCK_ACTS, *OFFICER_ACTS, *DOOR_ACTS, *PORTAL_ACTS),
    ops.SignIn(challenge=bytes(32), assertion=NOBODY),
    ops.SignOut(session="none"),
    ops.OpenInvitation(invitation="none", code="none"),
    ops.RedeemInvitation(invitation="none", code="none", challenge=bytes(32), registration="{}", label="x"),
    ops.ProposeInvitation(session="none", person="E9", name="N", branch="B", roles=["auditor"]),
    ops.ApproveInvitation(session="none", invitation="none", assertion=NOBODY),
    ops.ChangeOfficer(session="none", officer="none", state="left", reason="x"),
    ops.RegisterCustomer(session="none", kind="person", number="1", name="N", document_number="1"),
    ops.RegisterDevice(session="none", serial="US1", model="M"),
    ops.NoteLook(session="none", customer="none", page="customers"),
    case_ops.SubmitApplication(session="none", customer="none", profile="machine"),
    case_ops.ApproveApplication(session="none", application="none", digest=bytes(32), assertion=NOBODY),
    case_ops.RejectApplication(session="none", application="none", reason="x"),
    case_ops.WithdrawApplication(session="none", application="none", reason="x"),
    case_ops.ReturnApplication(session="none", application="none", reason="x"),
    case_ops.CorrectApplication(session="none", application="none", profile="machine"),
    case_ops.SubmitBatch(session="none", company="1", profile="machine", lines=[A_LINE], apply=True),
    case_ops.ApproveBatch(session="none", batch="none", digest=bytes(32), assertion=NOBODY),
    ops.CorrectCustomer(session="none", customer="none", name="N", document_number="1"),
    ops.HandOutCodes(session="none", application="none"),
    ops.Enrol(reference="none", code="none", request=b""),
    ops.ReEnrol(client_certificate=b"", request=b""),
    ops.ConfirmationChallenge(serial="a1"),
    ops.Confirm(serial="a1", nonce=b"", signature=b""),
    ops.CertifyResponderKey(public_key=b"", proof=b""),
    ops.ReportUnknown(certificate=b""),
    ops.RecordSightings(sightings=[ops.SightingMessage(serial="a1", changed_at=1, channel="ocsp", seen_at=2)]),
    ops.RunJob(name="none", holder="none"),
    authority.RunJobNow(session="none", name="none"),
    authority.ProposeProfile(session="none", profile="none", text="", effective_from="none", reason="x"),
    policy.ProposePolicy(session="none", numbers={}, effective_from="none", reason="x"),
    *(kind(session="none", version="none", digest=bytes(32), assertion=NOBODY) for kind in APPROVALS),
    *(kind(session="none", version="none", reason="x") for kind in (authority.RejectProfile, policy.RejectPolicy)),
    *(authority.ProposeTool(session="none", reason="x"), authority.WithdrawTool(session="none", reason="x")),
    authority.ApproveTool(session="none", case="none", digest=bytes(32), assertion=NOBODY),
    authority.RejectTool(session="none", case="none", reason="x"),
    unlock.PrepareDevice(session="none", serial="US1", token_serial="US1", public_key=b""),
    unlock.OpenUnlock(session="none", device_serial="US1", reason="x"),
    unlock.ApproveUnlock(session="none", reference="none", digest=bytes(32), assertion=NOBODY),
    unlock.RejectUnlock(session="none", reference="none", reason="x"),
    unlock.AnswerUnlock(reference="none", code="none", token_serial="US1", public_key=b""),
    unlock.CompleteUnlock(reference="none", nonce=b"", certificate=b"", signature=b""),
    *(*CERTIFICATE_ACTS, SignBackup(digest=bytes(32), number=1, hash=bytes(32))),
    dossier.VerifyLog(session="none"),
    dossier.ShowDossier(session="none", serial="a1"),
]
# Looking is no act; these two have nothing to refuse.
QUESTIONS: list[ops.Operation] = [
    ops.WhoAmI(session="none"),
    *CERTIFICATE_QUESTIONS,
    case_ops.ShowCase(session="none", application="none"),
    case_ops.PreviewApplication(session="none", customer="none", profile="machine"),
    case_ops.ShowBatch(session="none", batch="none"),
    ops.ShowInvitation(session="none", invitation="none"),
    ops.ShowHistory(serial="none", at="none"),
    portal.ShowMe(session="none"),
    portal.ListOwnCertificates(session="none"),
    *(portal.ListOwnDevices(session="none"), portal.ShowOwnHistory(session="none")),
    portal.ListSessions(session="none"),
    unlock.ShowUnlock(session="none", reference="none"),
    *(*OFFICER_QUESTIONS, *DOOR_QUESTIONS, portal.ShowCompany(session="none")),
    *(authority.ListProfiles(session="none"), authority.ShowSettings(session="none")),
    *(authority.ShowTool(session="none"), authority.ShowToolCase(session="none", case="none")),
    *(policy.ShowPolicy(session="none"), policy.ShowPolicyVersion(session="none", version="none")),
    *(authority.ShowProfile(session="none", profile="x"), authority.ShowProfileVersion(session="none", version="x")),
]
NEVER_REFUSED = {
    *(ops.SignInChallenge, DOOR_CHALLENGE, ops.CACertificates, ops.Health, ops.Reconcile, policy.PolicyInForce)
}
COUNTED = {ops.EnrolmentHints}


def test_the_walk_misses_no_operation() -> None:
    walked = {type(operation) for operation in (*ACTS, *QUESTIONS)} | NEVER_REFUSED | COUNTED
    assert walked == set(ops.all_operations().values())


@pytest.mark.parametrize("operation", ACTS, ids=lambda operation: operation.path)
def test_every_refused_act_is_an_event(signer: Signer, bank: Bank, operation: ops.Operation) -> None:
    error = signer.refuse(operation)
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.subject) == ("operation.refused", operation.path)
    assert event.details["code"] == error.code


@pytest.mark.parametrize("operation", QUESTIONS, ids=lambda operation: operation.path)
def test_a_question_without_a_session_is_no_event(signer: Signer, bank: Bank, operation: ops.Operation) -> None:
    events = len(bank.event_names)
    signer.refuse(operation)
    assert len(bank.event_names) == events


def test_a_tampered_case_is_an_event_even_when_only_shown(signer: Signer, bank: Bank) -> None:
    application = bank.submitted()
    bank.rewrite_case(application, customer_name="somebody else")

    error = signer.refuse(case_ops.ShowCase(session=bank.session(PAVEL), application=application))

    event = bank.unit_of_work.events[-1]
    assert error.code == event.details["code"] == "tampered"
    assert (event.name, event.subject, event.actor) == ("operation.refused", "applications/show", PAVEL)


def test_another_branchs_case_asked_for_is_an_event(signer: Signer, bank: Bank) -> None:
    error = signer.refuse(case_ops.ShowCase(session=bank.session(STRANGER), application=bank.submitted()))

    event = bank.unit_of_work.events[-1]
    assert error.code == event.details["code"] == "not-found"
    assert (event.name, event.actor) == ("operation.refused", STRANGER)


def test_what_is_no_operation_is_an_event(signer: Signer, bank: Bank) -> None:
    signer.handlers.malformed(ops.Hold, InvalidRequest("serial: Field required"))
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.subject, event.actor) == ("operation.refused", "certificates/hold", "unknown")


def test_wrong_codes_are_an_event_of_their_own(signer: Signer, bank: Bank) -> None:
    signer.refuse(ops.EnrolmentHints(reference="none", code="none"))
    assert "codes.refused" in bank.event_names


def test_who_was_refused_is_told(signer: Signer, bank: Bank) -> None:
    signer.refuse(ops.Hold(session=bank.session(SECURITY), serial="a1"))
    assert bank.unit_of_work.events[-1].actor == SECURITY


@pytest.mark.parametrize(
    ("operation", "actor"),
    [
        (ops.Hold(session="none", serial="a1"), "unknown"),
        (ops.SignIn(challenge=bytes(32), assertion=NOBODY), "unknown"),
        (ops.RedeemInvitation(invitation="x", code="x", challenge=b"", registration="", label=""), "unknown"),
        (ops.Enrol(reference="none", code="none", request=b""), "customer"),
        (ops.RunJob(name="none", holder="none"), "jobs"),
    ],
    ids=lambda value: getattr(value, "path", value),
)
def test_nobody_is_blamed_for_what_others_did(signer: Signer, bank: Bank, operation: ops.Operation, actor: str) -> None:
    signer.refuse(operation)
    assert bank.unit_of_work.events[-1].actor == actor


@pytest.mark.parametrize("error", [NotReady("the disk is full"), KeyStoreUnavailable("the HSM is away")])
def test_what_failed_on_our_side_is_no_refusal(signer: Signer, bank: Bank, error: PKIError) -> None:
    events = len(bank.event_names)
    signer.handlers.refused(ops.Hold(session="none", serial="a1"), error)
    assert len(bank.event_names) == events


@pytest.mark.parametrize("error", [NotAllowed("no"), NotFound("no")])
def test_no_session_and_no_code_gets_into_the_log(signer: Signer, bank: Bank, error: PKIError) -> None:
    session = bank.session(MARIA)
    signer.handlers.refused(ops.Hold(session=session, serial="a1"), error)
    signer.handlers.refused(ops.Enrol(reference="1", code="SECRET-CODE", request=b""), error)
    assert session not in str(bank.unit_of_work.events)
    assert "SECRET-CODE" not in str(bank.unit_of_work.events)
