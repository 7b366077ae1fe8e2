"""Everything the core needs from the world, on one page. Adapters implement these; fakes in tests do too."""

from typing import NewType, Protocol

from ca.domain.keys import KeyAlgorithm

KeyId = NewType("KeyId", bytes)
"""CKA_ID of a key in the HSM: keys are found by it, never by label (labels may repeat)."""


class KeyStore(Protocol):
    """Key pairs in an HSM. Raises KeyStoreUnavailable when the HSM is away, SigningRefused when the key is wrong."""

    def public_key(self, key: KeyId) -> bytes:
        """SubjectPublicKeyInfo, DER. Raises NotFound."""

    def sign(self, key: KeyId, message: bytes) -> bytes:
        """The X.509 signature value over `message`, with the one SignatureAlgorithm of the key's kind (ECDSA: DER)."""

    def generate(self, key: KeyId, label: str, algorithm: KeyAlgorithm) -> bytes:
        """Make a key pair that can sign only and never leave; its SubjectPublicKeyInfo, DER."""


class Seals(Protocol):
    """MACs under a secret key of the HSM: what carries our seal was written by the signer."""

    def seal(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 over the purpose and the message (32 bytes)."""

    def require(self, purpose: str, message: bytes, seal: bytes) -> None:
        """Raise Tampered unless `seal` is ours for this purpose and message (compared in constant time)."""
