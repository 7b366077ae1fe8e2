"""Values that are valid by default; a test overrides the one thing it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ca.domain.algorithms import KeyAlgorithm
from ca.domain.applications import Application, ApplicationState, Case
from ca.domain.audit import AuditEvent, Checkpoint, Head
from ca.domain.bindings import CertificateBinding
from ca.domain.bundle import BundleKind, BundleRecord
from ca.domain.certificates import Certificate, CertificateStatus, Intent
from ca.domain.codes import CodePair, CodeState
from ca.domain.crl import CRLRecord, CRLScope
from ca.domain.customers import Customer, CustomerKind
from ca.domain.decisions import Act, Assertion, Decision, Evidence
from ca.domain.devices import Device, DeviceState
from ca.domain.issuers import Issuer
from ca.domain.journal import Act as ChangeAct
from ca.domain.journal import Change, Entry, chained
from ca.domain.officer_changes import OfficerChange
from ca.domain.officers import Credential, Invitation, InvitationState, Officer, OfficerState, TrustedRole
from ca.domain.revocation import RevocationReason
from ca.domain.revocation_cases import RevocationCase
from ca.domain.sessions import Challenge, Session

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SEAL = bytes(range(32))


def a_customer(**changes: Any) -> Customer:
    valid = Customer(
        id="customer-1",
        number="100200300",
        kind=CustomerKind.PERSON,
        name="Kovács Anna",
        document_number="AB123456",
        email="anna@example.com",
        branch="0001",
        registered_by="P-1",
        registered_at=NOW,
    )
    return replace(valid, **changes)


def a_device(**changes: Any) -> Device:
    valid = Device(
        id="device-1",
        serial="US0000000001",
        model="U-Shield 2",
        branch="0001",
        state=DeviceState.IN_STOCK,
        customer="",
        registered_by="P-1",
        registered_at=NOW,
    )
    return replace(valid, **changes)


def a_credential(**changes: Any) -> Credential:
    return replace(Credential(id=b"\x01\xff", public_key=b"\xa5cose", label="Office key", sign_count=0), **changes)


def an_officer(**changes: Any) -> Officer:
    valid = Officer(
        id="officer-1",
        person="P-1",
        name="Maria Nagy",
        branch="0001",
        roles=frozenset({TrustedRole.RA_OPERATOR, TrustedRole.HOTLINE}),
        state=OfficerState.ACTIVE,
        credentials=(a_credential(),),
    )
    return replace(valid, **changes)


def an_officer_change(**changes: Any) -> OfficerChange:
    valid = OfficerChange(
        id="change-1",
        version=1,
        officer="officer-1",
        officer_version=1,
        person="P-1",
        name="Maria Nagy",
        old_branch="0001",
        old_roles=frozenset({TrustedRole.RA_OPERATOR, TrustedRole.HOTLINE}),
        branch="0002",
        roles=frozenset({TrustedRole.RA_APPROVER}),
        reason="moves",
        proposed_by="P-9",
        proposed_at=NOW,
        expires_at=NOW + timedelta(days=7),
    )
    return replace(valid, **changes)


def a_revocation_case(**changes: Any) -> RevocationCase:
    valid = RevocationCase(
        id="case-1",
        version=1,
        serial=0xA1,
        subject="CN=Zhang Wei,O=Demo Bank",
        branch="0001",
        reason=RevocationReason.CESSATION_OF_OPERATION,
        invalid_since=NOW - timedelta(days=1),
        why="the account was closed",
        held_since=NOW,
        proposed_by="P-9",
        proposed_at=NOW,
        expires_at=NOW + timedelta(days=7),
    )
    return replace(valid, **changes)


def a_binding(**changes: Any) -> CertificateBinding:
    valid = CertificateBinding(
        id="binding-1",
        version=1,
        officer="officer-1",
        person="P-1",
        name="Maria Nagy",
        serial=0xA1,
        fingerprint="ab" * 32,
        subject="CN=Maria Nagy",
        reason="new U-Shield",
        proposed_by="P-9",
        proposed_at=NOW,
        expires_at=NOW + timedelta(days=7),
    )
    return replace(valid, **changes)


def an_invitation(**changes: Any) -> Invitation:
    valid = Invitation(
        id="invitation-1",
        person="P-2",
        name="Pavel Novák",
        branch="0001",
        roles=frozenset({TrustedRole.RA_APPROVER}),
        proposed_by="P-8",
        state=InvitationState.OPEN,
        expires_at=NOW + timedelta(days=3),
        code_mac=b"\x00mac",
        approved_by="P-9",
    )
    return replace(valid, **changes)


def a_session(**changes: Any) -> Session:
    return replace(Session(token_hash="ab" * 32, officer="officer-1", began_at=NOW, seen_at=NOW), **changes)


def a_challenge(**changes: Any) -> Challenge:
    return replace(Challenge(purpose="sign-in", value=b"\x00" * 32, expires_at=NOW + timedelta(minutes=5)), **changes)


def a_case(**changes: Any) -> Case:
    valid = Case(
        application="application-1",
        version=1,
        profile="u-shield",
        profile_digest="cd" * 32,
        customer="customer-1",
        customer_number="100200300",
        customer_name="Kovács Anna",
        document_number="AB123456",
        subject=(("CN", "Kovács Anna"), ("serialNumber", "100200300")),
        alternative_names=(("email", "anna@example.com"),),
        device_serial="US0000000001",
        validity=timedelta(days=365),
        branch="0001",
        maker_person="P-1",
        maker_name="Maria Nagy",
        submitted_at=NOW,
    )
    return replace(valid, **changes)


def an_application(*, case: Case | None = None, **changes: Any) -> Application:
    return replace(Application(case=case or a_case(), state=ApplicationState.SUBMITTED), **changes)


def evidence(**changes: Any) -> Evidence:
    decision = Decision(
        act=Act.APPROVE_APPLICATION,
        subject="application-1",
        subject_digest=a_case().digest(),
        officer="officer-2",
        person="P-2",
    )
    assertion = Assertion(b"\x01\xff", b'{"type":"webauthn.get"}', b"\x00\x01", b"\x30\x00")
    return replace(Evidence(decision, assertion, b"\xa5cose", NOW), **changes)


def a_code_pair(**changes: Any) -> CodePair:
    valid = CodePair(
        reference="1234567894",
        application="application-1",
        code_mac=b"\x00mac",
        state=CodeState.OPEN,
        expires_at=NOW + timedelta(days=14),
        attempts_left=5,
    )
    return replace(valid, **changes)


def a_certificate(**changes: Any) -> Certificate:
    valid = Certificate(
        serial=0xA1,
        issuer="issuing",
        profile="u-shield",
        der=b"\x30\x00certificate",
        public_key="ef" * 32,
        subject="CN=Kovács Anna",
        application="application-1",
        customer="customer-1",
        device_serial="US0000000001",
        branch="0001",
        not_before=NOW,
        not_after=NOW + timedelta(days=365),
        issued_at=NOW,
        status=CertificateStatus.ACTIVE,
    )
    return replace(valid, **changes)


def an_intent(**changes: Any) -> Intent:
    valid = Intent(
        serial=0xA1,
        issuer="issuing",
        profile="u-shield",
        application="application-1",
        tbs_der=b"\x30\x00tbs",
        public_key="ef" * 32,
        request="12" * 32,
        predecessor=None,
        intended_at=NOW,
        needs_confirmation=True,
        request_der=b"\x30\x00request",
        seal=SEAL,
    )
    return replace(valid, **changes)


@cache
def _ca_certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example Bank Issuing CA")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def an_issuer(**changes: Any) -> Issuer:
    valid = Issuer(
        name="issuing",
        certificate_der=_ca_certificate(),
        key_id=b"\x01",
        algorithm=KeyAlgorithm.EC_P256,
        crl_url="http://localhost:8080/crl/issuing.crl",
        ocsp_url="http://localhost:8080/ocsp",
        certificate_url="http://localhost:8080/ca/issuing.cer",
    )
    return replace(valid, **changes)


def a_crl(**changes: Any) -> CRLRecord:
    valid = CRLRecord(
        scope=CRLScope("issuing"),
        number=1,
        this_update=NOW,
        next_update=NOW + timedelta(days=1),
        entries=0,
        size=3_000_000_000,
        sha256="ef" * 32,
    )
    return replace(valid, **changes)


def a_bundle(**changes: Any) -> BundleRecord:
    valid = BundleRecord(
        issuer="issuing",
        kind=BundleKind.FULL,
        number=1,
        this_update=NOW,
        next_update=NOW + timedelta(hours=4),
        crl_number=7,
        content=b"bundle",
    )
    return replace(valid, **changes)


def an_event(name: str = "customer.registered", **changes: Any) -> AuditEvent:
    return replace(AuditEvent(name, "customer-1", "P-1", NOW, {"branch": "0001", "name": "Kovács Anna"}), **changes)


def journal_entries(count: int) -> list[Entry]:
    """The first entries of a journal, each of two events and a revocation's change."""
    change = Change(ChangeAct.UPDATE, "certificates", {"serial": "a1"}, {"status": "revoked", "reason": 1})
    made: list[Entry] = []
    head = Head()
    for _ in range(count):
        made.append(chained(head, [an_event(), an_event("certificate.revoked")], (change,)))
        head = made[-1].head
    return made


def a_checkpoint(**changes: Any) -> Checkpoint:
    return replace(Checkpoint(number=1, hash=b"\x07" * 32, at=NOW, signature=b"\x30\x00signature"), **changes)
