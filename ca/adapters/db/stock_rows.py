"""The tables of custody: ledger, consignments, balances, alarms (ca/domain/custody.py, ca/domain/stock.py)."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row, RowNumber


class MoveRow(Row):
    """An entry of the ledger; rows are only ever added."""

    __tablename__ = "custody_moves"
    __table_args__ = (Index(None, "from_branch", "at"), Index(None, "to_branch", "at"))

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    device_serial: Mapped[str] = mapped_column(index=True)
    from_holder: Mapped[str]
    from_branch: Mapped[str]
    to_holder: Mapped[str]
    to_branch: Mapped[str]
    keeper: Mapped[str]
    by_person: Mapped[str]
    at: Mapped[datetime]
    why: Mapped[str]
    confirmed_by: Mapped[str]
    consignment: Mapped[str]


class ConsignmentRow(Row):
    """U-Shields on their way to a second person; `serials` has one in each line."""

    __tablename__ = "consignments"
    __table_args__ = (Index(None, "from_branch", "state"), Index(None, "to_branch", "state"))

    id: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    serials: Mapped[str]
    origin: Mapped[str]
    from_branch: Mapped[str]
    to_branch: Mapped[str]
    why: Mapped[str]
    sent_by: Mapped[str]
    sent_at: Mapped[datetime]
    state: Mapped[str]
    ended_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str]


class BalanceRow(Row):
    """An evening balance; `lines` and `counted` are JSON."""

    __tablename__ = "stock_balances"
    __table_args__ = (Index(None, "branch", "state", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    branch: Mapped[str]
    since: Mapped[datetime | None]
    at: Mapped[datetime]
    lines: Mapped[str]
    counted: Mapped[str]
    counted_by: Mapped[str]
    state: Mapped[str]
    confirmed_by: Mapped[str]
    confirmed_at: Mapped[datetime | None]


class AlarmRow(Row):
    """Something to look into; open as long as nobody settled it."""

    __tablename__ = "stock_alarms"
    __table_args__ = (Index(None, "branch", "settled_by"), Index(None, "settled_by", "raised_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    branch: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    told: Mapped[str]
    raised_by: Mapped[str]
    raised_at: Mapped[datetime]
    settled_by: Mapped[str]
    settled_at: Mapped[datetime | None]
    finding: Mapped[str]
