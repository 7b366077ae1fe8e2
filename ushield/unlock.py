"""Unlocking a U-Shield whose password is forgotten or locked, without erasing it (docs/protocols/unlock.md).

The bank derives the token's SO password for this one time and sends it in an envelope (HPKE, RFC 9180) that only this
process can open; it is set to another one before the bank hears of success. It is never shown, kept or logged.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding

from ushield.bank_file import BankFile
from ushield.enrolment import Bank
from ushield.errors import AnswerNotOurs, NothingThere, UShieldError
from ushield.inventory import entries, own_texts
from ushield.jws import decoded, signed_claims
from ushield.passwords import FACTORY_PASSWORD, require_acceptable
from ushield.statement import signer_of
from ushield.token import Token, certificate_of

_KIND = "vermilion-unlock"
_CONTEXT = b"vermilion unlock v1\x00"
_CLAIMS = {"v", "origin", "reference", "token", "nonce", "envelope"}
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Person(Protocol):
    """Whoever knows the unlock code and chooses the new password."""

    def unlock_code(self) -> str: ...

    def new_password(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The bank's, for one U-Shield, once."""

    so_password: str
    next_so_password: str
    nonce: bytes


class Envelope:
    """A key of this process: what the bank puts into it, nobody else can read."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()
        self.public_key = self._private.public_key().public_bytes_raw()

    def open(self, answer: str, bank: BankFile, *, token_serial: str, reference: str = "") -> Answer:
        """Raise AnswerNotOurs unless the bank signed it for this U-Shield, and for this reference if one is given."""
        try:
            claims = _require(signed_claims(_KIND, answer, bank.job_key), bank.origin, token_serial, reference)
            info = _info(bank.origin, claims["reference"], token_serial)
            passwords = json.loads(_SUITE.decrypt(b64decode(claims["envelope"], validate=True), self._private, info))
            return Answer(str(passwords["now"]), str(passwords["next"]), decoded(claims["nonce"]))
        except (ValueError, TypeError, KeyError, InvalidTag):
            raise AnswerNotOurs(
                "The answer does not come from the bank, or is not for this U-Shield. Nothing was changed. "
                "Begin again; if this stays, call the hotline."
            ) from None


@dataclass(frozen=True)
class Unlock:
    """A new password for the U-Shield that is plugged in."""

    token: Token
    bank_file: BankFile
    bank: Bank
    person: Person

    def __call__(self, reference: str) -> x509.Certificate:
        """The certificate that goes on holding. Cut off anywhere, the same again finishes it. Raises UShieldError."""
        if not any(certificate_of(stored) for stored in self.token.certificates()):
            raise NothingThere(
                "There is no certificate on this U-Shield, so there is nothing to unlock it for. Nothing was changed. "
                "Bring it to your branch."
            )
        code, password = self.person.unlock_code(), self.person.new_password()
        require_acceptable(password, own_texts(self.token))
        envelope = Envelope()
        answer = envelope.open(
            self.bank.unlock(reference, code, self.token.serial, envelope.public_key),
            self.bank_file,
            token_serial=self.token.serial,
            reference=reference,
        )
        self.token.reset_password(answer.so_password, answer.next_so_password, password)
        return self._prove(reference, answer.nonce)

    def _prove(self, reference: str, nonce: bytes) -> x509.Certificate:
        certificate, key = signer_of(entries(self.token.certificates(), self.token.keys()), "")
        der = certificate.public_bytes(Encoding.DER)
        message = _CONTEXT + sha256(self.bank_file.origin.encode()).digest() + nonce + sha256(der).digest()
        try:
            self.bank.unlocked(reference, nonce, der, self.token.sign(key, message))
        except UShieldError as error:
            # The person must not believe that nothing happened: the old password is gone.
            raise type(error)(
                f"The U-Shield has its new password, but the bank does not know it yet. {error.sentence}"
            ) from error
        return certificate


def prepare(token: Token, bank: BankFile, envelope: Envelope, answer: str, *, present: str) -> None:
    """Give a U-Shield of the stock the bank's SO password and the factory password. Raises UShieldError."""
    opened = envelope.open(answer, bank, token_serial=token.serial)
    token.set_so_password(present, opened.so_password, FACTORY_PASSWORD)


def challenge(token: Token, envelope: Envelope) -> str:
    """What a supervisor carries into the console: which token, and for which envelope."""
    return f"{token.serial}:{b64encode(envelope.public_key).decode('ascii')}"


def _require(claims: dict[str, Any], origin: str, token_serial: str, reference: str) -> dict[str, str]:
    if set(claims) != _CLAIMS or claims["v"] != 1:
        raise ValueError("other claims")
    texts = {name: claims[name] for name in _CLAIMS - {"v"}}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("not text")
    if (texts["origin"], texts["token"]) != (origin, token_serial) or reference not in {"", texts["reference"]}:
        raise ValueError("for another")
    return texts


def _info(origin: str, reference: str, token_serial: str) -> bytes:
    bound = {"origin": origin, "reference": reference, "token": token_serial}
    text = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _CONTEXT + sha256(text.encode()).digest()
