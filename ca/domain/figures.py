"""What the console's home page counts: days, months and states, by branch, as they were at one moment.

Counting a million certificates takes seconds, so a job counts every few minutes and the page reads what it kept.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ca.domain.certificates import CertificateStatus
from ca.domain.devices import DeviceState
from ca.domain.receipts import Latency

DAYS, MONTHS = 14, 12
CHECKED_DAYS = 93
"""A quarter, which is the most that a report is about, and the day before: midnight may be between two counts."""
EVERYWHERE = ""
"""In place of a branch: all of them together. No branch has an empty name."""
EXPIRED = "expired"
"""Beside the states of certificates: not revoked, and its time is over. It may be on hold."""


class Subject(StrEnum):
    """What a figure is about, and what its slot is."""

    ISSUED = "issued"
    """First certificates, by day (`2026-11-23`)."""
    RENEWED = "renewed"
    """Certificates that follow another one, by day."""
    REVOKED = "revoked"
    """By day; without those that a renewal superseded."""
    ENDING = "ending"
    """Certificates that hold or are on hold, by the month in which they end (`2026-12`)."""
    CERTIFICATES = "certificates"
    """By state, or `EXPIRED`."""
    DEVICES = "devices"
    """U-Shields by state."""
    SEEN = "seen"
    """p95 of the last day's changes of status in milliseconds, by channel; -1 while none was seen."""
    PROMISED = "promised"
    """The bound beside it."""
    LATE = "late"
    """Changes that were seen too late, or are still not seen, by channel."""
    CHECKED = "checked"
    """For reports, of all branches: `2026-11-23 issued`, and by day what must be nowhere, where there is any."""


BY_DAY = (Subject.ISSUED, Subject.RENEWED, Subject.REVOKED)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number."""

    branch: str
    subject: Subject
    slot: str
    value: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """When each day and month begins that is counted, in the zone of its times."""

    now: datetime
    days: tuple[datetime, ...]
    """The last one is today."""
    months: tuple[datetime, ...]
    """The first is now, each other one the first of a month, and the last is where counting ends."""

    @classmethod
    def around(cls, now: datetime) -> "Calendar":
        """`now` is aware, in the zone whose midnights part the days."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        days = tuple(today - timedelta(days=back) for back in reversed(range(DAYS)))
        first, months = today.replace(day=1), [now]
        for _ in range(MONTHS):
            first = (first + timedelta(days=31)).replace(day=1)
            months.append(first)
        return cls(now, days, tuple(months))

    @property
    def checked_since(self) -> datetime:
        """Where the first of the checked days begins; each is as long as the others."""
        return self.days[-1] - timedelta(days=CHECKED_DAYS - 1)

    @property
    def checked_days(self) -> list[str]:
        return [f"{self.checked_since + timedelta(days=number):%Y-%m-%d}" for number in range(CHECKED_DAYS)]

    @property
    def day_slots(self) -> list[str]:
        return [f"{day:%Y-%m-%d}" for day in self.days]

    @property
    def month_slots(self) -> list[str]:
        return [f"{month:%Y-%m}" for month in self.months[:-1]]


def with_totals(counted: Iterable[Figure], calendar: Calendar) -> list[Figure]:
    """The figures of each branch, and behind them those of all together, which have every slot, empty or not."""
    figures = list(counted)
    totals: Counter[tuple[Subject, str]] = Counter()
    for each in figures:
        totals[each.subject, each.slot] += each.value
    return figures + [
        Figure(EVERYWHERE, subject, slot, totals[subject, slot])
        for subject, slots in slots_of(calendar).items()
        for slot in slots
    ]


def slots_of(calendar: Calendar) -> dict[Subject, Sequence[str]]:
    """The slots of whatever is counted by branch, in the order in which they are shown."""
    return {
        **dict.fromkeys(BY_DAY, calendar.day_slots),
        Subject.ENDING: calendar.month_slots,
        Subject.CERTIFICATES: [*(status.value for status in CertificateStatus), EXPIRED],
        Subject.DEVICES: [state.value for state in DeviceState],
    }


def latency_figures(latencies: Iterable[Latency]) -> list[Figure]:
    """What was promised of each channel and what was seen; of all branches, because the promise is one."""
    return [
        Figure(EVERYWHERE, subject, each.channel, value)
        for each in latencies
        for subject, value in (
            (Subject.SEEN, -1 if each.p95 is None else each.p95),
            (Subject.PROMISED, each.promised),
            (Subject.LATE, each.late),
        )
    ]
