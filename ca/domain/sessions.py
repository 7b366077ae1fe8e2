"""An officer's session and the one-time values we hand out (DESIGN section 6; THREATS 45, 46)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ca.domain.canonical import canonical
from ca.domain.times import timestamp

IDLE_LIMIT = timedelta(minutes=10)
ABSOLUTE_LIMIT = timedelta(hours=8)
CHALLENGE_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in, when. The token itself is never stored, only its SHA-256 (hex)."""

    token_hash: str
    officer: str
    began_at: datetime
    seen_at: datetime
    ended: bool = False

    def sealed_fields(self) -> bytes:
        """What the seal covers: a row nobody signed in for carries no seal."""
        return canonical({"token": self.token_hash, "officer": self.officer, "began_at": timestamp(self.began_at)})

    def is_over(self, now: datetime) -> bool:
        return self.ended or now > self.seen_at + IDLE_LIMIT or now > self.began_at + ABSOLUTE_LIMIT


@dataclass(frozen=True, slots=True)
class Challenge:
    """A random value given out for one purpose (`sign-in`, `register:<invitation>`, `confirm:<serial>`)."""

    purpose: str
    value: bytes
    expires_at: datetime

    def is_over(self, now: datetime) -> bool:
        return now > self.expires_at
