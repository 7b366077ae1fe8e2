"""Revocations that a second officer decides, in the database."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values, known
from ca.adapters.db.repositories.statements import find_row, list_rows, save_newer
from ca.adapters.db.revocation_rows import RevocationCaseRow
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.revocation import RevocationReason
from ca.domain.revocation_cases import RevocationCase, RevocationCaseState
from ca.domain.serials import parse_serial, serial_text


class SqlRevocationCases:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, case_id: str) -> tuple[RevocationCase, bytes] | None:
        row = find_row(self._session, select(RevocationCaseRow).where(RevocationCaseRow.id == case_id))
        return (_case(row), row.seal) if row else None

    def list_of(self, serial: int) -> Sequence[tuple[RevocationCase, bytes]]:
        wanted = select(RevocationCaseRow).where(RevocationCaseRow.serial == serial_text(serial))
        in_order = wanted.order_by(RevocationCaseRow.proposed_at.desc(), RevocationCaseRow.id.desc())
        return [(_case(row), row.seal) for row in list_rows(self._session, in_order)]

    def save(self, case: RevocationCase, seal: bytes) -> None:
        values: Values = {
            "version": case.version,
            "serial": serial_text(case.serial),
            "subject": case.subject,
            "branch": case.branch,
            "reason": case.reason.value,
            "invalid_since": case.invalid_since,
            "why": case.why,
            "held_since": case.held_since,
            "proposed_by": case.proposed_by,
            "proposed_at": case.proposed_at,
            "expires_at": case.expires_at,
            "state": case.state.value,
            "decided_by": case.decided_by,
            "decision_reason": case.decision_reason,
            "seal": seal,
        }
        refusal = "this revocation was just decided by somebody else; look again"
        save_newer(self._session, RevocationCaseRow, {"id": case.id}, values, counter="version", refusal=refusal)


def _case(row: RevocationCaseRow) -> RevocationCase:
    where = f"revocation {row.id}"
    try:
        return RevocationCase(
            id=row.id,
            version=row.version,
            serial=parse_serial(row.serial),
            subject=row.subject,
            branch=row.branch,
            reason=RevocationReason(row.reason),
            invalid_since=row.invalid_since,
            why=row.why,
            held_since=row.held_since,
            proposed_by=row.proposed_by,
            proposed_at=row.proposed_at,
            expires_at=row.expires_at,
            state=known(RevocationCaseState, row.state, where),
            decided_by=row.decided_by,
            decision_reason=row.decision_reason,
        )
    except (InvalidRequest, ValueError) as error:
        raise Tampered(f"{where} is none that the signer wrote: {error}") from error
