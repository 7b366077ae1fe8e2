"""HPKE (RFC 9180) for what only the customer's tool may read: the adapter of portal_records.Envelopes."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from ca.domain.errors import InvalidRequest


class HpkeEnvelopes:
    """A new encapsulated key for each envelope; nobody here can open one again."""

    def close(self, public_key: bytes, info: bytes, text: bytes) -> bytes:
        try:
            key = X25519PublicKey.from_public_bytes(public_key)
            return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM).encrypt(text, key, info)
        except ValueError as error:
            raise InvalidRequest("the tool's public key is no X25519 key") from error
