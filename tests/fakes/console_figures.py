"""What the job counted last, for the console's tests: Pudong has most of it, and some of it was late."""

from datetime import timedelta

from ca.adapters.db.base import Row
from ca.adapters.db.figure_rows import FigureRow
from ca.domain.figures import Calendar, Figure, Subject, latency_figures, with_totals
from ca.domain.receipts import Latency
from tests.fakes.console_signer import NOW


def figures(slowest: str) -> list[Row]:
    """Three minutes old. `slowest` is the serial number of the certificate that took longest."""
    calendar = Calendar.around(NOW)
    counted = [
        Figure("Pudong", Subject.ISSUED, calendar.day_slots[-1], 41),
        Figure("Pudong", Subject.ISSUED, calendar.day_slots[-3], 17),
        Figure("Pudong", Subject.RENEWED, calendar.day_slots[-1], 12),
        Figure("Pudong", Subject.ENDING, calendar.month_slots[2], 210),
        Figure("Pudong", Subject.CERTIFICATES, "active", 4711),
        Figure("Pudong", Subject.DEVICES, "in-use", 4800),
        Figure("Xuhui", Subject.ISSUED, calendar.day_slots[-1], 1000),
    ]
    seen = [
        Latency("ocsp", 1000, 3, 8, 9, 40, 0, 0, slowest),
        Latency("delta-crl", 10_000, 0, None, None, None, 1, 1, ""),
    ]
    at = NOW - timedelta(minutes=3)
    return [
        FigureRow(branch=one.branch, subject=one.subject.value, slot=one.slot, value=one.value, counted_at=at)
        for one in [*with_totals(counted, calendar), *latency_figures(seen)]
    ]
