"""An officer's session and the one-time values we hand out (DESIGN section 6; THREATS 45, 46)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ca.domain.canonical import canonical
from ca.domain.policy import Policy
from ca.domain.times import timestamp

CHALLENGE_LIFE = timedelta(minutes=5)
STEP_UP_LIFE = timedelta(minutes=5)
"""So long after a step-up an officer may change their own access."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in, when. The token itself is never stored, only its SHA-256 (hex)."""

    token_hash: str
    officer: str
    began_at: datetime
    seen_at: datetime
    ended: bool = False
    source: str = ""
    """The address it was begun from as the console saw it, for the officer to recognise; grants nothing."""
    stepped_up_at: datetime | None = None
    """When a passkey was asked for again, in a session that was begun with exactly that."""
    binding: str = ""
    """Id of the binding of the certificate that it was begun with, and lives by; empty: a passkey."""

    def sealed_fields(self) -> bytes:
        """What the seal covers: a row nobody signed in for carries no seal."""
        fields = {"token": self.token_hash, "officer": self.officer, "began_at": timestamp(self.began_at)}
        if self.stepped_up_at is not None:
            fields["stepped_up_at"] = timestamp(self.stepped_up_at)
        if self.binding:
            fields["binding"] = self.binding
        return canonical(fields)

    @property
    def id(self) -> str:
        """What it is called in lists: tells neither the token nor how to find it."""
        return self.token_hash[:16]

    def is_stepped_up(self, now: datetime) -> bool:
        return self.stepped_up_at is not None and self.stepped_up_at <= now <= self.stepped_up_at + STEP_UP_LIFE

    def is_over(self, now: datetime, policy: Policy) -> bool:
        idle, old = now > self.seen_at + policy.session_idle, now > self.began_at + policy.session_life
        return self.ended or idle or old


@dataclass(frozen=True, slots=True)
class Challenge:
    """A random value given out for one purpose (`sign-in`, `step-up:<officer>`, `confirm:<serial>`, …)."""

    purpose: str
    value: bytes
    expires_at: datetime

    def is_over(self, now: datetime) -> bool:
        return now > self.expires_at
