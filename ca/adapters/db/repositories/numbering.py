"""The row that all CRLs of an issuer take their number from. Who holds its lock decides what the next one shows."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.repositories.statements import find_row, insert_missing
from ca.adapters.db.rows import CRLDueRow
from ca.domain.errors import Tampered


def find_numbering(session: Session, issuer: str) -> CRLDueRow | None:
    return find_row(session, select(CRLDueRow).where(CRLDueRow.issuer == issuer))


def lock_numbering(session: Session, issuer: str) -> CRLDueRow:
    """The row, held until the end of the transaction."""
    insert_missing(session, CRLDueRow, {"issuer": issuer, "due": False, "number": 0})
    row = find_row(session, select(CRLDueRow).where(CRLDueRow.issuer == issuer), lock=True)
    if row is None:
        raise Tampered(f"the CRL number of {issuer} disappeared while it was being used")
    return row
