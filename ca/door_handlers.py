"""Which use case answers which operation on certificates that officers sign in with. No rule lives here."""

from dataclasses import dataclass
from typing import Any

from ca import door_operations as door
from ca import operations as ops
from ca.domain.serials import parse_serial
from ca.officer_handlers import officer_fields
from ca.operations import encode_base64
from ca.signer import Handler
from ca.usecases.bind_certificates import DecideOnBinding
from ca.usecases.certificate_sign_in import SignInByCertificate


@dataclass(frozen=True)
class Door:
    """The second door to the console, and who has its key."""

    sign_in: SignInByCertificate
    bind: DecideOnBinding

    def table(self) -> dict[type[ops.Operation], Handler]:
        """Every operation with what answers it."""
        return {
            door.CertificateChallenge: lambda _: {"challenge": encode_base64(self.sign_in.challenge())},
            door.SignInByCertificate: self._sign_in,
            door.ProposeBinding: lambda op: {
                "binding": self.bind.propose(
                    op.session, op.officer, serial=parse_serial(op.serial), reason=op.reason
                ).id
            },
            door.ShowBinding: self._show,
            door.ApproveBinding: lambda op: {
                "officer": self.bind.approve(
                    op.session, op.binding, binding_digest=op.digest, assertion=op.assertion.to_assertion()
                ).officer
            },
            door.RejectBinding: lambda op: {
                "state": self.bind.reject(op.session, op.binding, reason=op.reason).state.value
            },
            door.EndBinding: lambda op: {"state": self.bind.end(op.session, op.binding, reason=op.reason).state.value},
        }

    def _sign_in(self, op: door.SignInByCertificate) -> dict[str, Any]:
        token, officer = self.sign_in(op.challenge, op.certificate, op.voucher, source=op.source)
        return {"token": token, "officer": officer_fields(officer)}

    def _show(self, op: door.ShowBinding) -> dict[str, Any]:
        view = self.bind.show(op.session, op.binding)
        binding = view.binding
        return {
            "fields": binding.fields(),
            "digest": encode_base64(binding.digest()),
            "state": binding.state.value,
            "flaw": view.flaw,
            "decided_by": binding.decided_by,
            "decision_reason": binding.decision_reason,
            "challenge": encode_base64(view.challenge),
            "may_approve": view.may_approve,
            "yours": view.is_yours,
        }
