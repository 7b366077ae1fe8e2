"""Real keys in memory, for tests that need signatures but no HSM."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca.domain.errors import InvalidRequest, InvalidTransition, KeyStoreUnavailable, NotFound, Tampered
from ca.domain.keys import KeyAlgorithm, Message
from ca.ports import KeyId

_CURVES = {
    KeyAlgorithm.EC_P256: (ec.SECP256R1(), hashes.SHA256()),
    KeyAlgorithm.EC_P384: (ec.SECP384R1(), hashes.SHA384()),
}
_BITS = {KeyAlgorithm.RSA_2048: 2048, KeyAlgorithm.RSA_3072: 3072, KeyAlgorithm.RSA_4096: 4096}


class FakeKeyStore:
    """ports.KeyStore. `away` unplugs it; `signatures_left` lets it die after so many; `signed` is what it signed."""

    def __init__(self) -> None:
        self.away = False
        self.signatures_left: int | None = None
        self.signed: list[tuple[KeyId, bytes]] = []
        self._keys: dict[KeyId, tuple[KeyAlgorithm, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]] = {}

    def public_key(self, key: KeyId) -> bytes:
        _, private = self._find(key)
        return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, key: KeyId, message: Message) -> bytes:
        algorithm, private = self._find(key)
        message = message if isinstance(message, bytes) else b"".join(message)
        if self.signatures_left is not None:
            if self.signatures_left == 0:
                raise KeyStoreUnavailable("the HSM is away")
            self.signatures_left -= 1
        self.signed.append((key, message))
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return private.sign(message, ec.ECDSA(_CURVES[algorithm][1]))

    def sign_each(self, key: KeyId, messages: Sequence[bytes]) -> list[bytes]:
        return [self.sign(key, message) for message in messages]

    def generate(self, key: KeyId, label: str, algorithm: KeyAlgorithm) -> bytes:
        self._require_present()
        if not key:
            raise InvalidRequest("a key id has at least one octet")
        if key in self._keys:
            raise InvalidTransition(f"the HSM holds a key with id {key.hex()} already")
        if algorithm in _CURVES:
            self._keys[key] = algorithm, ec.generate_private_key(_CURVES[algorithm][0])
        else:
            self._keys[key] = algorithm, rsa.generate_private_key(65537, _BITS[algorithm])
        return self.public_key(key)

    def _find(self, key: KeyId) -> tuple[KeyAlgorithm, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]:
        self._require_present()
        if key not in self._keys:
            raise NotFound(f"the HSM holds no private key with id {key.hex()}")
        return self._keys[key]

    def _require_present(self) -> None:
        if self.away:
            raise KeyStoreUnavailable("the HSM is away")


class FakeSeals:
    """ports.Seals under a random key in memory. `away` unplugs it."""

    def __init__(self) -> None:
        self.away = False
        self._key = secrets.token_bytes(32)

    def seal(self, purpose: str, message: bytes) -> bytes:
        if self.away:
            raise KeyStoreUnavailable("the HSM is away")
        name = purpose.encode()
        return hmac.digest(self._key, len(name).to_bytes(2, "big") + name + message, hashlib.sha256)

    def require(self, purpose: str, message: bytes, seal: bytes) -> None:
        if not hmac.compare_digest(self.seal(purpose, message), seal):
            raise Tampered(f"a record of kind {purpose} does not carry our seal")
