"""What the console's fake signer answers about revocations that two officers decide, and the rows of two of them."""

# ruff: noqa: N802 - methods are named after the operations they answer

import base64
from datetime import timedelta
from typing import Any

from ca import certificate_operations as own_ops
from ca.adapters.db.revocation_rows import RevocationCaseRow
from ca.domain.errors import NotFound
from tests.fakes.console_authority import NOW

SUBJECT = "CN=Zhang Wei,O=Demo Bank,C=CN"
CASE, LATE = "revocation-1", "revocation-late"
WAITING, UNDECIDED = "8a" * 16, "8b" * 16
"""Certificates on hold: one waits for a second officer, for the other nobody decided in time."""


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def a_case_row(case: str, serial: str, **changes: Any) -> RevocationCaseRow:
    """Proposed by the other approver of Pudong, and open for six days still."""
    fields: dict[str, Any] = {
        "id": case,
        "version": 1,
        "serial": serial,
        "subject": SUBJECT,
        "branch": "Pudong",
        "reason": 5,
        "invalid_since": NOW - timedelta(days=3),
        "why": "the account was closed",
        "held_since": NOW - timedelta(days=1),
        "proposed_by": "E-both",
        "proposed_at": NOW - timedelta(days=1),
        "expires_at": NOW + timedelta(days=6),
        "state": "proposed",
        "decided_by": "",
        "decision_reason": "",
        "seal": b"s",
    }
    return RevocationCaseRow(**fields | changes)


class RevocationAnswers:
    """A part of `FakeSigner`, which knows the officers and finds `_who` asks."""

    by_two: bool
    """What the profile asks for."""

    def _ForeseeRevocation(self, operation: own_ops.ForeseeRevocation) -> dict[str, Any]:
        self._who(operation)
        return {"by_two": self.by_two}

    def _ShowRevocation(self, operation: own_ops.ShowRevocation) -> dict[str, Any]:
        who = self._who(operation)
        if operation.case not in (CASE, LATE):
            raise NotFound("there is no such revocation at your branch")
        is_late = operation.case == LATE
        fields = {
            "id": operation.case,
            "serial": UNDECIDED if is_late else WAITING,
            "subject": SUBJECT,
            "branch": "Pudong",
            "reason": "cessationOfOperation",
            "invalid_since": "2026-11-20T07:04:05Z",
            "why": "the account was closed",
            "held_since": "2026-11-22T07:04:05Z",
            "proposed_by": "E-both",
            "proposed_at": "2026-11-22T07:04:05Z",
            "expires_at": "2026-11-29T07:04:05Z",
        }
        return {
            "fields": fields, "digest": b64(b"d" * 32), "state": "proposed", "status": "on-hold", "late": is_late,
            "changed": False, "decided_by": "", "decision_reason": "", "challenge": b64(b"v" * 32),
            "may_approve": not is_late and who["person"] != "E-both",
        }  # fmt: skip

    def _ApproveRevocation(self, operation: own_ops.ApproveRevocation) -> dict[str, Any]:
        self._who(operation)
        return {"serial": WAITING, "status": "revoked"}

    def _RejectRevocation(self, operation: own_ops.RejectRevocation) -> dict[str, Any]:
        self._who(operation)
        return {"state": "rejected"}
