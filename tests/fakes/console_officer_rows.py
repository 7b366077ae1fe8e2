"""Rows about officers for a console without a signer: changes of them, certificates bound to them, recovery codes."""

from datetime import timedelta
from typing import Any

from ca.adapters.db import officer_rows, rows
from tests.fakes.console_signer import NOW


def a_binding_row(binding: str, **changes: Any) -> officer_rows.CertificateBindingRow:
    fields: dict[str, Any] = {
        "id": binding,
        "version": 1,
        "officer": "maker",
        "person": "E-maker",
        "name": "Maria Lin",
        "serial": "a" * 31,  # the active certificate of the console
        "fingerprint": "ab" * 32,
        "subject": "CN=Maria Lin,OU=Officers of Pudong,O=Demo Bank,C=CN",
        "reason": "a U-Shield of hers",
        "proposed_by": "E-other",
        "proposed_at": NOW - timedelta(hours=1),
        "expires_at": NOW + timedelta(days=6),
        "state": "proposed",
        "decided_by": "",
        "decision_reason": "",
        "seal": b"s",
    }
    return officer_rows.CertificateBindingRow(**fields | changes)


def an_officer_change(change: str, **changes: Any) -> officer_rows.OfficerChangeRow:
    fields: dict[str, Any] = {
        "id": change,
        "version": 1,
        "officer": "maker",
        "officer_version": 1,
        "person": "E-maker",
        "name": "Maria Lin",
        "old_branch": "Pudong",
        "old_roles": "ra-operator",
        "branch": "Xuhui",
        "roles": "ra-approver,ra-operator",
        "reason": "moves to Xuhui",
        "proposed_by": "E-other",
        "proposed_at": NOW - timedelta(days=1),
        "expires_at": NOW + timedelta(days=6),
        "state": "proposed",
        "decided_by": "",
        "decision_reason": "",
        "seal": b"s",
    }
    return officer_rows.OfficerChangeRow(**fields | changes)


def officer_changes() -> list[rows.Row]:
    return [
        an_officer_change("change-1"),
        an_officer_change("change-void", officer_version=7),
        an_officer_change("change-late", expires_at=NOW - timedelta(days=1)),
        an_officer_change("change-mine", proposed_by="E-security"),
        an_officer_change(
            "change-back", officer="away", officer_version=2, person="E-away", name="Wei Luo", branch="Pudong",
            roles="ra-approver", old_roles="ra-approver", reason="back from leave", reinstates=True,
        ),
        a_binding_row("binding-1"),
        a_binding_row("binding-late", subject="CN=Too late", expires_at=NOW - timedelta(days=1)),
        a_binding_row("binding-bound", subject="CN=Maria Lin on a U-Shield", state="bound", decided_by="E-security"),
        officer_rows.RecoveryCodesRow(
            officer="maker",
            version=2,
            macs=b"m" * 32,
            made_at=NOW - timedelta(days=30),
            used_at=NOW - timedelta(hours=2),
            misses=0,
            missed_at=None,
            seal=b"s",
        ),
    ]  # fmt: skip
