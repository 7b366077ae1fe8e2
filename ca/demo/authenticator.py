"""A passkey played by a program, for the demo's officers and for tests (WebAuthn level 2, sections 6.1 and 6.5).

The private key lies in a file that only its owner can read. It proves nothing about a person, so it belongs in a demo
state and nowhere else.
"""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

from ca.domain.decisions import Assertion
from ca.domain.errors import NotReady

# Section 6.1: user present, user verified, attested credential data included.
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


class SoftwareAuthenticator:
    """One P-256 passkey in a JSON file (mode 0600). Its sign count stays 0, as that of a synchronised passkey."""

    def __init__(self, path: Path, fields: dict[str, Any]) -> None:
        self._path = path
        self._fields = fields
        self._key = _load_key(fields["private_key"])

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new key in a new file. Raises NotReady when the file exists: a key is never overwritten."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        fields = {"credential_id": os.urandom(32).hex(), "private_key": pem.decode("ascii"), "origin": "", "rp_id": ""}
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise NotReady(f"{path} exists already; a passkey is never overwritten") from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(fields, file)
        return cls(path, fields)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The passkey in the file. Raises NotReady when it is missing or damaged."""
        try:
            return cls(path, json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotReady(f"the demo passkey {path} cannot be read: {error}") from error

    @property
    def credential_id(self) -> bytes:
        return bytes.fromhex(self._fields["credential_id"])

    def register(self, challenge: bytes, origin: str, rp_id: str) -> str:
        """The registration response (JSON text, attestation none); remembers where it was registered."""
        self._remember(origin=origin, rp_id=rp_id)
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self._cose_key()
        authenticator_data = self._authenticator_data(_PRESENT | _VERIFIED | _ATTESTED) + attested
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": authenticator_data})
        identifier = bytes_to_base64url(self.credential_id)
        return json.dumps(
            {
                "id": identifier,
                "rawId": identifier,
                "type": "public-key",
                "response": {
                    "clientDataJSON": bytes_to_base64url(self._client_data("webauthn.create", challenge)),
                    "attestationObject": bytes_to_base64url(attestation),
                },
            }
        )

    def sign(self, challenge: bytes) -> Assertion:
        """The assertion over a challenge, for the origin where the passkey was registered. Raises NotReady."""
        if not self._fields["rp_id"]:
            raise NotReady(f"the demo passkey {self._path} was not registered yet")
        client_data = self._client_data("webauthn.get", challenge)
        authenticator_data = self._authenticator_data(_PRESENT | _VERIFIED)
        signed = authenticator_data + hashlib.sha256(client_data).digest()
        return Assertion(
            credential_id=self.credential_id,
            client_data=client_data,
            authenticator_data=authenticator_data,
            signature=self._key.sign(signed, ec.ECDSA(hashes.SHA256())),
        )

    def _remember(self, **fields: str) -> None:
        self._fields |= fields
        temporary = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self._fields, file)
        temporary.replace(self._path)

    def _client_data(self, kind: str, challenge: bytes) -> bytes:
        encoded = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode("ascii")
        fields = {"type": kind, "challenge": encoded, "origin": self._fields["origin"], "crossOrigin": False}
        return json.dumps(fields, separators=(",", ":")).encode()

    def _authenticator_data(self, flags: int) -> bytes:
        sign_count = bytes(4)
        return hashlib.sha256(self._fields["rp_id"].encode()).digest() + bytes([flags]) + sign_count

    def _cose_key(self) -> bytes:
        # RFC 9053 section 7.1.1: kty EC2, alg ES256, crv P-256, x, y.
        numbers = self._key.public_key().public_numbers()
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})


def _load_key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the file holds another kind of key")
    return key
