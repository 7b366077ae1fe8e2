"""What a certificate's page shows besides its row: its life, chain, proofs, request, receipts, what can be undone."""

from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from admin.chain import chain_of
from admin.decoding import decoded, decoded_request
from admin.errors import sentence
from admin.policy import policy
from admin.signer import ask, officer
from admin.views.base import newest
from ca.adapters.db.log_rows import AuditEventRow
from ca.adapters.db.portal_rows import CancellationRow
from ca.adapters.db.receipt_rows import ReceiptRow
from ca.adapters.db.repositories.receipts import receipt_of
from ca.adapters.db.revocation_rows import RevocationCaseRow
from ca.adapters.db.rows import CertificateRow, DeviceRow, IntentRow, db
from ca.certificate_operations import ExamineCertificate
from ca.domain.accounts import CancellationState
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import InvalidRequest, PKIError
from ca.domain.requests import CertificationRequest
from ca.domain.revocation_cases import RevocationCaseState

_LONGEST_LIFE = 60


def page_of(row: CertificateRow) -> dict[str, Any]:
    """For `certificate.html`. The signer is asked once."""
    intent = next(iter(newest(IntentRow, IntentRow.serial == row.serial, IntentRow.id)), None)
    receipts = newest(ReceiptRow, ReceiptRow.serial == row.serial, ReceiptRow.changed_at)
    cases = newest(RevocationCaseRow, RevocationCaseRow.serial == row.serial, RevocationCaseRow.proposed_at)
    return {
        **_examined(row),
        "heading": row.subject,
        "receipts": [receipt_of(one) for one in receipts],
        "revocations": cases,
        "waiting": next((case for case in cases if _waits(case)), None),
        "cancellation": _open_cancellation(row.serial),
        "decoded": decoded(row.der),
        "chain": [link for link, _der in chain_of(row.der)],
        "device": next(iter(newest(DeviceRow, DeviceRow.serial == row.device_serial, DeviceRow.id)), None),
        "intent": intent,
        "asked": _request(intent.request_der) if intent and intent.request_der else None,
        "undo_until": _undo_until(row.serial),
        "decide_hold_by": _decide_hold_by(row),
        "timeline": _timeline({row.serial, row.application} - {"", None}),
    }


def _timeline(subjects: set[str]) -> list[AuditEventRow]:
    """What happened, in the log's order; of what happens without end the youngest."""
    about = select(AuditEventRow).where(AuditEventRow.subject.in_(subjects), ~AuditEventRow.name.startswith("receipt."))
    return list(reversed(db.session.scalars(about.order_by(AuditEventRow.number.desc()).limit(_LONGEST_LIFE)).all()))


def _request(der: bytes) -> dict[str, Any]:
    """What was asked for; the profile decided what was given. One that says of its key what must not be was refused."""
    try:
        asked = CertificationRequest.parse(der)
    except InvalidRequest:
        return {"facts": decoded_request(der), "is_signed": False, "tells_birth": False}
    return {"facts": decoded_request(der), "is_signed": True, "tells_birth": asked.birth is not None}


def _open_cancellation(serial: str) -> CancellationRow | None:
    found = db.session.get(CancellationRow, serial)
    return found if found is not None and found.state == CancellationState.OPEN.value else None


def _waits(case: RevocationCaseRow) -> bool:
    is_late = case.expires_at < current_app.extensions["vermilion_now"]()
    return case.state == RevocationCaseState.PROPOSED.value and not is_late


def _examined(row: CertificateRow) -> dict[str, Any]:
    """What the signer finds now: linter's findings, and approvals with their signatures verified again."""
    try:
        found = ask(ExamineCertificate, serial=row.serial)
    except PKIError as error:
        empty: dict[str, Any] = {"findings": [], "approvals": [], "ended_by_two": None, "request_wrong": ""}
        return empty | {"trouble": sentence(error)}
    return {"trouble": "", **{name: found[name] for name in ("findings", "approvals", "ended_by_two", "request_wrong")}}


def _decide_hold_by(row: CertificateRow) -> datetime | None:
    """Until when a supervisor is to release or revoke it, where it is on hold."""
    if row.status != CertificateStatus.ON_HOLD.value or row.revoked_at is None:
        return None
    until: datetime = row.revoked_at + policy().hold_longest
    return until


def _undo_until(serial: str) -> datetime | None:
    """Until when this officer can undo the own hold; the rule itself is in `ca/usecases/revoke.py`."""
    about = select(AuditEventRow).where(AuditEventRow.subject == serial, ~AuditEventRow.name.startswith("receipt."))
    last = db.session.scalars(about.order_by(AuditEventRow.number.desc()).limit(1)).first()
    if last is None or last.name != "certificate.held" or last.actor != officer().person:
        return None
    until: datetime = last.at + policy().hold_undo
    return until if current_app.extensions["vermilion_now"]() <= until else None
