"""The two codes a customer is handed: a reference number and an authorization code (DESIGN invariant 4).

The authorization code is kept only as a MAC under an HSM key. One pair claims one certification request: the same
request again gets the same certificate, another one is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ca.domain.errors import InvalidRequest

# Crockford's base 32: no I, L, O, U. 12 characters carry 60 bits.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 12
_RECOVERY_LENGTH = 16
_REFERENCE_LENGTH = 10


class CodeState(StrEnum):
    """Where a pair of codes stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    EXPIRED = "expired"
    LOCKED = "locked"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class CodePair:
    """A reference number, the MAC of its authorization code, and what became of them."""

    reference: str
    application: str
    code_mac: bytes
    state: CodeState
    expires_at: datetime
    attempts_left: int
    request: str = ""
    """SHA-256 of the certification request that claimed it, hex."""

    def is_usable(self, now: datetime) -> bool:
        """Open codes until they expire; claimed codes too, for the same request again."""
        return self.state in (CodeState.OPEN, CodeState.CLAIMED) and now <= self.expires_at

    def miss(self) -> "CodePair":
        """One wrong attempt; the last one locks."""
        left = self.attempts_left - 1
        locked = left <= 0 and self.state is CodeState.OPEN
        return replace(self, attempts_left=max(left, 0), state=CodeState.LOCKED if locked else self.state)

    def claim(self, request: str) -> "CodePair":
        """Bind the pair to one request, for good."""
        return replace(self, state=CodeState.CLAIMED, request=request)


def new_reference(random_bytes: Callable[[int], bytes]) -> str:
    """Ten random digits; not sequential, so that one does not tell the next. Never starts with 0."""
    number = int.from_bytes(random_bytes(8), "big") % (9 * 10 ** (_REFERENCE_LENGTH - 1))
    return str(number + 10 ** (_REFERENCE_LENGTH - 1))


def new_authorization_code(random_bytes: Callable[[int], bytes]) -> str:
    """Sixty random bits as twelve characters, without dashes."""
    return _written(random_bytes(8), _CODE_LENGTH)


def new_recovery_code(random_bytes: Callable[[int], bytes]) -> str:
    """Eighty random bits as sixteen characters, without dashes."""
    return _written(random_bytes(10), _RECOVERY_LENGTH)


def _written(raw: bytes, length: int) -> str:
    number = int.from_bytes(raw, "big")
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(length))


def shown(code: str) -> str:
    """In groups of four with dashes between them, as printed."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def parse_authorization_code(text: str) -> str:
    """What a person typed: any case, dashes and blanks ignored, O read as 0, I and L as 1 (Crockford)."""
    return _parse(text, _CODE_LENGTH, "an authorization code")


def parse_recovery_code(text: str) -> str:
    """The same for a recovery code."""
    return _parse(text, _RECOVERY_LENGTH, "a recovery code")


def _parse(text: str, length: int, what: str) -> str:
    code = text.upper().replace("-", "").replace(" ", "").replace("O", "0").replace("I", "1").replace("L", "1")
    if len(code) != length or not set(code) <= set(_ALPHABET):
        raise InvalidRequest(f"{what} has {length} letters and digits")
    return code


def parse_reference(text: str) -> str:
    """What a person typed, dashes and blanks ignored. Says nothing about whether it was handed out."""
    digits = text.replace("-", "").replace(" ", "")
    if len(digits) != _REFERENCE_LENGTH or not (digits.isascii() and digits.isdigit()):
        raise InvalidRequest(f"a reference number has {_REFERENCE_LENGTH} digits")
    return digits
