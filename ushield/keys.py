"""The kinds of key pair a U-Shield may make, how each signs, and what we require of a key born on it.

Signatures are those of the enrolment contract: RSA PKCS#1 v1.5 with SHA-256 (RFC 8017 section 8.2) and
ECDSA with the hash of the curve, in DER (RFC 5480 appendix A).
"""

from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ushield.errors import DeviceTrouble, KeyNotSafe

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class KeyAlgorithm(StrEnum):
    """Names as the bank's server says them."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"


RSA_BITS = {KeyAlgorithm.RSA_2048: 2048, KeyAlgorithm.RSA_3072: 3072, KeyAlgorithm.RSA_4096: 4096}
CURVES: dict[KeyAlgorithm, ec.EllipticCurve] = {
    KeyAlgorithm.EC_P256: ec.SECP256R1(),
    KeyAlgorithm.EC_P384: ec.SECP384R1(),
}


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A key pair as the U-Shield itself describes it; the private half is not here and never will be."""

    id: bytes
    label: str
    public_key: PublicKey
    local: bool
    sensitive: bool
    always_sensitive: bool
    extractable: bool
    never_extractable: bool
    mechanism: int | None
    """CKA_KEY_GEN_MECHANISM; None when the U-Shield does not tell."""

    @property
    def birth(self) -> str:
        """How the key was made, in the form that the bank reads (docs/protocols/enrolment.md)."""
        said = {
            "local": self.local,
            "always-sensitive": self.sensitive and self.always_sensitive,
            "never-extractable": self.never_extractable,
            "extractable": self.extractable,
        }
        words = [f"{name}={'yes' if holds else 'no'}" for name, holds in said.items()]
        mechanism = "unknown" if self.mechanism is None else f"{self.mechanism:08x}"
        return " ".join(("key-birth-1", *words, f"mechanism={mechanism}"))

    def require_born_here(self) -> None:
        """Raise KeyNotSafe unless the private key was made on the U-Shield and can never leave it."""
        wrong = [
            words
            for holds, words in (
                (self.local, "it was not made on the U-Shield"),
                (self.sensitive and self.always_sensitive, "it can be, or could be, shown in the clear"),
                (not self.extractable and self.never_extractable, "it can be, or could be, taken out of the U-Shield"),
            )
            if not holds
        ]
        if wrong:
            raise KeyNotSafe(
                f"The U-Shield's key is not safe enough for a certificate: {'; '.join(wrong)}. "
                "No certificate was asked for with it. Bring the U-Shield to your branch."
            )


def algorithm_of(public_key: object) -> KeyAlgorithm | None:
    """The kind of key pair this is, or None for one we do not make."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return next((name for name, bits in RSA_BITS.items() if bits == public_key.key_size), None)
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return next((name for name, curve in CURVES.items() if curve.name == public_key.curve.name), None)
    return None


def hash_of(public_key: PublicKey) -> hashes.SHA256 | hashes.SHA384:
    """The hash that goes with the key: SHA-384 for P-384, SHA-256 for everything else we make."""
    if isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.key_size > 256:
        return hashes.SHA384()
    return hashes.SHA256()


def spki(public_key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo in DER: the one form in which two public keys are compared."""
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def require_signature(public_key: PublicKey, signature: bytes, message: bytes) -> None:
    """Raise DeviceTrouble unless the signature is right: what the U-Shield answers is believed only when checked."""
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, message, padding.PKCS1v15(), hash_of(public_key))
        else:
            public_key.verify(signature, message, ec.ECDSA(hash_of(public_key)))
    except InvalidSignature:
        raise DeviceTrouble(
            "The U-Shield made a signature that is wrong. Nothing was sent to the bank. "
            "Plug the U-Shield in again and run the same command; if this stays, bring it to your branch."
        ) from None
