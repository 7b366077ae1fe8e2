"""The days that a report is about, as a bank counts them: in its own time zone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from sqlalchemy import BigInteger, literal_column, type_coerce

from ca.domain.errors import InvalidRequest

LONGEST = 92
"""Days: a quarter. A report never reads more of the log than that."""
_USUAL = 30
_EPOCH, _LAST = date(1970, 1, 2), date(9999, 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day, both within it."""

    first: date
    last: date
    offset: timedelta
    """Of the machine's zone from UTC, today: a day is the same length for every certificate."""

    @classmethod
    def chosen(cls, asked: Mapping[str, str], now: datetime) -> "Period":
        """From `from` and `to` (`2026-11-30`) of an address; the last 30 days when nothing is said.

        Raises InvalidRequest for what is no day, for a first day behind the last, and for more than a quarter.
        """
        offset = now.astimezone().utcoffset() or timedelta()
        today = now.astimezone(timezone(offset)).date()
        last = _day(asked.get("to", ""), today)
        first = _day(asked.get("from", ""), max(last - timedelta(days=_USUAL - 1), _EPOCH))
        if first > last:
            raise InvalidRequest("the first day must not come after the last one")
        if (last - first).days >= LONGEST:
            raise InvalidRequest(f"choose at most {LONGEST} days at a time")
        return cls(first, last, offset)

    @property
    def begins(self) -> datetime:
        return self._midnight(self.first)

    @property
    def ends(self) -> datetime:
        """The first second that is not in it any more."""
        return self._midnight(self.last + timedelta(days=1))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), timezone(self.offset)).astimezone(UTC)

    def days(self) -> Iterator[date]:
        """Every one, the first one first."""
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)

    def covers(self, column: Any) -> Any:
        """The condition that an instant lies in it."""
        return (column >= self.begins) & (column < self.ends)

    def day_of(self, column: Any) -> Any:
        """The number of an instant's day, to group by. No parameters: PostgreSQL takes two of them for two columns."""
        seconds = literal_column(str(int(self.offset.total_seconds())), BigInteger)
        return (type_coerce(column, BigInteger) + seconds) // literal_column("86400", BigInteger)


def day_numbered(number: int) -> date:
    """The day of such a number."""
    return date(1970, 1, 1) + timedelta(days=number)


def _day(text: str, otherwise: date) -> date:
    if not text:
        return otherwise
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest("write a day as year, month and day: 2026-11-30") from error
    if not _EPOCH <= day <= _LAST:
        raise InvalidRequest("there was no certificate on such a day")
    return day
