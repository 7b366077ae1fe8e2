"""An issuer's name, key and identifiers are read from its certificate, byte for byte."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

from ca.domain import der
from ca.domain.errors import InvalidRequest
from tests.drafts import NOW, P256, P384, an_issuer, issuer_of


def test_an_issuer_knows_itself_as_cryptography_does() -> None:
    issuer = an_issuer(P384)

    certificate = x509.load_der_x509_certificate(issuer.certificate_der)

    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert issuer.subject_der == certificate.subject.public_bytes()
    assert issuer.spki_der == P384.public.spki_der
    assert issuer.subject_key_identifier == identifier
    assert (issuer.not_before, issuer.not_after) == (NOW, NOW + timedelta(days=3650, seconds=-1))


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("sha1", hashes.SHA1()),  # noqa: S303 - CertIDs are hashed with it (RFC 6960)
        ("sha256", hashes.SHA256()),
        ("sha384", hashes.SHA384()),
        ("sha512", hashes.SHA512()),
    ],
)
def test_certid_hashes_are_those_of_an_independent_ocsp_client(name: str, algorithm: hashes.HashAlgorithm) -> None:
    issuer = an_issuer(P256)
    certificate = x509.load_der_x509_certificate(issuer.certificate_der)

    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, certificate, algorithm).build()

    assert issuer.certid_hashes(name) == (request.issuer_name_hash, request.issuer_key_hash)


def test_other_hashes_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="md5"):
        an_issuer().certid_hashes("md5")


def test_an_issuer_without_subject_key_identifier_is_refused() -> None:
    issuer = an_issuer(P256)
    tbs, algorithm, signature = der.parse(issuer.certificate_der).children()
    fields = tbs.children()
    kept = [
        extension.der for extension in fields[7].children()[0].children() if der.oid("2.5.29.14") not in extension.der
    ]
    without = der.sequence(*(field.der for field in fields[:7]), der.explicit(3, der.sequence(*kept)))

    with pytest.raises(InvalidRequest, match="no subject key identifier"):
        _ = issuer_of(der.sequence(without, algorithm.der, signature.der), issuer.algorithm).subject_key_identifier
