"""Which public keys we accept and refuse (STANDARDS K01-K05; NIST SP 800-57 part 1, RFC 5480, RFC 8017)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from ca.domain import der
from ca.domain.algorithms import SIGNATURE_OF, KeyAlgorithm, SignatureAlgorithm
from ca.domain.errors import InvalidRequest
from ca.domain.weak_keys import verify_not_published, verify_rsa_modulus

__all__ = ["SIGNATURE_OF", "KeyAlgorithm", "Message", "PublicKey", "SignatureAlgorithm"]

Message = bytes | Iterable[bytes]
"""What is signed: whole, or in chunks when it is too long for memory. Chunks can be gone through more than once."""

ACCEPTED = "this CA accepts RSA keys of 2048, 3072 or 4096 bits with exponent 65537 and EC keys on P-256 or P-384"

_RSA = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
_EC = der.oid("1.2.840.10045.2.1")
_CURVES = {
    der.sequence(_EC, der.oid("1.2.840.10045.3.1.7")): (KeyAlgorithm.EC_P256, 65),
    der.sequence(_EC, der.oid("1.3.132.0.34")): (KeyAlgorithm.EC_P384, 97),
}
_RSA_SIZES = {2048: KeyAlgorithm.RSA_2048, 3072: KeyAlgorithm.RSA_3072, 4096: KeyAlgorithm.RSA_4096}
_HASHES: dict[SignatureAlgorithm, hashes.HashAlgorithm] = {
    SignatureAlgorithm.RSA_SHA256: hashes.SHA256(),
    SignatureAlgorithm.ECDSA_SHA256: hashes.SHA256(),
    SignatureAlgorithm.ECDSA_SHA384: hashes.SHA384(),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that we accept."""

    spki_der: bytes
    algorithm: KeyAlgorithm

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo in hexadecimal. One key has one: its encoding is canonical."""
        return hashlib.sha256(self.spki_der).hexdigest()

    @property
    def key_bits(self) -> bytes:
        """The BIT STRING's value, which key identifiers hash (RFC 5280 section 4.2.1.2, RFC 6960 section 4.1.1)."""
        return _key_bits(self.spki_der)

    @classmethod
    def from_spki(cls, blob: bytes) -> "PublicKey":
        """Raises InvalidRequest for keys that are weak, of another kind or encoded in another way."""
        parts = der.parse_sequence(blob, "the public key")
        # Nothing is calculated before the size is known: a modulus of 16,384 bits costs us its reading (THREATS T-02).
        if len(parts) != 2 or parts[1].tag != der.BIT_STRING or not parts[1].content.startswith(b"\x00"):
            raise InvalidRequest(f"the public key is not a SubjectPublicKeyInfo; {ACCEPTED}")
        identifier, bits = parts[0].der, parts[1].content[1:]
        if identifier == _RSA:
            key = cls(blob, _rsa_algorithm(bits))
        elif identifier in _CURVES:
            key = cls(blob, _ec_algorithm(identifier, bits, blob))
        else:
            raise InvalidRequest(f"the public key is of an unknown kind or has explicit parameters; {ACCEPTED}")
        verify_not_published(key.fingerprint)
        return key

    def verify(self, signature: bytes, message: Message, hash_algorithm: hashes.HashAlgorithm | None = None) -> None:
        """Raise InvalidRequest unless this key signed; without a hash given, in the one way its kind signs here."""
        own = hash_algorithm or _HASHES[SIGNATURE_OF[self.algorithm]]
        signed, algorithm = (message, own) if isinstance(message, bytes) else _hashed(message, own)
        key = _loaded(self.spki_der)
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, signed, padding.PKCS1v15(), algorithm)
            else:
                cast("ec.EllipticCurvePublicKey", key).verify(signature, signed, ec.ECDSA(algorithm))
        except InvalidSignature as error:
            raise InvalidRequest("the signature was not made with this key") from error


def _hashed(chunks: Iterable[bytes], algorithm: hashes.HashAlgorithm) -> tuple[bytes, Prehashed]:
    hasher = hashes.Hash(algorithm)
    for chunk in chunks:
        hasher.update(chunk)
    return hasher.finalize(), Prehashed(algorithm)


@lru_cache(maxsize=64)
def _key_bits(spki_der: bytes) -> bytes:
    return der.parse_sequence(spki_der, "the public key")[1].content[1:]


@lru_cache(maxsize=64)
def _loaded(spki_der: bytes) -> PublicKeyTypes:
    return serialization.load_der_public_key(spki_der)


def _rsa_algorithm(bits: bytes) -> KeyAlgorithm:
    numbers = der.parse_sequence(bits, "the RSA key")
    if len(numbers) != 2 or any(number.tag != der.INTEGER for number in numbers):
        raise InvalidRequest(f"the RSA key is not a modulus and an exponent; {ACCEPTED}")
    modulus, exponent = (int.from_bytes(number.content, "big", signed=True) for number in numbers)
    if modulus <= 0 or modulus.bit_length() not in _RSA_SIZES:
        raise InvalidRequest(f"the RSA key has {modulus.bit_length()} bits; {ACCEPTED}")
    if exponent != 65537:
        raise InvalidRequest(f"the RSA key's exponent is not 65537; {ACCEPTED}")
    verify_rsa_modulus(modulus)
    return _RSA_SIZES[modulus.bit_length()]


def _ec_algorithm(identifier: bytes, bits: bytes, blob: bytes) -> KeyAlgorithm:
    algorithm, size = _CURVES[identifier]
    if len(bits) != size or bits[0] != 4:
        raise InvalidRequest(f"the EC point is not uncompressed or not of its curve's size; {ACCEPTED}")
    try:
        serialization.load_der_public_key(blob)
    except ValueError as error:
        raise InvalidRequest(f"the EC point is not on its curve; {ACCEPTED}") from error
    return algorithm
