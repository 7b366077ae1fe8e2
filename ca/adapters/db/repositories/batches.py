"""Batches of applications in the database."""

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.case_rows import BatchRow
from ca.adapters.db.repositories.statements import find_row, insert_row
from ca.domain.batches import Batch
from ca.domain.errors import NotFound, Tampered
from ca.domain.times import instant


class SqlBatches:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, batch_id: str) -> tuple[Batch, bytes]:
        row = find_row(self._session, select(BatchRow).where(BatchRow.id == batch_id))
        if row is None:
            raise NotFound(f"there is no batch {batch_id}")
        return _to_batch(row), row.seal

    def add(self, batch: Batch, seal: bytes) -> None:
        values = {
            "id": batch.id,
            "company_name": batch.company_name,
            "profile": batch.profile,
            "branch": batch.branch,
            "maker_person": batch.maker_person,
            "maker_name": batch.maker_name,
            "submitted_at": batch.submitted_at,
            "size": len(batch.cases),
            "batch_json": batch.sealed_fields().decode(),
            "seal": seal,
        }
        insert_row(self._session, BatchRow, values)


def _to_batch(row: BatchRow) -> Batch:
    try:
        fields = json.loads(row.batch_json)
        fields["submitted_at"] = instant(fields["submitted_at"])
        fields["cases"] = tuple((application, digest) for application, digest in fields["cases"])
        batch = Batch(**fields)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise Tampered(f"batch {row.id} cannot be read: somebody changed the record") from error
    if batch.id != row.id:
        raise Tampered(f"batch {row.id} holds another batch: somebody changed the record")
    return batch
