"""The system's clock and random source, behind the ports (TASTE rule 8: nobody else asks for them)."""

import os
import time
from datetime import UTC, datetime

from ca.domain.times import Millis


class SystemClock:
    """UTC, whole seconds; milliseconds for receipts."""

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    def milliseconds(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)


def system_random(length: int) -> bytes:
    """The kernel's random source."""
    return os.urandom(length)
