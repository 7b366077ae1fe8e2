from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ushield.errors import DeviceTrouble
from ushield.keys import DeviceKey, PublicKey, algorithm_of, hash_of, require_signature
from ushield.request import KEY_BIRTH, certification_request, named

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())


def sign(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hash_of(key.public_key()))
    return key.sign(message, ec.ECDSA(hash_of(key.public_key())))


def described(public_key: PublicKey, **changes: Any) -> DeviceKey:
    told: dict[str, Any] = {
        "id": b"1", "label": "", "public_key": public_key, "local": True, "sensitive": True, "always_sensitive": True,
        "extractable": False, "never_extractable": True, "mechanism": 0x1040,
    }  # fmt: skip
    return DeviceKey(**told | changes)


@pytest.mark.parametrize("key", [RSA, P256, P384], ids=["rsa-2048", "ec-p256", "ec-p384"])
def test_a_request_is_signed_by_a_key_nobody_sees(key: PrivateKey) -> None:
    der = certification_request(described(key.public_key()), named("0123456786"), lambda data: sign(key, data))

    request = x509.load_der_x509_csr(der)

    assert request.is_signature_valid
    assert request.public_key() == key.public_key()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "local=yes always-sensitive=yes never-extractable=yes extractable=no mechanism=00001040"),
        ({"local": False}, "local=no always-sensitive=yes never-extractable=yes extractable=no mechanism=00001040"),
        ({"sensitive": False}, "local=yes always-sensitive=no never-extractable=yes extractable=no mechanism=00001040"),
        ({"extractable": True, "mechanism": None},
         "local=yes always-sensitive=yes never-extractable=yes extractable=yes mechanism=unknown"),
    ],
)  # fmt: skip
def test_a_request_says_how_the_u_shield_made_the_key(changes: dict[str, Any], said: str) -> None:
    key = described(P256.public_key(), **changes)

    request = x509.load_der_x509_csr(certification_request(key, named("x"), lambda data: sign(P256, data)))

    assert request.attributes.get_attribute_for_oid(KEY_BIRTH).value == f"key-birth-1 {said}".encode()
    assert request.is_signature_valid


@pytest.mark.parametrize(("key", "name"), [(RSA, "rsa-2048"), (P256, "ec-p256"), (P384, "ec-p384")])
def test_a_key_is_called_as_the_bank_calls_it(key: PrivateKey, name: str) -> None:
    assert algorithm_of(key.public_key()) == name


def test_other_kinds_of_key_have_no_name() -> None:
    assert algorithm_of(ec.generate_private_key(ec.SECP521R1()).public_key()) is None
    assert algorithm_of("no key") is None


@pytest.mark.parametrize("key", [RSA, P256], ids=["rsa", "ec"])
def test_a_wrong_signature_from_the_u_shield_is_not_passed_on(key: PrivateKey) -> None:
    require_signature(key.public_key(), sign(key, b"message"), b"message")
    with pytest.raises(DeviceTrouble):
        require_signature(key.public_key(), sign(key, b"message"), b"other")
