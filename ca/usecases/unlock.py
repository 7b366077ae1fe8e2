"""The customer's tool unlocks a U-Shield, with the SO password for this one time (docs/protocols/unlock.md).

The password is derived inside the HSM and leaves in an envelope that only the tool can open: no officer, no page and no
server of ours sees it. The tool sets another one at once, and proves with the certificate's key that it is done.
"""

import hmac
import json
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate
from ca.domain.codes import parse_authorization_code
from ca.domain.devices import Device, DeviceState
from ca.domain.drafting import verify_signed
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAuthenticated, NotFound, NotReady, SigningRefused
from ca.domain.jws import encoded
from ca.domain.keys import PublicKey
from ca.domain.notices import Notice
from ca.domain.serials import serial_text
from ca.domain.sessions import CHALLENGE_LIFE, Challenge
from ca.domain.tbs import read_certificate
from ca.domain.unlocking import (
    UnlockCase,
    UnlockState,
    derivation,
    envelope_info,
    proof_message,
    require_budget,
    so_password,
)
from ca.portal_records import Envelopes, Notify
from ca.ports import Clock, KeyId, KeyStore, Random, Seals, UnitOfWork, Work
from ca.usecases.sealed import unsealed
from ca.usecases.tool_jobs import TOOL_JOB_KEY, state
from ca.usecases.unlock_cases import (
    HALF_LENGTH,
    UNLOCK_SEAL,
    code_mac,
    half_mac,
    list_cases,
    require_unlockable,
    save_case,
)

UNLOCK_KEY = KeyId(b"unlock-1")
_SO_SEAL = "so-password"
_KIND = "vermilion-unlock"
REFUSED = "the reference number or the unlock code is not right, or they are out of date; ask your branch"


@dataclass(frozen=True, slots=True)
class SoPasswords:
    """Derives, and answers to a tool. `seals` are under the unlock key and serve nothing else."""

    seals: Seals
    key_store: KeyStore
    envelopes: Envelopes
    origin: str

    def answer(self, device: Device, reference: str, token_serial: str, public_key: bytes, nonce: bytes) -> str:
        """The password in use and the next one, for one tool, as a JWS of the bank."""
        passwords = {"now": self._of(device.serial, device.so_use), "next": self._of(device.serial, device.so_use + 1)}
        info = envelope_info(self.origin, reference, token_serial)
        closed = self.envelopes.close(public_key, info, json.dumps(passwords).encode())
        claims = {
            "v": 1,
            "origin": self.origin,
            "reference": reference,
            "token": token_serial,
            "nonce": encoded(nonce),
            "envelope": b64encode(closed).decode("ascii"),
        }
        return state(self.key_store, TOOL_JOB_KEY, _KIND, claims)

    def _of(self, device_serial: str, use: int) -> str:
        try:
            return so_password(self.seals.seal(_SO_SEAL, derivation(device_serial, use)))
        except NotFound as error:
            # A bank whose ceremony was held before there was this key goes on without unlocking.
            raise NotReady(f"the HSM has no key {UNLOCK_KEY.decode()}: it is made in the key ceremony") from error


