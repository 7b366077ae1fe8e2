"""Bundles in the database: the newest of each kind, and the numbers taken."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.bundle_rows import BundleNumberRow, BundleRow
from ca.adapters.db.repositories.statements import change_row, find_row, insert_missing, put_row
from ca.domain.bundle import BundleKind, BundleRecord
from ca.domain.errors import InvalidTransition, Tampered


class SqlBundles:
    def __init__(self, session: Session) -> None:
        self._session = session

    def last(self, issuer: str, kind: BundleKind) -> BundleRecord | None:
        wanted = select(BundleRow).where(BundleRow.issuer == issuer, BundleRow.kind == kind.value)
        row = find_row(self._session, wanted)
        if row is None:
            return None
        return BundleRecord(
            issuer=row.issuer,
            kind=kind,
            number=row.number,
            this_update=row.this_update,
            next_update=row.next_update,
            crl_number=row.crl_number,
            content=row.content,
        )

    def take_number(self, issuer: str, above: int) -> int:
        number = max(above, self._locked(issuer).number) + 1
        change_row(self._session, BundleNumberRow, {"issuer": issuer}, {"number": number})
        return number

    def last_number(self, issuer: str) -> int:
        row = find_row(self._session, select(BundleNumberRow).where(BundleNumberRow.issuer == issuer))
        return row.number if row else 0

    def put(self, record: BundleRecord) -> None:
        self._locked(record.issuer)
        last = self.last(record.issuer, record.kind)
        refusal = f"{record.kind} {record.number} of {record.issuer} is not newer than the last one"
        if last is not None and last.number >= record.number:
            raise InvalidTransition(refusal)
        put_row(
            self._session,
            BundleRow,
            {"issuer": record.issuer, "kind": record.kind.value},
            {
                "number": record.number,
                "this_update": record.this_update,
                "next_update": record.next_update,
                "crl_number": record.crl_number,
                "content": record.content,
            },
            refusal=refusal,
        )

    def _locked(self, issuer: str) -> BundleNumberRow:
        insert_missing(self._session, BundleNumberRow, {"issuer": issuer, "number": 0})
        row = find_row(self._session, select(BundleNumberRow).where(BundleNumberRow.issuer == issuer), lock=True)
        if row is None:
            raise Tampered(f"the bundle number of {issuer} disappeared while it was being used")
        return row
