"""A branch that unlocks a U-Shield, and the customer's tool, over the bank in memory."""

import base64
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from ca.domain.certificates import Certificate
from ca.domain.devices import DeviceState
from ca.domain.jws import verified
from ca.domain.unlocking import (
    UnlockState,
    envelope_info,
    proof_message,
)
from tests.drafts import SoftKey, a_request
from tests.fakes.bank import MARIA, SUPERVISOR, Bank, new_key
from tests.fakes.use_cases import ORIGIN, FakeNotify, unlocking_of

TOKEN = "0A1B2C3D4E5F6071"


class Tool:
    """The customer's: an envelope key for one answer."""

    def __init__(self) -> None:
        self.private = X25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()

    def read(self, bank: Bank, answer: str, *, token: str = TOKEN) -> tuple[dict[str, str], bytes]:
        """The SO passwords and the nonce."""
        claims = verified("vermilion-unlock", answer, bank.trust.kept["tool-jobs.spki"])
        info = envelope_info(ORIGIN, claims["reference"], token)
        suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
        opened = suite.decrypt(base64.b64decode(claims["envelope"]), self.private, info)
        return json.loads(opened), base64.urlsafe_b64decode(claims["nonce"] + "==")


@dataclass
class Case:
    reference: str
    code: str


class Branch:
    """A customer with a certificate on a U-Shield that the bank prepared."""

    def __init__(self, bank: Bank, *, model: str = "U-Shield 2") -> None:
        self.bank, self.notify, self.key = bank, FakeNotify(), new_key()
        self.unlocking = unlocking_of(bank, notify=self.notify)
        self.device = bank.register_device(bank.session(MARIA), serial=TOKEN, model=model).serial
        self.prepared = self.prepare()
        self.certificate = self._certificate()

    def prepare(self, person: str = SUPERVISOR) -> dict[str, str]:
        tool = Tool()
        answer = self.unlocking.prepare(
            self.bank.session(person), serial=self.device, token_serial=TOKEN, public_key=tool.public
        )
        return tool.read(self.bank, answer)[0]

    def _certificate(self) -> Certificate:
        bank = self.bank
        application = bank.submit(
            bank.session(MARIA),
            customer=bank.customer(),
            profile="personal-signing",
            device_serial=self.device,
            host_names=[],
        )
        bank.approve(application.id)
        return bank.confirmed(bank.download(bank.codes(application.id), a_request(self.key)), self.key)

    def open(self, person: str = MARIA) -> Case:
        half = self.unlocking.decide.open(self.bank.session(person), device_serial=self.device, reason="ID card seen")
        return Case(half.case.reference, half.half)

    def approve(self, case: Case, person: str = SUPERVISOR, *, digest: bytes | None = None) -> Case:
        colleague = self.bank[person]
        view = self.unlocking.decide.show(colleague.session, case.reference)
        half = self.unlocking.decide.approve(
            colleague.session,
            case.reference,
            case_digest=digest or view.case.digest(),
            assertion=colleague.passkey.sign(view.challenge),
        )
        return Case(case.reference, case.code + half.half)

    def approved(self) -> Case:
        return self.approve(self.open())

    def answer(self, case: Case, tool: Tool | None = None, *, token: str = TOKEN) -> str:
        key = (tool or Tool()).public
        return self.unlocking.unlock.answer(case.reference, case.code, token_serial=token, public_key=key)

    def complete(
        self, case: Case, nonce: bytes, *, key: SoftKey | None = None, origin: str = ORIGIN, der: bytes = b""
    ) -> Certificate:
        shown = der or self.certificate.der
        signature = (key or self.key).sign(proof_message(origin, nonce, shown))
        return self.unlocking.unlock.complete(case.reference, nonce=nonce, certificate_der=shown, signature=signature)

    def unlocked(self) -> dict[str, str]:
        case, tool = self.approved(), Tool()
        passwords, nonce = tool.read(self.bank, self.answer(case, tool))
        self.complete(case, nonce)
        return passwords

    @property
    def state(self) -> DeviceState:
        return next(one for one in self.bank.stored.devices.values() if one.serial == self.device).state

    def case_state(self, case: Case) -> UnlockState:
        return self.bank.stored.unlocks[case.reference][0].state
