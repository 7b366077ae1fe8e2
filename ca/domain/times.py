"""Instants are aware, UTC and whole seconds; their text is RFC 3339 with Z."""

from datetime import UTC, datetime, timedelta

CLOCK_TOLERANCE = timedelta(seconds=60)
"""Clocks of several machines differ a little, and who waited for their turn asks with the time of before."""


def timestamp(at: datetime) -> str:
    """`2026-11-23T15:04:05Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """The instant that `timestamp` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
