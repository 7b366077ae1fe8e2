"""A customer's account on the portal: login password, the branch's one-time letter, sessions, cancellations.

A password is stretched with Argon2id (RFC 9106) and then kept as a MAC under the HSM's seal key: whoever carries the
database off cannot even begin to guess. The letter's code is kept like the authorization code of an enrolment.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ca.domain.canonical import canonical
from ca.domain.errors import InvalidRequest, InvalidTransition
from ca.domain.policy import Policy
from ca.domain.times import timestamp

LETTER_ATTEMPTS = 5

_SHORTEST, _LONGEST = 8, 64
# Rows a finger runs along, and what everybody tries first.
_ROWS = ("0123456789" * 2, "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_COMMON = frozenset({"password", "passw0rd", "iloveyou", "letmein1", "welcome1", "qwerty123", "abc12345", "1q2w3e4r"})


class Language(StrEnum):
    """Those the portal speaks."""

    ENGLISH = "en"
    CHINESE = "zh"


class Channel(StrEnum):
    """By which way a customer wants to be told; that they are told is not theirs to switch off."""

    EMAIL = "email"
    SMS = "sms"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Account:
    """Of one customer. Counts only with the signer's seal."""

    customer: str
    version: int
    salt: bytes = b""
    password_mac: bytes = b""
    """Empty: no password was set yet."""
    letter_mac: bytes = b""
    """Empty: no letter is open."""
    letter_expires_at: datetime | None = None
    letter_attempts_left: int = 0
    language: Language = Language.ENGLISH
    channel: Channel = Channel.BOTH

    def sealed_fields(self) -> bytes:
        """What the seal covers. A choice that was never made is left out: seals from before it could be made count."""
        expires = self.letter_expires_at
        chosen = {} if self.channel is Channel.BOTH else {"channel": self.channel.value}
        return canonical(
            {
                **chosen,
                "customer": self.customer,
                "version": self.version,
                "salt": self.salt.hex(),
                "password": self.password_mac.hex(),
                "letter": self.letter_mac.hex(),
                "letter_expires_at": "" if expires is None else timestamp(expires),
                "letter_attempts_left": self.letter_attempts_left,
                "language": self.language.value,
            }
        )

    def with_letter(self, mac: bytes, *, expires_at: datetime) -> "Account":
        """A new letter; the one before is void."""
        return self._changed(letter_mac=mac, letter_expires_at=expires_at, letter_attempts_left=LETTER_ATTEMPTS)

    def has_letter(self, now: datetime) -> bool:
        """Whether a letter is open."""
        expires = self.letter_expires_at
        return bool(self.letter_mac) and self.letter_attempts_left > 0 and expires is not None and now <= expires

    def miss_letter(self) -> "Account":
        """One wrong code; after the last one the letter is void."""
        return self._changed(letter_attempts_left=max(0, self.letter_attempts_left - 1))

    def with_password(self, salt: bytes, mac: bytes) -> "Account":
        """A new password; an open letter is used up."""
        return self._changed(
            salt=salt, password_mac=mac, letter_mac=b"", letter_expires_at=None, letter_attempts_left=0
        )

    def with_language(self, language: Language) -> "Account":
        return self._changed(language=language)

    def with_channel(self, channel: Channel) -> "Account":
        return self._changed(channel=channel)

    def _changed(self, **changes: object) -> "Account":
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class CustomerSession:
    """A customer who signed in. The token itself is never stored, only its SHA-256 (hex)."""

    token_hash: str
    customer: str
    began_at: datetime
    seen_at: datetime
    source: str
    """The network it was begun from, for the customer to recognise."""
    by: str = ""
    """Serial number (hex) of the certificate whose key began it; empty when a password did."""
    ended: bool = False

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        return canonical(
            {
                "token": self.token_hash,
                "customer": self.customer,
                "began_at": timestamp(self.began_at),
                "by": self.by,
            }
        )

    def is_over(self, now: datetime, policy: Policy) -> bool:
        idle, old = now > self.seen_at + policy.portal_session_idle, now > self.began_at + policy.portal_session_life
        return self.ended or idle or old


class CancellationState(StrEnum):
    """Where a customer's wish to cancel stands."""

    OPEN = "open"
    UNDONE = "undone"
    DONE = "done"
    OVERTAKEN = "overtaken"
    """The certificate was released or revoked by somebody else meanwhile."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The certificate is on hold since `asked_at` and is revoked at `due_at`, unless it is undone before."""

    serial: int
    customer: str
    asked_at: datetime
    due_at: datetime
    state: CancellationState = CancellationState.OPEN

    def become(self, wanted: CancellationState) -> "Cancellation":
        """Raise InvalidTransition unless it is still open."""
        if self.state is not CancellationState.OPEN:
            raise InvalidTransition(f"this cancellation is {self.state.value} and cannot be changed any more")
        return replace(self, state=wanted)


def require_password(text: str, *, not_in: tuple[str, ...]) -> None:
    """Raise InvalidRequest, saying why, unless it may be a login password. `not_in`: numbers and names of the customer.

    Length beats character classes (NIST SP 800-63B section 3.1.1.2): none is asked for.
    """
    reason = _objection(text, not_in)
    if reason:
        raise InvalidRequest(
            f"This password cannot be used: {reason}. Choose {_SHORTEST} to {_LONGEST} characters that are not easy "
            "to guess; three or four unrelated words are good."
        )


def _objection(text: str, not_in: tuple[str, ...]) -> str | None:
    if not _SHORTEST <= len(text) <= _LONGEST:
        return f"it must have {_SHORTEST} to {_LONGEST} characters"
    if not text.isprintable():
        return "it has characters that cannot be typed"
    folded = text.casefold()
    if len(set(folded)) < 4:
        return "it is a few characters repeated"
    if folded in _COMMON or any(folded in row or folded in row[::-1] for row in _ROWS):
        return "it is among those that are tried first"
    if any(own and (own.casefold() in folded or folded in own.casefold()) for own in not_in):
        return "it contains one of your own numbers or your name"
    return None
