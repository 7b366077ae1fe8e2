"""MACs under a secret key that never leaves the HSM: the adapter of ports.Seals.

HMAC-SHA256 (RFC 2104) by CKM_SHA256_HMAC. The purpose goes in with its length before it, so that no message of one
purpose can pass for one of another.
"""

import hmac

from pkcs11.constants import MechanismFlag
from pkcs11.mechanisms import KeyType, Mechanism
from pkcs11.types import SecretKey, Session

from ca.adapters.hsm.key_store import TEMPLATE_REFUSED, destroy_if_possible
from ca.adapters.hsm.objects import find_key, guarded_template, require_free, require_guarded
from ca.adapters.hsm.sessions import TokenSessions, Worker
from ca.adapters.hsm.signatures import require_mechanism, sign_raw
from ca.domain.errors import PKIError, SigningRefused, Tampered
from ca.ports import KeyId

_KEY_BITS = 256


class Pkcs11Seals:
    """ports.Seals under one secret key of a token."""

    def __init__(self, sessions: TokenSessions, key: KeyId) -> None:
        self._sessions = sessions
        self._key = key

    def seal(self, purpose: str, message: bytes) -> bytes:
        return self._sessions.run(lambda worker: _seal(worker, self._key, purpose, message))

    def require(self, purpose: str, message: bytes, seal: bytes) -> None:
        if not hmac.compare_digest(self.seal(purpose, message), seal):
            raise Tampered(f"a record of kind {purpose} does not carry our seal")

    def verify_key(self) -> None:
        """Raise NotFound, SigningRefused or KeyStoreUnavailable unless the key is there, guarded, and works."""
        self.seal("probe", b"")


def generate_seal_key(sessions: TokenSessions, key: KeyId, label: str) -> None:
    """Make the secret key. Raises InvalidTransition if the id is taken."""
    sessions.run_alone(lambda worker: _generate(worker, key, label))


def _seal(worker: Worker, key: KeyId, purpose: str, message: bytes) -> bytes:
    secret = worker.secret_keys.get(key)
    if secret is None:
        secret = find_key(worker.session, SecretKey, key)
        _require_seal_key(secret, key)
        worker.secret_keys[key] = secret
    name = purpose.encode()
    return sign_raw(secret, len(name).to_bytes(2, "big") + name + message, Mechanism.SHA256_HMAC)


def _require_seal_key(secret: SecretKey, key: KeyId) -> None:
    require_guarded(secret, key.hex())
    if secret.key_type is not KeyType.GENERIC_SECRET:
        raise SigningRefused(f"key {key.hex()} in the HSM is no generic secret")


def _generate(worker: Worker, key: KeyId, label: str) -> None:
    session = worker.session
    require_mechanism(Mechanism.GENERIC_SECRET_KEY_GEN, worker.mechanisms)
    require_mechanism(Mechanism.SHA256_HMAC, worker.mechanisms)
    require_free(session, key)
    try:
        secret = _generate_secret(session, key, label, further=True)
    except TEMPLATE_REFUSED:
        secret = _generate_secret(session, key, label, further=False)
    try:
        _seal(worker, key, "probe", b"")
    except PKIError:
        destroy_if_possible(secret)
        raise


def _generate_secret(session: Session, key: KeyId, label: str, *, further: bool) -> SecretKey:
    return session.generate_key(
        KeyType.GENERIC_SECRET,
        _KEY_BITS,
        id=bytes(key),
        label=label,
        store=True,
        capabilities=MechanismFlag.SIGN,
        template=dict(guarded_template(further=further)),
    )
