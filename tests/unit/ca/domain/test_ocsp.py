"""ca/domain/ocsp.py, judged by cryptography's parser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp as judge

from ca.domain import der
from ca.domain.algorithms import SignatureAlgorithm
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import InvalidRequest
from ca.domain.ocsp import (
    NEVER_ISSUED,
    PLAIN,
    Answer,
    CertStatus,
    ErrorStatus,
    Good,
    Policy,
    Revoked,
    Unknown,
    basic_response,
    error_response,
    issuer_keys,
    response_data,
)
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing
from tests.drafts import P256, an_issuer
from tests.fakes.ocsp_requests import cert_id
from tests.fakes.status_world import StatusWorld

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def response(*statuses: CertStatus, nonce: bytes | None = None) -> bytes:
    return built(
        *(Answer(cert_id(serial), status, NOON, LATER) for serial, status in enumerate(statuses, start=1)), nonce=nonce
    )


def built(*answers: Answer, nonce: bytes | None = None) -> bytes:
    data = response_data(answers, responder_key_bits=b"key", produced_at=NOON, nonce=nonce)
    certificate = StatusWorld().responder.der
    return basic_response(
        data, algorithm=SignatureAlgorithm.ECDSA_SHA256, signature=b"signature", responder_certificate=certificate
    )


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (Good(), judge.OCSPCertStatus.GOOD),
        (Unknown(), judge.OCSPCertStatus.UNKNOWN),
        (Revoked(Revocation(RevocationReason.UNSPECIFIED, NOON)), judge.OCSPCertStatus.REVOKED),
    ],
)
def test_a_status_is_what_it_says(status: CertStatus, seen: judge.OCSPCertStatus) -> None:
    parsed = judge.load_der_ocsp_response(response(status))
    assert parsed.certificate_status is seen
    assert parsed.revocation_reason is None
    assert (parsed.this_update_utc, parsed.next_update_utc, parsed.produced_at_utc) == (NOON, LATER, NOON)
    assert parsed.responder_key_hash == bytes.fromhex("a62f2225bf70bfaccbc7f1ef2a397836717377de")
    assert len(parsed.certificates) == 1
    assert not list(parsed.extensions)


@pytest.mark.parametrize("reason", [each for each in RevocationReason if each])
def test_a_revocation_has_its_reason_and_time(reason: RevocationReason) -> None:
    parsed = judge.load_der_ocsp_response(response(Revoked(Revocation(reason, NOON - timedelta(days=400)))))
    assert parsed.revocation_time_utc == NOON - timedelta(days=400)
    assert der.enumerated(reason) in response(Revoked(Revocation(reason, NOON)))
    assert parsed.revocation_reason is not None


def test_several_certificates_get_one_response_in_the_order_asked() -> None:
    parsed = judge.load_der_ocsp_response(response(Good(), Unknown(), Good()))
    assert [(each.serial_number, each.certificate_status) for each in parsed.responses] == [
        (1, judge.OCSPCertStatus.GOOD),
        (2, judge.OCSPCertStatus.UNKNOWN),
        (3, judge.OCSPCertStatus.GOOD),
    ]


def test_the_nonce_is_echoed() -> None:
    parsed = judge.load_der_ocsp_response(response(Good(), nonce=b"n" * 32))
    assert parsed.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32
    assert not parsed.extensions.get_extension_for_class(x509.OCSPNonce).critical


@pytest.mark.parametrize("status", ErrorStatus)
def test_an_error_has_a_status_and_nothing_else(status: ErrorStatus) -> None:
    parsed = judge.load_der_ocsp_response(error_response(status))
    assert parsed.response_status.value == status
    assert len(error_response(status)) == 5


def test_an_unconfirmed_certificate_is_on_hold_and_an_active_one_good() -> None:
    hold = Revocation(RevocationReason.CERTIFICATE_HOLD, NOON)
    active = Standing("issuing", CertificateStatus.ACTIVE, NOON, LATER, None)
    assert PLAIN.status(replace(active, status=CertificateStatus.UNCONFIRMED), "issuing") == Revoked(hold)
    assert PLAIN.status(active, "issuing") == Good()


@pytest.mark.parametrize("standing", [None, Standing("root", CertificateStatus.ACTIVE, NOON, LATER, None)])
def test_what_this_issuer_never_issued_is_unknown_or_where_a_bank_wants_it_revoked(standing: Standing | None) -> None:
    extended = Policy(extended_revoke=True)
    assert PLAIN.status(standing, "issuing") == Unknown()
    assert extended.status(standing, "issuing") == Revoked(NEVER_ISSUED)

    read = judge.load_der_ocsp_response(response(extended.status(standing, "issuing"), nonce=b"n"))

    assert read.certificate_status is judge.OCSPCertStatus.REVOKED
    assert read.revocation_time_utc == datetime(1970, 1, 1, tzinfo=UTC)
    assert read.revocation_reason is x509.ReasonFlags.certificate_hold
    nonce, extended_revoke = read.extensions
    assert nonce.oid.dotted_string == "1.3.6.1.5.5.7.48.1.2"
    assert extended_revoke.oid.dotted_string == "1.3.6.1.5.5.7.48.1.9"
    assert not extended_revoke.critical


def test_the_extension_stands_only_where_something_was_never_issued() -> None:
    read = judge.load_der_ocsp_response(response(Good(), Revoked(Revocation(RevocationReason.SUPERSEDED, NOON))))
    assert len(read.extensions) == 0


def test_an_archive_cutoff_stands_in_the_single_response() -> None:
    read = judge.load_der_ocsp_response(built(Answer(cert_id(1), Good(), NOON, LATER, archive_cutoff=NOON)))

    (extension,) = read.single_extensions
    assert extension.oid.dotted_string == "1.3.6.1.5.5.7.48.1.6"
    assert not extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value == der.generalized_time(NOON)
    assert read.next_update_utc == LATER


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("sha1", hashes.SHA1()),  # noqa: S303 - CertIDs are hashed with it (RFC 6960)
        ("sha256", hashes.SHA256()),
        ("sha384", hashes.SHA384()),
        ("sha512", hashes.SHA512()),
    ],
)
def test_an_issuer_is_named_as_an_independent_ocsp_client_names_it(name: str, algorithm: hashes.HashAlgorithm) -> None:
    issuer = an_issuer(P256)
    certificate = x509.load_der_x509_certificate(issuer.certificate_der)

    request = judge.OCSPRequestBuilder().add_certificate(certificate, certificate, algorithm).build()

    named = issuer_keys(issuer.certificate_der)
    assert (name, request.issuer_name_hash, request.issuer_key_hash) in named
    assert len(named) == 4


def _without_key() -> bytes:
    """A certificate whose SubjectPublicKeyInfo is empty."""
    tbs, algorithm, signature = der.parse(StatusWorld().issuing.certificate_der).children()
    fields = [field.der for field in tbs.children()]
    fields[6] = der.sequence()
    return der.sequence(der.sequence(*fields), algorithm.der, signature.der)


@pytest.mark.parametrize("blob", [b"", b"junk", der.sequence(), _without_key()])
def test_what_is_no_certificate_names_no_issuer(blob: bytes) -> None:
    with pytest.raises(InvalidRequest):
        issuer_keys(blob)
