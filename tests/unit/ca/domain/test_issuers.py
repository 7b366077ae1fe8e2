"""An issuer's name, key and identifiers are read from its certificate, byte for byte."""

from datetime import timedelta

import pytest
from cryptography import x509

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
