"""Passkeys in memory: real signatures over the challenge, without the wrapping that browsers put around them."""

import base64
import hashlib
import json
import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from webauthn.helpers import encode_cbor

from ca.domain.decisions import Assertion
from ca.domain.errors import NotAuthenticated
from ca.domain.officers import Credential


class FakePasskey:
    """One key pair that signs what it is asked to. `counts` makes it say how often it was used."""

    def __init__(self, *, counts: bool = False) -> None:
        self.credential_id = os.urandom(16)
        self.uses = 0
        self._counts = counts
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def credential(self) -> Credential:
        return Credential(self.credential_id, self.public_key, "a passkey")

    def sign(self, challenge: bytes) -> Assertion:
        self.uses += 1 if self._counts else 0
        count = self.uses.to_bytes(4, "big")
        return Assertion(self.credential_id, challenge, count, self._key.sign(challenge + count, ec.ECDSA(SHA256())))

    def register(self, challenge: bytes) -> str:
        """A registration response: what `verify_registration` reads."""
        fields = {"id": self.credential_id, "public_key": self.public_key, "challenge": challenge}
        return json.dumps({name: value.hex() for name, value in fields.items()})


class BrowserPasskey(FakePasskey):
    """One whose signatures are wrapped as a browser at this origin wraps them (WebAuthn level 2, section 5.8.1)."""

    origin = "https://localhost:8443"

    @property
    def public_key(self) -> bytes:
        numbers = self._key.public_key().public_numbers()
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})

    def sign(self, challenge: bytes) -> Assertion:
        encoded = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode("ascii")
        fields = {"type": "webauthn.get", "challenge": encoded, "origin": self.origin, "crossOrigin": False}
        client_data = json.dumps(fields).encode()
        authenticator_data = hashlib.sha256(b"localhost").digest() + bytes([0x05]) + bytes(4)
        signed = authenticator_data + hashlib.sha256(client_data).digest()
        return Assertion(
            self.credential_id, client_data, authenticator_data, self._key.sign(signed, ec.ECDSA(SHA256()))
        )


class FakeAuthenticators:
    """ports.Authenticators for those passkeys."""

    def verify_assertion(
        self, assertion: Assertion, *, challenge: bytes, public_key: bytes, previous_sign_count: int = 0
    ) -> int:
        key = load_der_public_key(public_key)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        count = int.from_bytes(assertion.authenticator_data, "big")
        try:
            key.verify(assertion.signature, challenge + assertion.authenticator_data, ec.ECDSA(SHA256()))
        except InvalidSignature as error:
            raise NotAuthenticated("the passkey did not sign this challenge") from error
        if (count or previous_sign_count) and count <= previous_sign_count:
            raise NotAuthenticated("the passkey was copied: its count did not grow")
        return count

    def verify_registration(self, registration: str, *, challenge: bytes, label: str) -> Credential:
        fields = {name: bytes.fromhex(value) for name, value in json.loads(registration).items()}
        if fields["challenge"] != challenge:
            raise NotAuthenticated("the passkey was made for another challenge")
        return Credential(fields["id"], fields["public_key"], label)
