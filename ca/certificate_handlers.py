"""Which use case answers which operation on one certificate. No rule lives here."""

from dataclasses import dataclass
from typing import Any

from ca import operations as ops
from ca.certificate_operations import (
    ApproveRevocation,
    ExamineCertificate,
    ForeseeRevocation,
    RejectRevocation,
    ShowRevocation,
    UndoHold,
)
from ca.domain.certificates import Certificate
from ca.domain.decisions import Act, Evidence
from ca.domain.revocation import parse_reason
from ca.domain.serials import parse_serial, serial_text
from ca.domain.times import parse_instant, timestamp
from ca.operations import encode_base64
from ca.signer import Handler
from ca.usecases import examine
from ca.usecases.ended_by_two import SecondDecision
from ca.usecases.revoke_by_two import DecideOnRevocation


@dataclass(frozen=True)
class OneCertificate:
    """The use cases of an officer before one certificate."""

    decide: DecideOnRevocation
    examine: examine.ExamineCertificate

    def table(self) -> dict[type[ops.Operation], Handler]:
        """Every operation with what answers it."""
        change = self.decide.change_status
        return {
            ExamineCertificate: self._examine,
            ops.Hold: lambda op: told_status(change.hold(op.session, parse_serial(op.serial))),
            UndoHold: lambda op: told_status(change.undo_hold(op.session, parse_serial(op.serial))),
            ops.Release: lambda op: told_status(change.release(op.session, parse_serial(op.serial))),
            ops.Revoke: self._revoke,
            ForeseeRevocation: lambda op: {"by_two": change.is_by_two(op.session, parse_serial(op.serial))},
            ShowRevocation: self._show,
            ApproveRevocation: lambda op: told_status(
                self.decide.approve(op.session, op.case, case_digest=op.digest, assertion=op.assertion.to_assertion())
            ),
            RejectRevocation: lambda op: {
                "state": self.decide.reject(op.session, op.case, reason=op.reason).state.value
            },
        }

    def _examine(self, op: ExamineCertificate) -> dict[str, Any]:
        found = self.examine(op.session, parse_serial(op.serial))
        return {
            "findings": list(found.findings),
            "approvals": [_told_approval(*one) for one in found.approvals],
            "ended_by_two": found.ended_by_two and _told_second(found.ended_by_two),
            "request_wrong": found.request_wrong,
        }

    def _revoke(self, op: ops.Revoke) -> dict[str, Any]:
        since = parse_instant(op.invalid_since) if op.invalid_since else None
        serial, reason = parse_serial(op.serial), parse_reason(op.reason)
        return told_status(self.decide.change_status.revoke(op.session, serial, reason, since, op.why))

    def _show(self, op: ShowRevocation) -> dict[str, Any]:
        shown = self.decide.show(op.session, op.case)
        case = shown.case
        return {
            "fields": case.fields(),
            "digest": encode_base64(case.digest()),
            "state": case.state.value,
            "status": shown.certificate.status.value,
            "late": shown.is_late,
            "changed": shown.is_changed,
            "decided_by": case.decided_by,
            "decision_reason": case.decision_reason,
            "challenge": encode_base64(shown.challenge),
            "may_approve": shown.may_approve,
        }


def _told_approval(evidence: Evidence, wrong: str) -> dict[str, Any]:
    decision = evidence.decision
    return {
        "act": decision.act.value,
        "officer": decision.officer,
        "person": decision.person,
        "at": timestamp(evidence.at),
        "digest": decision.subject_digest.hex(),
        "passkey": evidence.assertion.credential_id.hex(),
        "wrong": wrong,
    }


def _told_second(decision: SecondDecision) -> dict[str, Any]:
    return {
        "act": Act.APPROVE_REVOCATION.value,
        "case": decision.case,
        "person": decision.person,
        "at": timestamp(decision.at),
        "digest": decision.digest,
        "wrong": decision.wrong,
    }


def told_status(certificate: Certificate) -> dict[str, Any]:
    """How it stands now."""
    return {"serial": serial_text(certificate.serial), "status": certificate.status.value}