@dataclass(frozen=True)
class UnlockDevice:
    """An answer for the code, a proof for the nonce."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    so_passwords: SoPasswords
    notify: Notify

    def answer(self, reference: str, code: str, *, token_serial: str, public_key: bytes) -> str:
        """A JWS for the tool. Raises NotAuthenticated, InvalidTransition when the U-Shield must stay shut."""
        now = self.clock.now()
        nonce = self.random(32)
        with self.unit_of_work() as work:
            case = self._of_code(work, reference, code)
            device = _device_of(work, case, now)
            if device.token_serial and device.token_serial.casefold() != token_serial.strip().casefold():
                raise InvalidRequest("this is another U-Shield than the one that may be unlocked; plug in that one")
            require_budget(list_cases(work, self.seals, device.serial))
            answered = case.answer()
            save_case(work, self.seals, answered)
            work.challenges.add(Challenge(_purpose(reference), nonce, now + CHALLENGE_LIFE))
            details = {"device": device.serial, "answers": str(answered.answers)}
            work.audit.append(AuditEvent("unlock.answered", reference, "customer", now, details))
            given = self.so_passwords.answer(device, reference, token_serial, public_key, nonce)
            # Counted before it leaves: a crash after this costs one of the answers, never the count.
            work.commit()
        return given

    def complete(self, reference: str, *, nonce: bytes, certificate_der: bytes, signature: bytes) -> Certificate:
        """The certificate that lives on. Raises NotAuthenticated without a proof by a key on this U-Shield."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            given = work.challenges.take(_purpose(reference), nonce)
            work.commit()  # it stays used, whatever comes of it
        if given is None or given.is_over(now):
            raise NotAuthenticated("this nonce was not given for this unlock or is used up; begin the unlock again")
        with self.unit_of_work() as work:
            found = work.unlocks.find(reference)
            if found is None:
                raise NotAuthenticated(REFUSED)
            case = unsealed(self.seals, UNLOCK_SEAL, found)
            device = _device_of(work, case, now)
            certificate = self._proved(work, device, nonce, certificate_der, signature)
            customer = work.customers.get(certificate.customer)
            save_case(work, self.seals, case.become(UnlockState.COMPLETED))
            work.devices.save(replace(device.become(DeviceState.IN_USE), so_use=device.so_use + 1))
            details = {"device": device.serial, "unlock": reference}
            work.audit.append(AuditEvent("unlock.completed", serial_text(certificate.serial), "customer", now, details))
            work.commit()
        self.notify(customer, certificate, Notice.UNLOCKED)
        return certificate

    def _of_code(self, work: Work, reference: str, code: str) -> UnlockCase:
        """The case, if code and time are right; a wrong code is counted. Raises NotAuthenticated, always the same."""
        found = work.unlocks.find(reference)
        try:
            typed = parse_authorization_code(code)
        except InvalidRequest:
            typed = ""
        # As much work for a number that nobody handed out.
        mac = code_mac(self.seals, reference, half_mac(self.seals, reference, typed[:HALF_LENGTH]), typed[HALF_LENGTH:])
        if found is None:
            raise NotAuthenticated(REFUSED)
        case = unsealed(self.seals, UNLOCK_SEAL, found)
        if not case.is_usable(self.clock.now()):
            raise NotAuthenticated(REFUSED)
        if not typed or not hmac.compare_digest(mac, case.code_mac):
            missed = case.miss()
            save_case(work, self.seals, missed)
            details = {"device": case.device_serial, "attempts_left": str(missed.attempts_left)}
            event = AuditEvent("unlock.code-refused", reference, "customer", self.clock.now(), details)
            work.audit.append(event)
            work.commit()
            raise NotAuthenticated(REFUSED)
        return case

    def _proved(
        self, work: Work, device: Device, nonce: bytes, certificate_der: bytes, signature: bytes
    ) -> Certificate:
        try:
            shown = read_certificate(certificate_der)
            current = work.certificates.get(shown.serial)
            verify_signed(current.der, work.issuers.get(current.issuer).spki_der)
            message = proof_message(self.so_passwords.origin, nonce, current.der)
            PublicKey.from_spki(shown.spki_der).verify(signature, message)
        except (InvalidRequest, NotFound, SigningRefused) as error:
            raise NotAuthenticated("this U-Shield did not prove that it was unlocked; begin once more") from error
        if current.der != certificate_der or current.device_serial != device.serial:
            raise NotAuthenticated("this certificate is not on the U-Shield that was to be unlocked")
        return current


def _device_of(work: Work, case: UnlockCase, now: datetime) -> Device:
    """The U-Shield, if it may be unlocked now and for this customer. Raises InvalidTransition."""
    device = work.devices.find(case.device_serial)
    if device is None or require_unlockable(work, device, now).customer != case.customer:
        raise InvalidTransition("this U-Shield is no longer the customer's; ask your branch")
    return device


def _purpose(reference: str) -> str:
    return f"unlock:{reference}"
