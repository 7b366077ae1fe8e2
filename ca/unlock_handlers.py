"""Which use case answers which operation of unlocking. No rule lives here."""

from dataclasses import dataclass
from typing import Any

from ca import unlock_operations as ops
from ca.domain.serials import serial_text
from ca.domain.times import timestamp
from ca.operations import Operation, encode_base64
from ca.signer import Handler
from ca.usecases.devices import PrepareDevice
from ca.usecases.unlock import UnlockDevice
from ca.usecases.unlock_cases import DecideOnUnlock, HalfCode


@dataclass(frozen=True)
class Unlocking:
    """The use cases of unlocking."""

    prepare: PrepareDevice
    decide: DecideOnUnlock
    unlock: UnlockDevice

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        return {
            ops.PrepareDevice: self._prepare,
            ops.OpenUnlock: lambda op: _half(
                self.decide.open(op.session, device_serial=op.device_serial, reason=op.reason)
            ),
            ops.ShowUnlock: self._show,
            ops.ApproveUnlock: self._approve,
            ops.RejectUnlock: self._reject,
            ops.AnswerUnlock: self._answer,
            ops.CompleteUnlock: self._complete,
        }

    def _prepare(self, op: ops.PrepareDevice) -> dict[str, Any]:
        answer = self.prepare(op.session, serial=op.serial, token_serial=op.token_serial, public_key=op.public_key)
        return {"answer": answer}

    def _show(self, op: ops.ShowUnlock) -> dict[str, Any]:
        shown = self.decide.show(op.session, op.reference)
        return {
            "case": shown.case.fields(),
            "digest": encode_base64(shown.case.digest()),
            "state": shown.case.state.value,
            "challenge": encode_base64(shown.challenge),
            "may_approve": shown.may_approve,
        }

    def _approve(self, op: ops.ApproveUnlock) -> dict[str, Any]:
        return _half(
            self.decide.approve(op.session, op.reference, case_digest=op.digest, assertion=op.assertion.to_assertion())
        )

    def _reject(self, op: ops.RejectUnlock) -> dict[str, Any]:
        return {"state": self.decide.reject(op.session, op.reference, reason=op.reason).state.value}

    def _answer(self, op: ops.AnswerUnlock) -> dict[str, Any]:
        answer = self.unlock.answer(op.reference, op.code, token_serial=op.token_serial, public_key=op.public_key)
        return {"answer": answer}

    def _complete(self, op: ops.CompleteUnlock) -> dict[str, Any]:
        proof = {"nonce": op.nonce, "certificate_der": op.certificate, "signature": op.signature}
        certificate = self.unlock.complete(op.reference, **proof)
        return {"serial": serial_text(certificate.serial), "status": certificate.status.value}


def _half(half: HalfCode) -> dict[str, Any]:
    return {"reference": half.case.reference, "half": half.half, "expires_at": timestamp(half.case.expires_at)}
