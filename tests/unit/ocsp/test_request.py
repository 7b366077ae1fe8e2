"""ocsp/request.py: what clients may send, and what is refused."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ocsp.request import MAX_REQUEST, parse_request
from tests.fakes.ocsp_requests import A_CERT_ID, SHA256_WITHOUT_PARAMETERS, build, cert_id, extension, nonce

SOMETHING = "1.2.3.4"


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        (hashes.SHA1(), "sha1"),  # noqa: S303 - what most clients send
        (hashes.SHA256(), "sha256"),
        (hashes.SHA384(), "sha384"),
        (hashes.SHA512(), "sha512"),
    ],
)
def test_every_hash_of_a_cert_id_is_understood(algorithm: hashes.HashAlgorithm, name: str) -> None:
    size = algorithm.digest_size
    blob = (
        ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(b"n" * size, b"k" * size, 0xA1, algorithm)
        .add_extension(x509.OCSPNonce(b"r" * 32), critical=False)
        .build()
        .public_bytes(Encoding.DER)
    )

    request = parse_request(blob)

    (asked,) = request.cert_ids
    assert asked.issuer_key == (name, b"n" * size, b"k" * size)
    assert asked.serial == 0xA1
    assert asked.der in blob
    assert request.nonce == b"r" * 32


def test_a_cert_id_is_kept_as_sent() -> None:
    without = der.sequence(
        SHA256_WITHOUT_PARAMETERS, der.octet_string(b"n" * 32), der.octet_string(b"k" * 32), der.integer(1)
    )
    assert parse_request(build(without)).cert_ids[0].der == without


def test_a_hash_we_do_not_know_names_no_issuer() -> None:
    md5 = der.sequence(der.oid("1.2.840.113549.2.5"), der.null())
    asked = der.sequence(md5, der.octet_string(b"n" * 16), der.octet_string(b"k" * 16), der.integer(1))
    assert parse_request(build(asked)).cert_ids[0].hash_name == ""


def test_twenty_certificates_can_be_asked_about_at_once() -> None:
    request = parse_request(build(*(cert_id(serial) for serial in range(20))))
    assert [each.serial for each in request.cert_ids] == list(range(20))


def test_twenty_one_are_too_many() -> None:
    with pytest.raises(InvalidRequest, match="1 to 20"):
        parse_request(build(*(cert_id(serial) for serial in range(21))))


@pytest.mark.parametrize("length", [1, 15, 16, 32, 33, 128])
def test_a_nonce_of_1_to_128_octets_is_taken(length: int) -> None:
    assert parse_request(build(A_CERT_ID, extensions=(nonce(bytes(length)),))).nonce == bytes(length)


@pytest.mark.parametrize("length", [0, 129])
def test_another_nonce_is_refused(length: int) -> None:
    with pytest.raises(InvalidRequest, match="nonce"):
        parse_request(build(A_CERT_ID, extensions=(nonce(bytes(length)),)))


def test_a_nonce_without_its_inner_octet_string_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="nonce"):
        parse_request(build(A_CERT_ID, extensions=(extension("1.3.6.1.5.5.7.48.1.2", der.integer(5)),)))


@pytest.mark.parametrize("critical", [None, False])
def test_an_unknown_extension_that_is_not_critical_is_ignored(critical: bool | None) -> None:
    unknown = extension(SOMETHING, b"", critical=critical)
    assert parse_request(build(A_CERT_ID, extensions=(unknown,), single_extensions=(unknown,))).nonce is None


@pytest.mark.parametrize("where", ["extensions", "single_extensions"])
def test_an_unknown_critical_extension_is_refused(where: str) -> None:
    unknown = extension(SOMETHING, b"", critical=True)
    with pytest.raises(InvalidRequest, match="critical"):
        parse_request(build(A_CERT_ID, **{where: (unknown,)}))  # type: ignore[arg-type]  # chosen by name


def test_a_known_extension_may_be_critical() -> None:
    types = extension("1.3.6.1.5.5.7.48.1.4", der.sequence(der.oid("1.3.6.1.5.5.7.48.1.1")), critical=True)
    locator = extension("1.3.6.1.5.5.7.48.1.7", b"", critical=True)
    assert parse_request(build(A_CERT_ID, extensions=(types,), single_extensions=(locator,))).cert_ids


def test_an_extension_twice_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="twice"):
        parse_request(build(A_CERT_ID, extensions=(nonce(b"1" * 16), nonce(b"2" * 16))))


def test_a_signed_request_is_tolerated_whatever_its_signature() -> None:
    signature = der.explicit(0, der.sequence(b"\x30\x80not even DER\x00\x00"))
    assert parse_request(build(A_CERT_ID, signature=signature)).cert_ids[0].serial == 0xA1


def test_requestor_name_and_version_are_tolerated() -> None:
    before = der.explicit(0, der.integer(0)) + der.explicit(1, der.tlv(0x82, b"gateway"))
    assert parse_request(build(A_CERT_ID, before=before)).cert_ids[0].serial == 0xA1


GOOD_HASHES = der.octet_string(b"n" * 20) + der.octet_string(b"k" * 20)
SHA1_OID = der.oid("1.3.14.3.2.26")


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\x00",
        b"junk",
        b"\x30\x80\x00\x00",
        der.null(),
        der.sequence(),
        der.sequence(der.sequence()),
        der.sequence(der.integer(1)),
        der.sequence(der.sequence(der.integer(1))),
        der.sequence(der.sequence(der.sequence(der.integer(1)))),
        der.sequence(der.sequence(der.sequence(der.sequence()))),
        build(A_CERT_ID) + b"\x00",
        build(),
        build(A_CERT_ID, signature=der.explicit(1, der.null())),
        build(A_CERT_ID, signature=der.explicit(0, b"") + der.explicit(1, b"")),
        build(A_CERT_ID, before=der.explicit(0, der.integer(1))),
        build(A_CERT_ID, after=der.explicit(3, der.null())),
        build(A_CERT_ID, after=der.explicit(2, der.sequence() + der.sequence())),
        build(A_CERT_ID, after=der.explicit(2, der.sequence(der.sequence(der.null())))),
        build(A_CERT_ID, after=der.explicit(2, der.null())),
        der.sequence(der.sequence(der.sequence(der.sequence(A_CERT_ID, der.null())))),
        build(A_CERT_ID.replace(b"\x30", b"\x60", 1)),
        build(der.sequence(der.sequence(), GOOD_HASHES, der.integer(1))),
        build(der.sequence(der.sequence(SHA1_OID, der.integer(1)), GOOD_HASHES, der.integer(1))),
        build(der.sequence(der.sequence(SHA1_OID, der.null(), der.null()), GOOD_HASHES, der.integer(1))),
        build(der.sequence(der.sequence(der.null()), GOOD_HASHES, der.integer(1))),
        build(der.sequence(der.sequence(SHA1_OID), der.octet_string(b"n" * 19), GOOD_HASHES[22:], der.integer(1))),
        build(der.sequence(der.sequence(SHA1_OID), GOOD_HASHES, der.integer(1 << 160))),
        build(der.sequence(der.sequence(SHA1_OID), GOOD_HASHES)),
        b"\x30\x84" + (MAX_REQUEST).to_bytes(4, "big") + bytes(MAX_REQUEST),
    ],
)  # fmt: skip
def test_anything_else_is_refused(blob: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(blob)
