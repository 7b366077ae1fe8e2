"""Counting for the console's home page, every few minutes (ca/domain/figures.py)."""

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from itertools import islice

from ca.domain.figures import Calendar, latency_figures, with_totals
from ca.domain.receipts import latencies
from ca.domain.times import Millis
from ca.ports import Clock, UnitOfWork

_MEASURED = timedelta(days=1)
_MOST = 20_000
"""Receipts that the latency is made of, the first of that day: counting must end on a day of mass revocations, too."""


@dataclass(frozen=True)
class CountFigures:
    """Count by what is committed now, and put it in place of what was counted before."""

    unit_of_work: UnitOfWork
    clock: Clock
    zone: tzinfo | None = None
    """Whose midnights part the days; None is the zone of the machine, as on the console's pages."""

    def __call__(self) -> int:
        """How many figures there are now. Raises Tampered for a receipt that makes no sense."""
        now = self.clock.now()
        calendar = Calendar.around(now.astimezone(self.zone))
        since = Millis(int((now - _MEASURED).timestamp() * 1000))
        # What only reads holds up nobody, however long it takes.
        with self.unit_of_work.look() as work:
            counted = work.figures.count(calendar)
            seen = latency_figures(latencies(islice(work.receipts.since(since), _MOST)))
            checked = work.figures.check(calendar)
        figures = [*with_totals(counted, calendar), *seen, *checked]
        with self.unit_of_work() as work:
            work.figures.keep(figures, now)
            work.commit()
        return len(figures)
