"""The table of figures (ca/domain/figures.py)."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row


class FigureRow(Row):
    """A number that a job counted; `branch` is empty for all together."""

    __tablename__ = "figures"
    journaled = False

    branch: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime]
