"""The table of unlock cases (ca/domain/unlocking.py)."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row
from ca.adapters.db.columns import list_indexes


class UnlockRow(Row):
    """A case to unlock a U-Shield; counts only with the seal."""

    __tablename__ = "unlock_cases"
    __table_args__ = tuple(list_indexes("opened_at", "reference", by=("branch", "state")))

    reference: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    device_serial: Mapped[str] = mapped_column(index=True)
    customer: Mapped[str]
    branch: Mapped[str]
    reason: Mapped[str]
    maker_person: Mapped[str]
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str]
    code_mac: Mapped[bytes]
    approved_by: Mapped[str]
    attempts_left: Mapped[int]
    answers: Mapped[int]
    seal: Mapped[bytes]
