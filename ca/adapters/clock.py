"""The system's clock and random source, behind the ports (TASTE rule 8: nobody else asks for them)."""

import os
from datetime import UTC, datetime


class SystemClock:
    """UTC, whole seconds."""

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)


def system_random(length: int) -> bytes:
    """The kernel's random source."""
    return os.urandom(length)
