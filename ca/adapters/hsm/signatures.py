"""Signature values of X.509 from what PKCS#11 mechanisms give.

ECDSA: RFC 5758 section 3.2 (DER of r and s) from CKM_ECDSA over our own hash, because many modules have no other.
RSA: PKCS#1 v1.5 with SHA-256, RFC 8017 section 8.2; where the module lacks CKM_SHA256_RSA_PKCS we hash ourselves.
"""

import hashlib
from collections.abc import Collection
from typing import cast

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11.exceptions import MechanismInvalid
from pkcs11.mechanisms import Mechanism
from pkcs11.types import PrivateKey, SecretKey, SignMixin

from ca.adapters.hsm.objects import CURVES
from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, SigningRefused
from ca.domain.keys import SIGNATURE_OF, KeyAlgorithm, Message, PublicKey, SignatureAlgorithm

# DigestInfo of SHA-256 up to the digest (RFC 8017 section 9.2, note 1).
_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_LONGEST_SIGNATURE = 1024

_MECHANISMS: dict[SignatureAlgorithm, tuple[Mechanism, ...]] = {
    SignatureAlgorithm.ECDSA_SHA256: (Mechanism.ECDSA,),
    SignatureAlgorithm.ECDSA_SHA384: (Mechanism.ECDSA,),
    SignatureAlgorithm.RSA_SHA256: (Mechanism.SHA256_RSA_PKCS, Mechanism.RSA_PKCS),
}


def choose_mechanism(algorithm: KeyAlgorithm, offered: Collection[Mechanism]) -> Mechanism:
    """How this module signs with such a key. Raises KeyStoreUnavailable, naming what is missing."""
    wanted = _MECHANISMS[SIGNATURE_OF[algorithm]]
    for mechanism in wanted:
        if mechanism in offered:
            return mechanism
    raise KeyStoreUnavailable(f"the HSM lacks {_names(wanted)}, needed to sign with {algorithm}")


def require_mechanism(mechanism: Mechanism, offered: Collection[Mechanism]) -> None:
    """Raise KeyStoreUnavailable. Asked beforehand: SoftHSM uses some mechanisms that its configuration forbids."""
    if mechanism not in offered:
        raise KeyStoreUnavailable(f"the HSM lacks {_names((mechanism,))}")


def sign_message(key: PrivateKey, algorithm: KeyAlgorithm, message: Message, offered: Collection[Mechanism]) -> bytes:
    """The signature value as X.509 carries it.

    A message in chunks is hashed here and only its digest goes to the module: many know no C_SignUpdate.
    """
    mechanism = choose_mechanism(algorithm, offered)
    if mechanism is Mechanism.SHA256_RSA_PKCS and isinstance(message, bytes):
        return sign_raw(key, message, mechanism)
    if algorithm not in CURVES:
        require_mechanism(Mechanism.RSA_PKCS, offered)
        return sign_raw(key, _SHA256_DIGEST_INFO + _digest("sha256", message), Mechanism.RSA_PKCS)
    name = "sha384" if SIGNATURE_OF[algorithm] is SignatureAlgorithm.ECDSA_SHA384 else "sha256"
    raw = sign_raw(key, _digest(name, message), mechanism)
    half = (CURVES[algorithm][0].key_size + 7) // 8
    if len(raw) != 2 * half:
        raise KeyStoreUnavailable(f"the HSM gave an ECDSA signature of {len(raw)} octets instead of {2 * half}")
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def _digest(name: str, message: Message) -> bytes:
    hasher = hashlib.sha384() if name == "sha384" else hashlib.sha256()
    for chunk in [message] if isinstance(message, bytes) else message:
        hasher.update(chunk)
    return hasher.digest()


def sign_raw(key: PrivateKey | SecretKey, octets: bytes, mechanism: Mechanism) -> bytes:
    """C_Sign. Raises KeyStoreUnavailable if the token will not use the mechanism, though it may list it."""
    try:
        # The class of a key object is put together at run time; one with CKA_SIGN has this part.
        return cast("SignMixin", key).sign(octets, mechanism=mechanism, buffer_size=_LONGEST_SIGNATURE)
    except MechanismInvalid as error:
        raise KeyStoreUnavailable(f"the HSM lacks {_names((mechanism,))}") from error


def require_signature(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Raise SigningRefused unless the signature is that of the public key (SubjectPublicKeyInfo, DER)."""
    try:
        PublicKey.from_spki(public_key).verify(signature, message)
    except InvalidRequest as error:
        raise SigningRefused(f"the private key in the HSM does not belong to its public key: {error}") from error


def _names(mechanisms: tuple[Mechanism, ...]) -> str:
    return " and ".join(f"CKM_{mechanism.name}" for mechanism in mechanisms)
