"""Cases to unlock a U-Shield in the database."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values, known
from ca.adapters.db.repositories.statements import find_row, list_rows, save_newer
from ca.adapters.db.unlock_rows import UnlockRow
from ca.domain.unlocking import UnlockCase, UnlockState


class SqlUnlocks:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, reference: str) -> tuple[UnlockCase, bytes] | None:
        row = find_row(self._session, select(UnlockRow).where(UnlockRow.reference == reference), lock=True)
        return (_case(row), row.seal) if row else None

    def list_by_device(self, device_serial: str) -> Sequence[tuple[UnlockCase, bytes]]:
        wanted = select(UnlockRow).where(UnlockRow.device_serial == device_serial)
        in_order = wanted.order_by(UnlockRow.opened_at.desc(), UnlockRow.reference)
        return [(_case(row), row.seal) for row in list_rows(self._session, in_order)]

    def save(self, case: UnlockCase, seal: bytes) -> None:
        values: Values = {
            "version": case.version,
            "device_serial": case.device_serial,
            "customer": case.customer,
            "branch": case.branch,
            "reason": case.reason,
            "maker_person": case.maker_person,
            "opened_at": case.opened_at,
            "expires_at": case.expires_at,
            "state": case.state.value,
            "code_mac": case.code_mac,
            "approved_by": case.approved_by,
            "attempts_left": case.attempts_left,
            "answers": case.answers,
            "seal": seal,
        }
        refusal = "this unlock was just changed; look again"
        save_newer(self._session, UnlockRow, {"reference": case.reference}, values, counter="version", refusal=refusal)


def _case(row: UnlockRow) -> UnlockCase:
    return UnlockCase(
        reference=row.reference,
        version=row.version,
        device_serial=row.device_serial,
        customer=row.customer,
        branch=row.branch,
        reason=row.reason,
        maker_person=row.maker_person,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        state=known(UnlockState, row.state, f"unlock {row.reference}"),
        code_mac=row.code_mac,
        approved_by=row.approved_by,
        attempts_left=row.attempts_left,
        answers=row.answers,
    )
