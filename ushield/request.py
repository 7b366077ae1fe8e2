"""The certification request (PKCS#10, RFC 2986), signed inside the U-Shield.

The bank takes the public key from it and nothing else; the subject is only a hint for whoever reads it in a log. What
the U-Shield says of how the key was made goes along, signed by the key: the bank refuses one that was made elsewhere.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from ushield.keys import DeviceKey, hash_of

Sign = Callable[[bytes], bytes]
# Of the bank's own arc: how the key was made (docs/protocols/enrolment.md).
KEY_BIRTH = x509.ObjectIdentifier("1.3.6.1.4.1.99999.3.1")


class _InsideDevice:
    """What both kinds of key have in common: the private half cannot be looked at."""

    def private_numbers(self) -> NoReturn:
        raise TypeError("the private key does not leave the U-Shield")

    def private_bytes(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("the private key does not leave the U-Shield")


class _RsaInsideDevice(_InsideDevice, rsa.RSAPrivateKey):
    def __init__(self, public_key: rsa.RSAPublicKey, sign: Sign) -> None:
        self._public_key = public_key
        self._sign = sign

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public_key

    def decrypt(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this key only signs")

    def sign(self, data: Any, padding_scheme: object, algorithm: object) -> bytes:
        if not (isinstance(padding_scheme, padding.PKCS1v15) and isinstance(algorithm, hashes.SHA256)):
            raise TypeError("this key signs by PKCS#1 v1.5 with SHA-256")
        return self._sign(bytes(data))

    def __copy__(self) -> "_RsaInsideDevice":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "_RsaInsideDevice":
        return self


class _EcInsideDevice(_InsideDevice, ec.EllipticCurvePrivateKey):
    def __init__(self, public_key: ec.EllipticCurvePublicKey, sign: Sign) -> None:
        self._public_key = public_key
        self._sign = sign

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public_key

    def exchange(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this key only signs")

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        wanted = hash_of(self._public_key)
        if getattr(signature_algorithm.algorithm, "name", None) != wanted.name:
            raise TypeError(f"this key signs by ECDSA with {wanted.name}")
        return self._sign(bytes(data))

    def __copy__(self) -> "_EcInsideDevice":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "_EcInsideDevice":
        return self


def named(common_name: str) -> x509.Name:
    """A subject that is a hint and no more."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def certification_request(asking: DeviceKey, subject: x509.Name, sign: Sign) -> bytes:
    """A PKCS#10 request in DER. `sign` gets the bytes to be signed and answers the signature."""
    public_key = asking.public_key
    key: _RsaInsideDevice | _EcInsideDevice
    if isinstance(public_key, rsa.RSAPublicKey):
        key = _RsaInsideDevice(public_key, sign)
    else:
        key = _EcInsideDevice(public_key, sign)
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    builder = builder.add_attribute(KEY_BIRTH, asking.birth.encode("ascii"))
    request = builder.sign(key, hash_of(public_key))
    return request.public_bytes(serialization.Encoding.DER)
