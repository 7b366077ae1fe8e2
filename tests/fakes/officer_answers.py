"""What the console's fake signer answers about officers' roles and access: always the same, whoever asks."""

# ruff: noqa: N802 - methods are named after the operations they answer

import base64
from typing import Any

from ca import door_operations as door_ops
from ca import officer_operations as own_ops


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


class OfficerAnswers:
    """A part of `FakeSigner`, which knows the officers and finds `_who` asks."""

    def _ProposeOfficerChange(self, operation: own_ops.ProposeOfficerChange) -> dict[str, Any]:
        self._who(operation)
        return {"change": "change-1"}

    def _ProposeReinstatement(self, operation: own_ops.ProposeReinstatement) -> dict[str, Any]:
        self._who(operation)
        return {"change": "change-back"}

    def _ShowOfficerChange(self, operation: own_ops.ShowOfficerChange) -> dict[str, Any]:
        self._who(operation)
        fields = {
            "id": operation.change,
            "officer": "maker",
            "person": "E-maker",
            "name": "Maria Lin",
            "old_branch": "Pudong",
            "old_roles": ["ra-operator"],
            "branch": "Xuhui",
            "roles": ["ra-approver", "ra-operator"],
            "reason": "moves to Xuhui",
            "proposed_by": "E-other",
            "proposed_at": "2026-11-22T07:04:05Z",
            "expires_at": "2026-11-29T07:04:05Z",
        }
        reinstates = operation.change == "change-back"
        if reinstates:
            fields |= {"officer": "away", "person": "E-away", "name": "Wei Luo", "reason": "back from leave"}
            fields |= {"old_roles": ["ra-approver"], "roles": ["ra-approver"], "branch": "Pudong"}
        return {
            "fields": fields, "digest": b64(b"d" * 32), "state": "proposed", "reinstates": reinstates, "void": False,
            "decided_by": "", "decision_reason": "", "challenge": b64(b"r" * 32), "may_approve": True,
        }  # fmt: skip

    def _ApproveOfficerChange(self, operation: own_ops.ApproveOfficerChange) -> dict[str, Any]:
        self._who(operation)
        return {"officer": self.officers["maker"]}

    def _RejectOfficerChange(self, operation: own_ops.RejectOfficerChange) -> dict[str, Any]:
        self._who(operation)
        return {"state": "rejected"}

    def _ProposeBinding(self, operation: door_ops.ProposeBinding) -> dict[str, Any]:
        self._who(operation)
        return {"binding": "binding-1"}

    def _ShowBinding(self, operation: door_ops.ShowBinding) -> dict[str, Any]:
        who = self._who(operation)
        fields = {
            "id": operation.binding,
            "officer": "maker",
            "person": "E-maker",
            "name": "Maria Lin",
            "serial": "a" * 31,
            "fingerprint": "ab" * 32,
            "subject": "CN=Maria Lin,OU=Officers of Pudong,O=Demo Bank,C=CN",
            "reason": "a U-Shield of hers",
            "proposed_by": "E-other",
            "proposed_at": "2026-11-22T07:04:05Z",
            "expires_at": "2026-11-29T07:04:05Z",
        }
        bound = operation.binding == "binding-bound"
        return {
            "fields": fields, "digest": b64(b"d" * 32), "state": "bound" if bound else "proposed", "flaw": "",
            "decided_by": "E-security" if bound else "", "decision_reason": "", "challenge": b64(b"b" * 32),
            "may_approve": not bound, "yours": who["person"] == "E-maker",
        }  # fmt: skip

    def _ApproveBinding(self, operation: door_ops.ApproveBinding) -> dict[str, Any]:
        self._who(operation)
        return {"officer": "maker"}

    def _RejectBinding(self, operation: door_ops.RejectBinding) -> dict[str, Any]:
        self._who(operation)
        return {"state": "rejected"}

    def _EndBinding(self, operation: door_ops.EndBinding) -> dict[str, Any]:
        self._who(operation)
        return {"state": "ended"}

    def _CertificateChallenge(self, _operation: door_ops.CertificateChallenge) -> dict[str, Any]:
        return {"challenge": b64(b"z" * 32)}

    def _ShowAccess(self, operation: own_ops.ShowAccess) -> dict[str, Any]:
        self._who(operation)
        passkeys = [
            {"id": b64(b"c1"), "label": "office laptop", "used_at": "2026-11-23T06:00:00Z"},
            {"id": b64(b"c2"), "label": "blue key", "used_at": None},
        ]
        session = {"began_at": "2026-11-23T06:00:00Z", "seen_at": "2026-11-23T07:00:00Z"}
        sessions = [
            session | {"id": "aa" * 8, "source": "192.0.2.7", "certificate": True, "this": True},
            session | {"id": "bb" * 8, "source": "", "certificate": False, "this": False},
        ]
        recovery = {"left": 9, "made_at": "2026-11-01T06:00:00Z", "used_at": "2026-11-22T06:00:00Z"}
        return {
            "passkeys": passkeys, "sessions": sessions, "recovery": recovery,
            "stepped_up_until": "2026-11-23T07:06:00Z",
        }  # fmt: skip

    def _StepUpChallenge(self, operation: own_ops.StepUpChallenge) -> dict[str, Any]:
        self._who(operation)
        return {"challenge": b64(b"s" * 32)}

    def _StepUp(self, operation: own_ops.StepUp) -> dict[str, Any]:
        self._who(operation)
        return {"token": "fresh-token"}

    def _NewPasskey(self, operation: own_ops.NewPasskey) -> dict[str, Any]:
        who = self._who(operation)
        return {"challenge": b64(b"n" * 32), "person": who["person"], "name": who["name"], "known": [b64(b"c1")]}

    def _nothing(self, operation: Any) -> dict[str, Any]:
        self._who(operation)
        return {}

    _AddPasskey = _RemovePasskey = _EndOwnSession = _nothing

    def _MakeRecoveryCodes(self, operation: own_ops.MakeRecoveryCodes) -> dict[str, Any]:
        self._who(operation)
        return {"codes": [f"7KQM-3F9X-2TBD-9WQX-{number:04}" for number in range(10)]}

    def _OpenRecovery(self, operation: own_ops.OpenRecovery) -> dict[str, Any]:
        return {"challenge": b64(b"o" * 32), "person": operation.person, "name": "Maria Lin"}

    def _Recover(self, _operation: own_ops.Recover) -> dict[str, Any]:
        return {}

    def _ended(self, operation: Any) -> dict[str, Any]:
        self._who(operation)
        return {"ended": 3}

    _EndOwnOtherSessions = _EndSessionsOf = _EndAllSessions = _ended
