"""How each kind of key is made, described and used by PKCS#11 mechanisms, which differ from token to token.

Some tokens hash for themselves (CKM_SHA256_RSA_PKCS, CKM_ECDSA_SHA256), some want the digest (CKM_RSA_PKCS,
CKM_ECDSA); SoftHSM has only the latter for ECDSA. Either way the result is the same signature.
"""

from typing import Any

import pkcs11
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.util.ec import encode_named_curve_parameters

from ushield.keys import CURVES, RSA_BITS, DeviceKey, KeyAlgorithm, PublicKey, hash_of

_PARAMETERS = {
    KeyAlgorithm.EC_P256: encode_named_curve_parameters("secp256r1"),
    KeyAlgorithm.EC_P384: encode_named_curve_parameters("secp384r1"),
}
_CURVE_OF_PARAMETERS = {_PARAMETERS[name]: curve for name, curve in CURVES.items()}
_HASHING_ECDSA = {"sha256": Mechanism.ECDSA_SHA256, "sha384": Mechanism.ECDSA_SHA384}
# DigestInfo up to the digest itself (RFC 8017 section 9.2, note 1).
_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def algorithms(slot: pkcs11.Slot) -> frozenset[KeyAlgorithm]:
    """Which of our kinds of key pair this token can make and sign with."""
    offered = slot.get_mechanisms()
    found: set[KeyAlgorithm] = set()
    if Mechanism.RSA_PKCS_KEY_PAIR_GEN in offered and offered & {Mechanism.SHA256_RSA_PKCS, Mechanism.RSA_PKCS}:
        found |= {name for name, bits in RSA_BITS.items() if _within(slot, Mechanism.RSA_PKCS_KEY_PAIR_GEN, bits)}
    if Mechanism.EC_KEY_PAIR_GEN in offered:
        for name, curve in CURVES.items():
            hashing = _HASHING_ECDSA["sha384" if curve.key_size > 256 else "sha256"]
            if offered & {Mechanism.ECDSA, hashing} and _within(slot, Mechanism.EC_KEY_PAIR_GEN, curve.key_size):
                found.add(name)
    return frozenset(found)


def _within(slot: pkcs11.Slot, mechanism: Mechanism, bits: int) -> bool:
    info = slot.get_mechanism_info(mechanism)
    shortest, longest = info.min_key_length, info.max_key_length
    # Some modules leave both at zero, which says nothing.
    return not longest or (shortest or 0) <= bits <= longest


def generate(session: pkcs11.Session, algorithm: KeyAlgorithm, key_id: bytes, label: str) -> None:
    """Make the key pair on the token, for signing and nothing else, never to leave it.

    Every attribute is said: what a token does by default differs (one makes keys extractable unless told not to),
    and a key that may both unwrap and decrypt is the classic way to lure another key out.
    """
    common = {Attribute.ID: key_id, Attribute.LABEL: label, Attribute.TOKEN: True}
    public = {
        **common,
        Attribute.PRIVATE: False,
        Attribute.VERIFY: True,
        Attribute.ENCRYPT: False,
        Attribute.WRAP: False,
    }
    private = {
        **common,
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.SIGN: True,
        Attribute.DECRYPT: False,
        Attribute.UNWRAP: False,
    }
    if algorithm in RSA_BITS:
        session.generate_keypair(
            KeyType.RSA, RSA_BITS[algorithm], store=True, public_template=public, private_template=private
        )
        return
    parameters = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: _PARAMETERS[algorithm]}, local=True)
    parameters.generate_keypair(
        store=True,
        mechanism=Mechanism.EC_KEY_PAIR_GEN,
        public_template=public,
        private_template={**private, Attribute.DERIVE: False},
    )


def describe(private: Any, public: Any) -> DeviceKey | None:
    """The key pair as the token tells it, or None for a kind of key that is not ours."""
    public_key = _public_key(public)
    if public_key is None:
        return None
    return DeviceKey(
        id=private[Attribute.ID],
        label=str(private[Attribute.LABEL]),
        public_key=public_key,
        local=private[Attribute.LOCAL] is True,
        sensitive=private[Attribute.SENSITIVE] is True,
        always_sensitive=private[Attribute.ALWAYS_SENSITIVE] is True,
        extractable=private[Attribute.EXTRACTABLE] is not False,
        never_extractable=private[Attribute.NEVER_EXTRACTABLE] is True,
        mechanism=_mechanism(private),
    )


def _mechanism(private: Any) -> int | None:
    """By which the key was made. Many tokens do not keep it, and say so each in another way."""
    try:
        return int(private[Attribute.KEY_GEN_MECHANISM])
    except (ValueError, pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive):
        return None


def _public_key(public: Any) -> PublicKey | None:
    kind = public[Attribute.KEY_TYPE]
    if kind == KeyType.RSA:
        modulus = int.from_bytes(public[Attribute.MODULUS], "big")
        exponent = int.from_bytes(public[Attribute.PUBLIC_EXPONENT], "big")
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    curve = _CURVE_OF_PARAMETERS.get(public[Attribute.EC_PARAMS]) if kind == KeyType.EC else None
    if curve is None:
        return None
    # CKA_EC_POINT is an OCTET STRING around the point, but some tokens give the bare point: told apart by length.
    length = 2 * ((curve.key_size + 7) // 8) + 1
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, bytes(public[Attribute.EC_POINT])[-length:])


def sign(slot: pkcs11.Slot, private: Any, public_key: PublicKey, message: bytes) -> bytes:
    """PKCS#1 v1.5 or DER-encoded ECDSA over the hash that goes with the key."""
    offered = slot.get_mechanisms()
    hashing = hash_of(public_key)
    if isinstance(public_key, rsa.RSAPublicKey):
        if Mechanism.SHA256_RSA_PKCS in offered:
            return bytes(private.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS))
        return bytes(private.sign(_SHA256_DIGEST_INFO + digest(message, hashing), mechanism=Mechanism.RSA_PKCS))
    if Mechanism.ECDSA in offered:
        raw = private.sign(digest(message, hashing), mechanism=Mechanism.ECDSA)
    else:
        raw = private.sign(message, mechanism=_HASHING_ECDSA[hashing.name])
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def digest(message: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    hasher = hashes.Hash(algorithm)
    hasher.update(message)
    return hasher.finalize()
