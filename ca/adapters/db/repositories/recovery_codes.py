"""Officers' recovery codes in the database."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values
from ca.adapters.db.officer_rows import RecoveryCodesRow
from ca.adapters.db.repositories.statements import find_row, save_newer
from ca.domain.recovery import RecoveryCodes

_MAC_OCTETS = 32


class SqlRecoveryCodeSets:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, officer: str) -> tuple[RecoveryCodes, bytes] | None:
        row = find_row(self._session, select(RecoveryCodesRow).where(RecoveryCodesRow.officer == officer), lock=True)
        return (_codes(row), row.seal) if row else None

    def save(self, codes: RecoveryCodes, seal: bytes) -> None:
        values: Values = {
            "version": codes.version,
            "macs": b"".join(codes.macs),
            "made_at": codes.made_at,
            "used_at": codes.used_at,
            "misses": codes.misses,
            "missed_at": codes.missed_at,
            "seal": seal,
        }
        key, refusal = {"officer": codes.officer}, "these recovery codes were just used or made anew; look again"
        save_newer(self._session, RecoveryCodesRow, key, values, counter="version", refusal=refusal)


def _codes(row: RecoveryCodesRow) -> RecoveryCodes:
    return RecoveryCodes(
        officer=row.officer,
        version=row.version,
        macs=tuple(row.macs[at : at + _MAC_OCTETS] for at in range(0, len(row.macs), _MAC_OCTETS)),
        made_at=row.made_at,
        used_at=row.used_at,
        misses=row.misses,
        missed_at=row.missed_at,
    )
