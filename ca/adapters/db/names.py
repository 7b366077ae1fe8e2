"""Filing a customer's name where the console looks for it (ca/domain/name_parts.py)."""

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from ca.adapters.db.name_rows import NamePartRow
from ca.adapters.db.rows import CustomerRow
from ca.domain.name_parts import parts_of


def file_name(session: Session, customer: str) -> None:
    """As the customer's row has name and branch now; what was filed before is gone."""
    connection = session.connection()
    connection.execute(delete(NamePartRow).where(NamePartRow.customer == customer))
    row = connection.execute(select(CustomerRow.name, CustomerRow.branch).where(CustomerRow.id == customer)).one()
    parts = [{"customer": customer, "part": part, "branch": row.branch} for part in sorted(parts_of(row.name))]
    if parts:
        connection.execute(insert(NamePartRow), parts)
