"""What every report is made of: a table, charts that say the same, and what it comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select

from admin.reports.period import Period
from ca.adapters.db.rows import db

Cell = str | int | datetime | None
Row = Sequence[Cell]

LISTED = 5000
"""So many findings of a kind are listed by name; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for: which days, and of which branch; None: of all."""

    period: Period
    branch: str | None
    now: datetime
    counts_now: bool = True
    """Whether nothing may be taken from what the job counted."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and how the cells below it are drawn: serial, mono, when, badge, number or plain."""

    heading: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars in one row: of days (`is_by_day`), or of names with their bar beside them."""

    title: str
    points: Sequence[tuple[str, int]]
    is_by_day: bool = True

    @property
    def most(self) -> int:
        return max((value for _, value in self.points), default=0)

    @property
    def total(self) -> int:
        return sum(value for _, value in self.points)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a report that must come to nothing came to."""

    is_good: bool
    says: str


@dataclass(frozen=True, slots=True)
class Report:
    """The table with its charts."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    charts: Sequence[Chart] = ()
    verdict: Verdict | None = None
    sums: Sequence[tuple[str, int]] = ()
    """Numbers above the table, each with its name."""
    counted_at: datetime | None = None
    """When the job counted what the report says; None: just now."""


def by_day(title: str, period: Period, counted: Mapping[date, int]) -> Chart:
    """Every day of the period has its bar, also where there was nothing."""
    return Chart(title, [(day.isoformat(), counted.get(day, 0)) for day in period.days()])


def named_or_counted(query: Any, known: int | None = None) -> tuple[int, list[Any]]:
    """How many a query finds, and the first of them. `known`: what was counted; nothing is looked for where it is 0."""
    if known == 0:
        return 0, []
    rows = list(db.session.execute(query.limit(LISTED)))
    if len(rows) < LISTED:
        return len(rows), rows
    if known is not None:
        return known, rows
    return db.session.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one(), rows


def plain(cell: Cell) -> str | int:
    """As a spreadsheet program is given it. Instants are UTC."""
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return "" if cell is None else cell
