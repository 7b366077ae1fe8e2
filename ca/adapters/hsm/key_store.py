"""Key pairs in an HSM behind PKCS#11: the adapter of ports.KeyStore.

Callers verify every signature; here the key object is judged before it may sign (CPS section 6.2).
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

from pkcs11.constants import Attribute, MechanismFlag
from pkcs11.exceptions import (
    AttributeReadOnly,
    AttributeTypeInvalid,
    AttributeValueInvalid,
    PKCS11Error,
    TemplateInconsistent,
)
from pkcs11.mechanisms import KeyType, Mechanism
from pkcs11.types import PrivateKey, PublicKey, SecretKey, Session

from ca.adapters.hsm.objects import (
    CURVES,
    RSA_BITS,
    algorithm_of,
    find_key,
    guarded_template,
    public_key_der,
    require_free,
    require_guarded,
)
from ca.adapters.hsm.sessions import SigningKey, TokenSessions, Worker
from ca.adapters.hsm.signatures import choose_mechanism, require_mechanism, require_signature, sign_message
from ca.domain.errors import PKIError, SigningRefused
from ca.domain.keys import KeyAlgorithm, Message
from ca.ports import KeyId

TEMPLATE_REFUSED = (AttributeTypeInvalid, AttributeValueInvalid, AttributeReadOnly, TemplateInconsistent)

# No TBSCertificate, TBSCertList or ResponseData begins like this, so the answer is no signature on anything.
_PROBE = b"vermilion key probe\x00"


class Pkcs11KeyStore:
    """ports.KeyStore over one token."""

    def __init__(self, sessions: TokenSessions) -> None:
        self._sessions = sessions

    def public_key(self, key: KeyId) -> bytes:
        return self._sessions.run(lambda worker: public_key_der(find_key(worker.session, PublicKey, key)))

    def sign(self, key: KeyId, message: Message) -> bytes:
        return self._sessions.run(lambda worker: _sign(worker, key, message))

    def sign_each(self, key: KeyId, messages: Sequence[bytes]) -> list[bytes]:
        return self._sessions.run(lambda worker: [_sign(worker, key, message) for message in messages])

    def generate(self, key: KeyId, label: str, algorithm: KeyAlgorithm) -> bytes:
        """Raises InvalidTransition if the id is taken. Never repeated by itself: the first try may have made a key."""
        return self._sessions.run_alone(lambda worker: _generate(worker, key, label, algorithm))

    def verify_key(self, key: KeyId, public_key: bytes) -> None:
        """Raise unless the pair in the HSM is this one (SubjectPublicKeyInfo, DER), guarded, and able to sign.

        NotFound if it is not there, SigningRefused if it is another one or badly kept.
        """
        self._sessions.run(lambda worker: _verify_key(worker, key, public_key))

    def require_mechanisms(self, algorithms: Iterable[KeyAlgorithm]) -> None:
        """Raise KeyStoreUnavailable unless the HSM can sign with all these kinds of key, naming what it lacks."""
        for algorithm in algorithms:
            choose_mechanism(algorithm, self._sessions.mechanisms)


def _sign(worker: Worker, key: KeyId, message: Message) -> bytes:
    signing = worker.private_keys.get(key) or _find_signing_key(worker, key)
    return sign_message(signing.private, signing.algorithm, message, worker.mechanisms)


def _find_signing_key(worker: Worker, key: KeyId) -> SigningKey:
    private = find_key(worker.session, PrivateKey, key)
    require_guarded(private, key.hex())
    worker.private_keys[key] = SigningKey(private, algorithm_of(private))
    return worker.private_keys[key]


def _verify_key(worker: Worker, key: KeyId, public_key: bytes) -> None:
    if public_key_der(find_key(worker.session, PublicKey, key)) != public_key:
        raise SigningRefused(f"key {key.hex()} in the HSM is not the one we know under that id")
    _find_signing_key(worker, key)
    # The two objects have only an id in common, which anybody with the PIN can choose: let the key prove itself.
    probe = _PROBE + os.urandom(32)
    require_signature(public_key, probe, _sign(worker, key, probe))


def _generate(worker: Worker, key: KeyId, label: str, algorithm: KeyAlgorithm) -> bytes:
    session = worker.session
    needed = Mechanism.EC_KEY_PAIR_GEN if algorithm in CURVES else Mechanism.RSA_PKCS_KEY_PAIR_GEN
    require_mechanism(needed, worker.mechanisms)
    require_free(session, key)
    try:
        public, private = _generate_pair(session, key, label, algorithm, further=True)
    except TEMPLATE_REFUSED:
        public, private = _generate_pair(session, key, label, algorithm, further=False)
    try:
        made = public_key_der(public)
        if algorithm_of(public) is not algorithm or algorithm_of(private) is not algorithm:
            raise SigningRefused(f"the HSM made another kind of key than {algorithm}")
        _verify_key(worker, key, made)
    except PKIError:
        destroy_if_possible(public, private)
        raise
    return made


def _generate_pair(
    session: Session, key: KeyId, label: str, algorithm: KeyAlgorithm, *, further: bool
) -> tuple[PublicKey, PrivateKey]:
    wishes: dict[str, Any] = {
        "id": bytes(key),
        "label": label,
        "store": True,
        "capabilities": MechanismFlag.SIGN | MechanismFlag.VERIFY,
        # Read-only, lest the public half be exchanged in place.
        "public_template": {Attribute.MODIFIABLE: False} if further else None,
        "private_template": {
            **guarded_template(further=further),
            **({Attribute.SIGN_RECOVER: False} if further else {}),
        },
    }
    if algorithm in CURVES:
        _, named_curve = CURVES[algorithm]
        curve = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: named_curve}, local=True)
        return curve.generate_keypair(**wishes)
    return session.generate_keypair(KeyType.RSA, RSA_BITS[algorithm], **wishes)


def destroy_if_possible(*keys: PublicKey | PrivateKey | SecretKey) -> None:
    """A key just made and refused should go; one made indestructible stays, and is refused whenever it is met."""
    for key in keys:
        try:
            key.destroy()
        except PKCS11Error:
            continue
