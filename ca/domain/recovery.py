"""Recovery codes: an officer whose passkeys are lost registers a new one with a code, and can do nothing else with it.

A code is kept only as a MAC under an HSM key, and is gone when it was used. Too many wrong ones in a row make the
signer deaf for a while, not for good: whoever guesses must not be able to lock an officer out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ca.domain.canonical import canonical
from ca.domain.errors import InvalidTransition
from ca.domain.times import timestamp

CODES = 10
MISSES_IN_A_ROW = 5
DEAF_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """What is left of an officer's set. Counts only with the signer's seal."""

    officer: str
    version: int
    macs: tuple[bytes, ...]
    """Of the codes that were not used, 32 octets each."""
    made_at: datetime
    used_at: datetime | None = None
    misses: int = 0
    missed_at: datetime | None = None

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        return canonical(
            {
                "officer": self.officer,
                "version": self.version,
                "macs": [mac.hex() for mac in self.macs],
                "made_at": timestamp(self.made_at),
                "used_at": timestamp(self.used_at) if self.used_at else "",
                "misses": self.misses,
                "missed_at": timestamp(self.missed_at) if self.missed_at else "",
            }
        )

    def remade(self, macs: Sequence[bytes], now: datetime) -> "RecoveryCodes":
        """A new set in the place of this one: the old codes are void."""
        return replace(self, version=self.version + 1, macs=tuple(macs), made_at=now, misses=0, missed_at=None)

    def hears(self, now: datetime) -> bool:
        """Whether a code is looked at now."""
        return self.misses < MISSES_IN_A_ROW or self.missed_at is None or now > self.missed_at + DEAF_FOR

    def miss(self, now: datetime) -> "RecoveryCodes":
        """One wrong code. After a time of silence the row begins anew."""
        silent = self.missed_at is not None and now > self.missed_at + DEAF_FOR
        return replace(self, version=self.version + 1, misses=1 if silent else self.misses + 1, missed_at=now)

    def use(self, mac: bytes, now: datetime) -> "RecoveryCodes":
        """Without the code of this MAC. Raises InvalidTransition when it is none of these."""
        if mac not in self.macs:
            raise InvalidTransition("this recovery code was used already")
        left = tuple(each for each in self.macs if each != mac)
        return replace(self, version=self.version + 1, macs=left, used_at=now, misses=0, missed_at=None)
