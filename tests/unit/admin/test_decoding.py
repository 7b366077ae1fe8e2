"""A certificate is shown field by field, and what is none is shown as none."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from admin.decoding import decoded, decoded_request
from ca.domain.key_birth import STATEMENT
from tests.drafts import a_request
from tests.fakes.software_ca import SoftwareCA

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def test_every_field_and_extension_is_told():
    ca = SoftwareCA("张 Bank")
    facts = {fact.name: fact for fact in decoded(ca.holder("Zhang Wei").der)}

    assert facts["version"].says == "3"
    assert facts["subject"].says == "CN=Zhang Wei"
    assert facts["issuer"].says == "CN=张 Bank issuing"
    assert facts["subjectPublicKey"].says == "EC, secp256r1"
    assert facts["signature"].says == "ecdsa-with-SHA256"
    assert facts["notAfter"].says.endswith(" UTC")
    assert (facts["keyUsage"].says, facts["keyUsage"].is_critical) == ("digitalSignature", True)
    assert facts["extendedKeyUsage"].says == "clientAuth, serverAuth"
    assert facts["subjectAltName"].says == "DNSName localhost, IPAddress 127.0.0.1"
    assert facts["basicConstraints"].says == "CA: no"
    assert len(facts) == 8 + len(x509.load_der_x509_certificate(ca.holder("Zhang Wei").der).extensions)
    assert not [fact for fact in facts.values() if fact.says.startswith("<")]


def test_where_it_points_and_what_nobody_knows_is_told_too():
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name.from_rfc4514_string("CN=x")
    crl = x509.DistributionPoint([x509.UniformResourceIdentifier("http://a/c.crl")], None, None, None)
    ocsp = x509.AccessDescription(
        x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://a/ocsp")
    )
    unknown = x509.ObjectIdentifier("1.3.6.1.4.1.99999.9")
    extensions = [
        x509.CRLDistributionPoints([crl]), x509.AuthorityInformationAccess([ocsp]), x509.OCSPNoCheck(),
        x509.CertificatePolicies([x509.PolicyInformation(unknown, None)]),
        x509.UnrecognizedExtension(unknown, b"\x05\x00"),
        x509.BasicConstraints(ca=True, path_length=0),
    ]  # fmt: skip
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW + timedelta(days=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    facts = {fact.name: fact.says for fact in decoded(builder.sign(key, SHA384()).public_bytes(Encoding.DER))}

    assert facts["cRLDistributionPoints"] == "http://a/c.crl"
    assert facts["authorityInfoAccess"] == "OCSP http://a/ocsp"
    assert facts["certificatePolicies"] == "1.3.6.1.4.1.99999.9"
    assert facts["1.3.6.1.4.1.99999.9"] == "0500"
    assert facts["OCSPNoCheck"] == "yes"
    assert facts["basicConstraints"] == "CA: yes, path length 0"


@pytest.mark.parametrize("der", [b"", b"0", b"junk", bytes(range(256))])
def test_what_is_no_certificate_has_no_fields(der):
    assert decoded(der) == []


def test_a_request_is_told_with_its_attributes_and_what_it_asks_for():
    key = ec.generate_private_key(ec.SECP384R1())
    odd = x509.ObjectIdentifier("1.3.6.1.4.1.99999.9")
    builder = x509.CertificateSigningRequestBuilder(x509.Name.from_rfc4514_string("CN=x"))
    builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    builder = builder.add_attribute(x509.ObjectIdentifier(STATEMENT), b"key-birth-1").add_attribute(
        odd, "a\u200b".encode()
    )
    der = builder.sign(key, SHA384()).public_bytes(Encoding.DER)

    facts = {fact.name: fact.says for fact in decoded_request(der)}

    assert (facts["subject"], facts["subjectPublicKey"]) == ("CN=x", "EC, secp384r1")
    assert (facts["keyBirth"], facts["1.3.6.1.4.1.99999.9"]) == ("key-birth-1", "a\u200b".encode().hex())
    assert facts["basicConstraints"] == "CA: yes"


def test_a_request_without_its_set_of_attributes_is_told_too():
    assert [fact.name for fact in decoded_request(a_request(attributes=None))] == [
        "subject",
        "subjectPublicKey",
        "signature",
    ]


def test_what_is_no_request_is_shown_as_none():
    assert decoded_request(b"no request") == []
    assert decoded_request(a_request()[:-1]) == []
