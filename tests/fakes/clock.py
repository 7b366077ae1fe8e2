"""Time and randomness under a test's control."""

import os
from datetime import UTC, datetime, timedelta

from ca.domain.times import Millis

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until told to tick."""

    def __init__(self, start: datetime = NOON) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def milliseconds(self) -> Millis:
        return Millis(int(self._now.timestamp() * 1000))

    def tick(self, step: timedelta = timedelta(seconds=1)) -> datetime:
        """Let time pass (a negative step is a clock gone backwards); the new time."""
        self._now += step
        return self._now

    def set(self, at: datetime) -> None:
        self._now = at


class RestlessClock(FakeClock):
    """A second goes by with each look: whoever looks twice for one act gets two instants."""

    def now(self) -> datetime:
        return self.tick()


class FakeRandom:
    """The operating system's randomness, except for the answers a test has planned."""

    def __init__(self, *planned: bytes) -> None:
        self._planned = list(planned)

    def __call__(self, length: int) -> bytes:
        return self._planned.pop(0) if self._planned else os.urandom(length)

    def plan(self, *answers: bytes) -> None:
        """Answer the next calls with these, whatever length they ask for."""
        self._planned.extend(answers)
