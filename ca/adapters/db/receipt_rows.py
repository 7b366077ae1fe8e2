"""The table of receipts (ca/domain/receipts.py)."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row
from ca.adapters.db.columns import partial_index


class ReceiptRow(Row):
    """One change of a status. Instants are milliseconds since the epoch."""

    __tablename__ = "receipts"
    __table_args__ = (
        partial_index("ix_receipts_soon", "stage = 'soon'", "changed_at", "serial"),
        partial_index("ix_receipts_later", "stage = 'later'", "changed_at", "serial"),
    )

    serial: Mapped[str] = mapped_column(primary_key=True)
    changed_at: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True, autoincrement=False)
    issuer: Mapped[str]
    became: Mapped[str]
    after_crl: Mapped[int] = mapped_column(BigInteger)
    sightings: Mapped[str]
    """JSON: for each channel its name, bound, last question before it was seen, and when it was seen."""
    stage: Mapped[str]
    """What it waits for: `soon`, `later`, or `done`; `overtaken` by the next change."""
