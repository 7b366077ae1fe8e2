"""Which keys are accepted, and what is said about the others."""

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa

from ca.domain import der, keys
from ca.domain.errors import InvalidRequest
from ca.domain.keys import KeyAlgorithm, PublicKey

RSA = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
EC_KEY = ec.derive_private_key(7, ec.SECP256R1())


def spki(
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | dsa.DSAPublicKey,
) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def rsa_spki(modulus: int, exponent: int = 65537) -> bytes:
    return der.sequence(RSA, der.bit_string(der.sequence(der.integer(modulus), der.integer(exponent))))


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("bits", "algorithm"),
    [(2048, KeyAlgorithm.RSA_2048), (3072, KeyAlgorithm.RSA_3072), (4096, KeyAlgorithm.RSA_4096)],
)
def test_rsa_keys_of_three_sizes_are_accepted(bits: int, algorithm: KeyAlgorithm) -> None:
    # 2^n/3 in binary is 1010…: half its bits are ones, and it has neither small factors nor a near square.
    blob = rsa_spki(next(n for n in range((1 << (bits + 1)) // 3 | 1, 1 << bits, 2) if _is_accepted(n)))

    assert PublicKey.from_spki(blob).algorithm is algorithm


def _is_accepted(modulus: int) -> bool:
    try:
        PublicKey.from_spki(rsa_spki(modulus))
    except InvalidRequest:
        return False
    return True


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), KeyAlgorithm.EC_P256), (ec.SECP384R1(), KeyAlgorithm.EC_P384)]
)
def test_two_curves_are_accepted(curve: ec.EllipticCurve, algorithm: KeyAlgorithm) -> None:
    key = PublicKey.from_spki(spki(ec.derive_private_key(11, curve).public_key()))

    assert key.algorithm is algorithm


def test_the_fingerprint_is_the_hash_of_the_whole_spki() -> None:
    blob = spki(EC_KEY.public_key())
    digest = hashes.Hash(hashes.SHA256())
    digest.update(blob)

    assert PublicKey.from_spki(blob).fingerprint == digest.finalize().hex()


def test_key_bits_are_what_the_bit_string_holds() -> None:
    point = EC_KEY.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)

    assert PublicKey.from_spki(spki(EC_KEY.public_key())).key_bits == point


def test_signatures_of_the_key_are_recognised(rsa_key: rsa.RSAPrivateKey) -> None:
    PublicKey.from_spki(spki(rsa_key.public_key())).verify(
        rsa_key.sign(b"text", padding.PKCS1v15(), hashes.SHA256()), b"text"
    )
    PublicKey.from_spki(spki(EC_KEY.public_key())).verify(EC_KEY.sign(b"text", ec.ECDSA(hashes.SHA256())), b"text")


def test_signatures_over_another_text_are_refused() -> None:
    signature = EC_KEY.sign(b"text", ec.ECDSA(hashes.SHA256()))

    with pytest.raises(InvalidRequest, match="not made with this key"):
        PublicKey.from_spki(spki(EC_KEY.public_key())).verify(signature, b"another text")


@pytest.mark.parametrize("bits", [1024, 2047, 2056, 4104, 16384])
def test_rsa_keys_of_other_sizes_are_refused_with_what_is_accepted(bits: int) -> None:
    with pytest.raises(InvalidRequest, match=f"has {bits} bits; this CA accepts RSA keys of 2048, 3072 or 4096"):
        PublicKey.from_spki(rsa_spki((1 << bits) - 1))


def test_a_huge_modulus_costs_nothing_but_its_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    calculated: list[object] = []
    monkeypatch.setattr(keys, "verify_rsa_modulus", calculated.append)
    monkeypatch.setattr(keys, "verify_not_published", calculated.append)
    monkeypatch.setattr(serialization, "load_der_public_key", calculated.append)

    with pytest.raises(InvalidRequest, match="has 100000 bits"):
        PublicKey.from_spki(rsa_spki((1 << 100_000) - 1))

    assert calculated == []


@pytest.mark.parametrize("exponent", [1, 3, 65539, 1 << 64, -1])
def test_other_exponents_are_refused(exponent: int) -> None:
    with pytest.raises(InvalidRequest, match="exponent is not 65537"):
        PublicKey.from_spki(rsa_spki((1 << 2048) - 1, exponent))


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(spki(ec.derive_private_key(7, ec.SECP521R1()).public_key()), id="P-521"),
        pytest.param(spki(ec.derive_private_key(7, ec.SECP256K1()).public_key()), id="the curve of bitcoin"),
        pytest.param(spki(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()), id="Ed25519"),
        pytest.param(
            der.sequence(
                der.sequence(der.oid("1.2.840.10045.2.1"), der.sequence(der.integer(1))), der.bit_string(b"\x04")
            ),
            id="explicit parameters",
        ),
        pytest.param(
            der.sequence(der.sequence(der.oid("1.2.840.113549.1.1.1")), der.bit_string(der.sequence())),
            id="RSA without NULL",
        ),
    ],
)
def test_other_kinds_of_key_are_refused(key: bytes) -> None:
    with pytest.raises(InvalidRequest, match="unknown kind or has explicit parameters; this CA accepts"):
        PublicKey.from_spki(key)


def test_a_published_test_key_is_refused() -> None:
    point = bytes.fromhex(
        "04422548f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5b1"
        "6c4cd10c4cb8d5b8a17139e94882c8992572993425f41419ab7e90a42a494272"
    )

    with pytest.raises(InvalidRequest, match="RFC 9500"):
        PublicKey.from_spki(der.sequence(P256, der.bit_string(point)))


P256 = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (der.sequence(P256), "not a SubjectPublicKeyInfo"),
        (der.sequence(P256, der.octet_string(b"")), "not a SubjectPublicKeyInfo"),
        (der.sequence(P256, der.tlv(3, b"\x04\xf0")), "not a SubjectPublicKeyInfo"),
        (der.sequence(P256, der.bit_string(b"\x02" + bytes(32))), "not uncompressed"),
        (der.sequence(P256, der.bit_string(b"\x02" + bytes(64))), "not uncompressed"),
        (der.sequence(P256, der.bit_string(b"\x04" + bytes(64))), "not on its curve"),
        (der.sequence(RSA, der.bit_string(der.sequence(der.integer(5)))), "not a modulus and an exponent"),
        (der.sequence(RSA, der.bit_string(der.sequence(der.integer(5), der.null()))), "not a modulus and an exponent"),
        (der.sequence(RSA, der.bit_string(b"\x30\x80\x00\x00")), "not DER"),
        (rsa_spki(-(1 << 2047)), "has 2048 bits"),
        (b"\x30\x80\x00\x00", "not DER"),
    ],
    ids=[
        "no key",
        "octet string",
        "odd bits",
        "compressed point",
        "hybrid size",
        "not on curve",
        "no exponent",
        "exponent NULL",
        "RSA key in BER",
        "negative modulus",
        "BER",
    ],
)
def test_malformed_keys_are_refused(blob: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        PublicKey.from_spki(blob)
