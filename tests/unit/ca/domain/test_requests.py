"""What a certification request must be before we look at its key, and what its key must prove."""

import base64
from itertools import repeat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.key_birth import STATEMENT, KeyBirth
from ca.domain.keys import PublicKey
from ca.domain.requests import CertificationRequest, decode_base64_or_der
from tests.drafts import BORN, CUSTOMER, P256, P384, SoftKey, a_request, saying


def by_another_library(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, algorithm: hashes.HashAlgorithm) -> bytes:
    """A request that asks for everything it should not get."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "someone else")])
    request = x509.CertificateSigningRequestBuilder(name).add_extension(
        x509.BasicConstraints(True, None), critical=True
    )
    return request.sign(key, algorithm).public_bytes(serialization.Encoding.DER)  # type: ignore[arg-type]  # any SHA-2


@pytest.mark.parametrize("key", [P256, P384], ids=["P-256", "P-384"])
def test_a_request_gives_its_key_and_its_fingerprint(key: SoftKey) -> None:
    request = CertificationRequest.parse(a_request(key))

    assert request.public_key == key.public
    assert len(request.fingerprint) == 64


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda value: value.name)
def test_requests_of_other_libraries_are_read(algorithm: hashes.HashAlgorithm) -> None:
    assert CertificationRequest.parse(by_another_library(CUSTOMER.private, algorithm)).public_key == CUSTOMER.public


def test_rsa_requests_are_read() -> None:
    key = rsa.generate_private_key(65537, 2048)

    assert CertificationRequest.parse(by_another_library(key, hashes.SHA512())).public_key.algorithm == "rsa-2048"


def test_missing_attributes_are_forgiven() -> None:
    assert CertificationRequest.parse(a_request(attributes=None)).public_key == CUSTOMER.public


def altered(fields: list[bytes]) -> bytes:
    information = der.sequence(*fields)
    return der.sequence(information, ECDSA, der.bit_string(CUSTOMER.sign(information)))


ECDSA = der.sequence(der.oid("1.2.840.10045.4.3.2"))
SPKI = CUSTOMER.public.spki_der
ATTRIBUTE = der.sequence(der.oid("1.2.840.113549.1.9.7"), der.set_of(der.null()))


@pytest.mark.parametrize(
    ("request_der", "why"),
    [
        pytest.param(der.octet_string(bytes(17000)), "more than 16384 bytes", id="too large"),
        pytest.param(der.sequence(), "not a PKCS #10", id="empty"),
        pytest.param(altered([der.integer(1), der.sequence(), SPKI]), "version 1", id="another version"),
        pytest.param(altered([der.integer(0), SPKI]), "version 1", id="no subject"),
        pytest.param(
            a_request(attributes=der.tlv(0xA0, *[ATTRIBUTE] * 17)), "more than 16 attributes", id="attributes"
        ),
        pytest.param(a_request() + b"\0", "cut short|nothing may follow|missing", id="something behind"),
        pytest.param(
            a_request(subject=der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.tlv(0x0C, b"a\0b"))))),
            "not DER",
            id="NUL in the name",
        ),
    ],
)
def test_malformed_requests_are_refused(request_der: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        CertificationRequest.parse(request_der)


def test_sixteen_attributes_are_accepted() -> None:
    CertificationRequest.parse(a_request(attributes=der.tlv(0xA0, *[ATTRIBUTE] * 16)))


def test_a_signature_by_another_key_is_refused() -> None:
    information = der.sequence(der.integer(0), der.sequence(), SPKI, der.tlv(0xA0))
    request = der.sequence(information, ECDSA, der.bit_string(P256.sign(information)))

    with pytest.raises(InvalidRequest, match="not signed with the key it contains"):
        CertificationRequest.parse(request)


@pytest.mark.parametrize(
    "algorithm",
    [
        der.sequence(der.oid("1.2.840.10045.4.1")),
        der.sequence(der.oid("1.2.840.113549.1.1.4"), der.null()),
        der.sequence(der.oid("1.2.840.113549.1.1.11"), der.null()),
        der.sequence(der.oid("1.2.840.10045.4.3.2"), der.null()),
    ],
    ids=["SHA-1", "MD5", "RSA with an EC key", "ECDSA with parameters"],
)
def test_other_signature_algorithms_are_refused(algorithm: bytes) -> None:
    information = der.sequence(der.integer(0), der.sequence(), SPKI, der.tlv(0xA0))

    with pytest.raises(InvalidRequest, match="must be signed with"):
        CertificationRequest.parse(der.sequence(information, algorithm, der.bit_string(CUSTOMER.sign(information))))


def test_a_signature_with_unused_bits_is_refused() -> None:
    information = der.sequence(der.integer(0), der.sequence(), CUSTOMER.public.spki_der, der.tlv(0xA0))
    signature = next(each for each in map(CUSTOMER.sign, repeat(information)) if each[-1] % 2 == 0)

    CertificationRequest.parse(der.sequence(information, ECDSA, der.bit_string(signature)))
    with pytest.raises(InvalidRequest, match="does not end with a whole octet"):
        CertificationRequest.parse(der.sequence(information, ECDSA, der.tlv(der.BIT_STRING, b"\x01", signature)))


def test_rsa_with_sha1_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2048)
    information = der.sequence(der.integer(0), der.sequence(), SoftKey(key).public.spki_der, der.tlv(0xA0))
    signature = key.sign(information, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - what we refuse
    sha1 = der.sequence(der.oid("1.2.840.113549.1.1.5"), der.null())

    with pytest.raises(InvalidRequest, match="must be signed with"):
        CertificationRequest.parse(der.sequence(information, sha1, der.bit_string(signature)))


def test_a_huge_key_is_refused_before_its_signature_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[object] = []
    monkeypatch.setattr(PublicKey, "verify", lambda *of: looked_at.append(of))
    modulus = der.integer((1 << 16384) - 1)
    rsa_key = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    spki = der.sequence(rsa_key, der.bit_string(der.sequence(modulus, der.integer(65537))))
    request = der.sequence(der.sequence(der.integer(0), der.sequence(), spki), ECDSA, der.bit_string(bytes(2048)))

    with pytest.raises(InvalidRequest, match="has 16384 bits"):
        CertificationRequest.parse(request)

    assert looked_at == []


def test_base64_with_any_white_space_is_decoded() -> None:
    wrapped = base64.encodebytes(a_request(attributes=der.tlv(0xA0))).replace(b"\n", b"\r\n ")

    assert CertificationRequest.parse(decode_base64_or_der(wrapped)).public_key == CUSTOMER.public


def test_der_is_taken_as_it_is() -> None:
    blob = a_request()

    assert decode_base64_or_der(blob) == blob


def test_pem_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidRequest, match="leave out the BEGIN and END lines"):
        decode_base64_or_der(b"\n-----BEGIN CERTIFICATE REQUEST-----\nMII=\n")


@pytest.mark.parametrize("body", [b"M\xff", b"MII", b"M=II", b"not base64!"])
def test_other_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="neither base64 nor DER"):
        decode_base64_or_der(body)


# How the key was made, as the request says it

OTHERWISE = BORN.replace(" local=yes", " local=no")


def test_a_request_says_how_its_key_was_made() -> None:
    assert CertificationRequest.parse(a_request()).birth == KeyBirth.parse(BORN)
    assert CertificationRequest.parse(a_request(attributes=saying(OTHERWISE))).birth == KeyBirth.parse(OTHERWISE)


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param(None, id="no attributes"),
        pytest.param(der.tlv(0xA0), id="none of them"),
        pytest.param(der.tlv(0xA0, ATTRIBUTE), id="another"),
        pytest.param(saying(BORN, oid="1.3.6.1.4.1.99999.3.2"), id="under another type"),
        pytest.param(saying(BORN, oid="1.3.6.1.4.1.99999.3.1.1"), id="under a longer type"),
        pytest.param(der.tlv(0xA0, der.integer(1), der.sequence()), id="no attributes at all"),
    ],
)
def test_what_is_said_elsewhere_is_nothing_said(attributes: bytes | None) -> None:
    assert CertificationRequest.parse(a_request(attributes=attributes)).birth is None


_STATEMENT, _TEXT = der.oid(STATEMENT), der.tlv(der.UTF8_STRING, BORN.encode())


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param(saying(BORN, BORN), id="twice"),
        pytest.param(saying(OTHERWISE, BORN), id="twice, and otherwise"),
        pytest.param(der.tlv(0xA0, der.sequence(_STATEMENT, der.set_of(_TEXT, _TEXT))), id="two values"),
        pytest.param(der.tlv(0xA0, der.sequence(_STATEMENT, der.set_of(_TEXT), der.set_of(_TEXT))), id="two sets"),
        pytest.param(der.tlv(0xA0, der.sequence(_STATEMENT, der.set_of())), id="no value"),
        pytest.param(der.tlv(0xA0, der.sequence(_STATEMENT)), id="no set"),
        pytest.param(der.tlv(0xA0, der.sequence(_STATEMENT, _TEXT)), id="no set around it"),
        pytest.param(
            der.tlv(0xA0, der.sequence(_STATEMENT, der.set_of(der.octet_string(BORN.encode())))), id="no text"
        ),
        pytest.param(saying("", oid=STATEMENT), id="empty"),
        pytest.param(saying(BORN + " local=no"), id="more behind it"),
    ],
)
def test_what_is_not_said_once_and_clearly_is_refused(attributes: bytes) -> None:
    with pytest.raises(InvalidRequest, match="how its key was made"):
        CertificationRequest.parse(a_request(attributes=attributes))


@pytest.mark.parametrize("attributes", [saying(BORN), der.tlv(0xA0), der.tlv(0xA0, ATTRIBUTE)])
def test_nobody_on_the_way_takes_it_out_or_changes_it(attributes: bytes) -> None:
    signed = der.parse_sequence(a_request(attributes=saying(OTHERWISE)), "the request")
    version, subject, key, _ = signed[0].children()
    changed = der.sequence(version.der, subject.der, key.der, attributes)
    with pytest.raises(InvalidRequest, match="not signed with the key"):
        CertificationRequest.parse(der.sequence(changed, signed[1].der, signed[2].der))
