"""Instants are aware, UTC and whole seconds; their text is RFC 3339 with Z. Only receipts need finer ones."""

import re
from datetime import UTC, datetime, timedelta
from typing import NewType

from ca.domain.errors import InvalidRequest

Millis = NewType("Millis", int)
"""An instant in milliseconds since the epoch. A type of its own, so that no rule that counts in seconds meets it."""

CLOCK_TOLERANCE = timedelta(seconds=60)
"""Clocks of several machines differ a little, and who waited for their turn asks with the time of before."""


def timestamp(at: datetime) -> str:
    """`2026-11-23T15:04:05Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """The instant that `timestamp` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d([Zz]|[+-]\d\d:\d\d)")


def parse_instant(text: str) -> datetime:
    """An instant as people and tools write it, with its zone (RFC 3339 section 5.6). Raises InvalidRequest."""
    try:
        if _RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidRequest("an instant is written with its zone, like 2026-11-23T15:04:05Z or 2026-11-23T23:04:05+08:00")


def millis_text(at: Millis) -> str:
    """`2026-11-23T15:04:05.123Z`."""
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


def duration_text(value: timedelta) -> str:
    """As the configuration writes it: `397d`, `12h`, `5m`, `10s`."""
    unit, length = next((unit, one) for unit, one in _UNITS.items() if (value and not value % one) or unit == "s")
    return f"{value // length}{unit}" if value else "0m"


def parse_duration(text: str) -> timedelta:
    """What `duration_text` wrote. Raises InvalidRequest."""
    match = re.fullmatch(r"([0-9]{1,5})([dhms])", text)
    if match is None:
        raise InvalidRequest('write a time as "397d" (days), "12h" (hours), "5m" (minutes) or "10s" (seconds)')
    return int(match[1]) * _UNITS[match[2]]
