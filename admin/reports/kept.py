"""What the job counted of some days (`Subject.CHECKED` of ca/domain/figures.py), for the pages of reports.

A page reads these: to look at each certificate of a month takes longer than a page may. The sheets count anew, and so
does a page of days that the job did not count, or counted too long ago.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from admin.reports.report import Scope
from ca.adapters.db.figure_rows import FigureRow
from ca.adapters.db.rows import db
from ca.domain.figures import EVERYWHERE, Subject

_FRESH = timedelta(minutes=15)
"""The job counts every five minutes: older than this, something keeps it from counting."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How often there was what, by day."""

    at: datetime
    days: Mapping[date, Mapping[str, int]]

    def count(self, what: str) -> int:
        return sum(day.get(what, 0) for day in self.days.values())

    def by_day(self, what: str) -> dict[date, int]:
        return {day: counts.get(what, 0) for day, counts in self.days.items()}


def kept(scope: Scope) -> Kept | None:
    """Of the days of a report on all branches; None when it must be counted now."""
    period = scope.period
    if scope.counts_now:
        return None
    behind = (period.last + timedelta(days=1)).isoformat()
    query = select(FigureRow).where(FigureRow.branch == EVERYWHERE, FigureRow.subject == Subject.CHECKED.value)
    rows = db.session.scalars(query.where(FigureRow.slot >= period.first.isoformat(), FigureRow.slot < behind)).all()
    days: dict[date, Counter[str]] = {}
    for row in rows:
        day, _blank, what = row.slot.partition(" ")
        days.setdefault(date.fromisoformat(day), Counter())[what] += row.value
    if not rows or scope.now - rows[0].counted_at > _FRESH or not days.keys() >= {*period.days()}:
        return None
    return Kept(rows[0].counted_at, days)
