"""pkilint has no objection to what we draft, and objects to what is wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from ca.adapters.linter import PkilintLinter
from ca.domain import der
from ca.domain.algorithms import SIGNATURE_OF
from ca.domain.crl import CRLFrame
from ca.domain.names import AlternativeName, Name, NameAttribute
from tests.drafts import NOW, P384, PROFILES, a_draft, an_issuer

STAND_IN = der.sequence(der.integer(1), der.integer(1))


@pytest.fixture(scope="module")
def linter() -> PkilintLinter:
    return PkilintLinter()


@pytest.mark.parametrize("name", sorted(set(PROFILES) - {"root-ca"}))
def test_drafts_of_every_profile_have_no_finding(linter: PkilintLinter, name: str) -> None:
    profile = PROFILES[name]
    values = {"customer_name": "张伟", "customer_number": "10000001", "host_name": "gw1.bank.example"}
    values["company_name"] = "北京贸易有限公司"
    subject = profile.subject_for({**values, "officer_name": "陈静", "branch": "北京"})
    names = [AlternativeName("dns", "gw1.bank.example")] if "dns" in profile.alternative_names else []

    draft = a_draft(profile, subject=subject, alternative_names=names, serial=1 << 130)

    assert linter.lint_certificate(draft.sealed(STAND_IN)) == []


def test_a_root_has_no_finding(linter: PkilintLinter) -> None:
    assert linter.lint_certificate(an_issuer().certificate_der) == []


def test_64_rare_characters_have_no_finding(linter: PkilintLinter) -> None:
    subject = Name(((NameAttribute.COMMON_NAME, "𠮷" * 64),))

    assert linter.lint_certificate(a_draft(subject=subject).sealed(STAND_IN)) == []


def test_an_address_has_no_finding(linter: PkilintLinter) -> None:
    draft = a_draft(alternative_names=[AlternativeName("email", "zhang@customer.example")])

    assert linter.lint_certificate(draft.sealed(STAND_IN)) == []


def test_a_negative_serial_is_a_finding(linter: PkilintLinter) -> None:
    assert "serial" in " ".join(linter.lint_certificate(a_draft(serial=-1).sealed(STAND_IN))).lower()


@pytest.mark.parametrize("blob", [b"", b"\x30\x00", b"no der"])
def test_what_cannot_be_read_is_a_finding(linter: PkilintLinter, blob: bytes) -> None:
    assert linter.lint_certificate(blob)[0].startswith("FATAL")


def a_crl(*, numbered: bool) -> bytes:
    issuer = x509.load_der_x509_certificate(an_issuer(P384).certificate_der)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = x509.CertificateRevocationListBuilder(issuer.subject, NOW, NOW + timedelta(days=1)).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
    )
    if numbered:
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    return builder.sign(P384.private, hashes.SHA384()).public_bytes(serialization.Encoding.DER)


def test_a_sound_crl_has_no_finding(linter: PkilintLinter) -> None:
    assert linter.lint_crl(a_crl(numbered=True)) == []


def test_a_crl_without_number_is_a_finding(linter: PkilintLinter) -> None:
    assert linter.lint_crl(a_crl(numbered=False))


def test_an_ocsp_answer_has_no_finding(linter: PkilintLinter) -> None:
    issuer = x509.load_der_x509_certificate(an_issuer(P384).certificate_der)
    key = P384.private
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    answer = (
        ocsp.OCSPResponseBuilder()
        .add_response(issuer, issuer, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD, now, now + timedelta(1), None, None)
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
        .sign(key, hashes.SHA384())
    )

    assert linter.lint_ocsp_response(answer.public_bytes(serialization.Encoding.DER)) == []


@pytest.mark.parametrize(
    ("place", "findings"), [("http://localhost:8080", 0), ("http://pki.bank.example", 0), ("http://no host", 1)]
)
def test_a_partition_of_a_demo_on_localhost_is_no_finding(linter: PkilintLinter, place: str, findings: int) -> None:
    issuer = an_issuer()
    frame = CRLFrame(issuer, 1, NOW, NOW + timedelta(days=1), places=(f"{place}/crl/issuing-p1.crl",))
    crl = der.signed(frame.drafted(b""), SIGNATURE_OF[issuer.algorithm], STAND_IN)
    assert len(linter.lint_crl(crl)) == findings
