"""What every report is made of: a table, charts that say the same, and what it comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from admin.reports.period import Period

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


def by_day(title: str, period: Period, counted: Mapping[date, int]) -> Chart:
    """Every day of the period has its bar, also where there was nothing."""
    return Chart(title, [(day.isoformat(), counted.get(day, 0)) for day in period.days()])


def plain(cell: Cell) -> str | int:
    """As a spreadsheet program is given it. Instants are UTC."""
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return "" if cell is None else cell
