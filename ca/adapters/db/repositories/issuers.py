"""Issuing CAs, their CRLs and the blocked keys in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.certificates import crl_values, issuer_values, to_crl, to_issuer
from ca.adapters.db.repositories.statements import add_row, change_row, find_row, insert_missing, list_rows, put_row
from ca.adapters.db.rows import BlockedKeyRow, CRLDueRow, CRLRow, IssuerRow
from ca.domain.crl import CRLRecord
from ca.domain.errors import NotFound, Tampered
from ca.domain.issuers import Issuer


class SqlIssuers:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, name: str) -> Issuer:
        row = find_row(self._session, select(IssuerRow).where(IssuerRow.name == name))
        if row is None:
            raise NotFound(f"there is no issuing CA named {name}")
        return to_issuer(row)

    def take_turn(self, name: str) -> None:
        if find_row(self._session, select(IssuerRow).where(IssuerRow.name == name), lock=True) is None:
            raise NotFound(f"there is no issuing CA named {name}")

    def list(self) -> Sequence[Issuer]:
        return [to_issuer(row) for row in list_rows(self._session, select(IssuerRow).order_by(IssuerRow.name))]

    def save(self, issuer: Issuer) -> None:
        put_row(
            self._session,
            IssuerRow,
            {"name": issuer.name},
            issuer_values(issuer),
            refusal=f"issuing CA {issuer.name} was just made by somebody else",
        )


class SqlCRLs:
    def __init__(self, session: Session) -> None:
        self._session = session

    def last(self, issuer: str) -> CRLRecord | None:
        # Lock first, read afterwards: who waited must see the number that was given meanwhile.
        self._locked(issuer)
        row = find_row(self._session, select(CRLRow).where(CRLRow.issuer == issuer).order_by(CRLRow.number.desc()))
        return to_crl(row) if row else None

    def last_made(self, issuer: str) -> datetime | None:
        newest_first = select(CRLRow.this_update).where(CRLRow.issuer == issuer).order_by(CRLRow.number.desc())
        return self._session.scalars(newest_first.limit(1)).first()

    def add(self, record: CRLRecord) -> None:
        add_row(
            self._session,
            CRLRow,
            crl_values(record),
            refusal=f"CRL {record.number} of {record.issuer} exists already",
        )

    def take_number(self, issuer: str, above: int) -> int:
        number = max(above, self._locked(issuer).number) + 1
        change_row(self._session, CRLDueRow, {"issuer": issuer}, {"number": number})
        return number

    def last_number(self, issuer: str) -> int:
        row = self._find(issuer)
        return row.number if row else 0

    def is_due(self, issuer: str) -> bool:
        row = self._find(issuer)
        return row is not None and row.due

    def set_due(self, issuer: str, *, due: bool) -> None:
        self._locked(issuer)
        change_row(self._session, CRLDueRow, {"issuer": issuer}, {"due": due})

    def _find(self, issuer: str) -> CRLDueRow | None:
        return find_row(self._session, select(CRLDueRow).where(CRLDueRow.issuer == issuer))

    def _locked(self, issuer: str) -> CRLDueRow:
        insert_missing(self._session, CRLDueRow, {"issuer": issuer, "due": False, "number": 0})
        row = find_row(self._session, select(CRLDueRow).where(CRLDueRow.issuer == issuer), lock=True)
        if row is None:
            raise Tampered(f"the CRL number of {issuer} disappeared while it was being used")
        return row


class SqlBlockedKeys:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, fingerprint: str) -> str | None:
        row = find_row(self._session, select(BlockedKeyRow).where(BlockedKeyRow.fingerprint == fingerprint))
        return row.reason if row else None

    def add(self, fingerprint: str, reason: str, at: datetime) -> None:
        """The first reason stays: it is why certificates were refused since."""
        insert_missing(self._session, BlockedKeyRow, {"fingerprint": fingerprint, "reason": reason, "blocked_at": at})
