"""Certificates bound to officers in the database."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values, known, serial_number, serial_text
from ca.adapters.db.officer_rows import CertificateBindingRow
from ca.adapters.db.repositories.statements import find_row, list_rows, save_newer
from ca.domain.bindings import BindingState, CertificateBinding


class SqlBindings:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, binding_id: str) -> tuple[CertificateBinding, bytes] | None:
        row = find_row(self._session, select(CertificateBindingRow).where(CertificateBindingRow.id == binding_id))
        return (_binding(row), row.seal) if row else None

    def list_bound(self, serial: int) -> Sequence[tuple[CertificateBinding, bytes]]:
        bound = select(CertificateBindingRow).where(
            CertificateBindingRow.serial == serial_text(serial),
            CertificateBindingRow.state == BindingState.BOUND.value,
        )
        return [(_binding(row), row.seal) for row in list_rows(self._session, bound)]

    def save(self, binding: CertificateBinding, seal: bytes) -> None:
        values: Values = {
            "version": binding.version,
            "officer": binding.officer,
            "person": binding.person,
            "name": binding.name,
            "serial": serial_text(binding.serial),
            "fingerprint": binding.fingerprint,
            "subject": binding.subject,
            "reason": binding.reason,
            "proposed_by": binding.proposed_by,
            "proposed_at": binding.proposed_at,
            "expires_at": binding.expires_at,
            "state": binding.state.value,
            "decided_by": binding.decided_by,
            "decision_reason": binding.decision_reason,
            "seal": seal,
        }
        refusal = "this binding was just decided by somebody else; look again"
        save_newer(self._session, CertificateBindingRow, {"id": binding.id}, values, counter="version", refusal=refusal)


def _binding(row: CertificateBindingRow) -> CertificateBinding:
    return CertificateBinding(
        id=row.id,
        version=row.version,
        officer=row.officer,
        person=row.person,
        name=row.name,
        serial=serial_number(row.serial),
        fingerprint=row.fingerprint,
        subject=row.subject,
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        state=known(BindingState, row.state, f"binding {row.id}"),
        decided_by=row.decided_by,
        decision_reason=row.decision_reason,
    )
