"""CRLs and their numbers in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.crls import crl_values, to_crl
from ca.adapters.db.repositories.numbering import find_numbering, lock_numbering
from ca.adapters.db.repositories.statements import add_row, change_row, find_row, insert_missing, list_rows
from ca.adapters.db.rows import CRLDueRow, CRLPartitionRow, CRLRow
from ca.domain.crl import CRLRecord, CRLScope


class SqlCRLs:
    def __init__(self, session: Session) -> None:
        self._session = session

    def last(self, issuer: str) -> CRLRecord | None:
        # Lock first, read afterwards: who waited must see the number that was given meanwhile.
        lock_numbering(self._session, issuer)
        row = find_row(self._session, select(CRLRow).where(CRLRow.issuer == issuer).order_by(CRLRow.number.desc()))
        return to_crl(row) if row else None

    def last_made(self, issuer: str) -> datetime | None:
        newest_first = select(CRLRow.this_update).where(CRLRow.issuer == issuer).order_by(CRLRow.number.desc())
        return self._session.scalars(newest_first.limit(1)).first()

    def find_last(self, scope: CRLScope) -> CRLRecord | None:
        row = find_row(self._session, _newest_first(scope))
        return to_crl(row) if row else None

    def find_published(self, scope: CRLScope, by: datetime) -> CRLRecord | None:
        published = select(CRLRow).where(CRLRow.name == scope.name, CRLRow.published)
        old_enough = published.where(CRLRow.this_update <= by).order_by(CRLRow.number.desc())
        row = find_row(self._session, old_enough) or find_row(self._session, published.order_by(CRLRow.number))
        return to_crl(row) if row else None

    def add(self, record: CRLRecord) -> None:
        add_row(
            self._session,
            CRLRow,
            crl_values(record),
            refusal=f"CRL {record.number} of {record.scope.name} exists already",
        )

    def mark_published(self, record: CRLRecord) -> None:
        key = {"name": record.scope.name, "number": record.number}
        change_row(self._session, CRLRow, key, {"published": True})

    def add_partition(self, issuer: str, partition: int, url: str) -> None:
        insert_missing(self._session, CRLPartitionRow, {"issuer": issuer, "partition": partition, "url": url})

    def list_partitions(self, issuer: str) -> Mapping[int, Sequence[str]]:
        wanted = select(CRLPartitionRow).where(CRLPartitionRow.issuer == issuer)
        found: dict[int, list[str]] = {}
        for row in list_rows(self._session, wanted.order_by(CRLPartitionRow.partition, CRLPartitionRow.url)):
            found.setdefault(row.partition, []).append(row.url)
        return found

    def take_number(self, issuer: str, above: int) -> int:
        number = max(above, lock_numbering(self._session, issuer).number) + 1
        change_row(self._session, CRLDueRow, {"issuer": issuer}, {"number": number})
        return number

    def last_number(self, issuer: str) -> int:
        row = find_numbering(self._session, issuer)
        return row.number if row else 0

    def is_due(self, issuer: str) -> bool:
        row = find_numbering(self._session, issuer)
        return row is not None and row.due

    def set_due(self, issuer: str, *, due: bool) -> None:
        lock_numbering(self._session, issuer)
        change_row(self._session, CRLDueRow, {"issuer": issuer}, {"due": due})


def _newest_first(scope: CRLScope) -> Select[CRLRow]:
    return select(CRLRow).where(CRLRow.name == scope.name).order_by(CRLRow.number.desc())
