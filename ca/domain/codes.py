"""The two codes a customer is handed: a reference number and an authorization code (DESIGN invariant 4).

The authorization code is kept only as a MAC under an HSM key. One pair claims one certification request: the same
request again gets the same certificate, another one is refused.

The last character of each proves the others, so that a slip of the finger is found where it is typed, before anything
is sent and before an attempt is counted. The scheme is Damm's (Totally anti-symmetrische Quasigruppen, Marburg 2004),
once over ten digits and once over 32 characters: it finds every single wrong character and every swap of neighbours.
ISO/IEC 7064 MOD 11,10 misses some swaps, Luhn's scheme misses that of the first and last character of the alphabet,
and Crockford's own needs five characters more than the alphabet has. The tool (`ushield/codes.py`) and the portal
(`customer/static/codes.js`) have the same rule. It hides nothing: the signer counts a code that breaks it as a miss.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ca.domain.errors import InvalidRequest

# Crockford's base 32: no I, L, O, U. 11 random characters carry 55 bits.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# A totally anti-symmetric quasigroup of order 10 (Damm): row the interim value, column the next digit.
_QUASIGROUP = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
# x^5 + x^2 + 1, for the field with 32 elements: twice the sum of two of them is a quasigroup that serves as well.
_FIELD = 0b100101
_CODE_LENGTH = 12
_RECOVERY_LENGTH = 20
_REFERENCE_LENGTH = 10


class CodeState(StrEnum):
    """Where a pair of codes stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    EXPIRED = "expired"
    LOCKED = "locked"
    VOID = "void"


class HandOver(StrEnum):
    """How the authorization code reaches the customer."""

    LETTER = "letter"
    MESSAGE = "message"


def parse_hand_over(text: str) -> HandOver:
    """Raise InvalidRequest for a way that there is not."""
    try:
        return HandOver(text)
    except ValueError as error:
        raise InvalidRequest("hand the authorization code out by letter or by message") from error


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
    """Nine random digits and their check digit; not sequential, so that one does not tell the next. No 0 in front."""
    number = int.from_bytes(random_bytes(8), "big") % (9 * 10 ** (_REFERENCE_LENGTH - 2))
    digits = str(number + 10 ** (_REFERENCE_LENGTH - 2))
    return f"{digits}{_interim_of_digits(digits)}"


def new_authorization_code(random_bytes: Callable[[int], bytes], length: int = _CODE_LENGTH) -> str:
    """Random characters and their check character, without dashes. Two such in a row have a right one again."""
    return _with_check(random_bytes(8), length)


def new_recovery_code(random_bytes: Callable[[int], bytes]) -> str:
    """95 random bits as nineteen characters and their check character, without dashes."""
    return _with_check(random_bytes(12), _RECOVERY_LENGTH)


def _with_check(raw: bytes, length: int) -> str:
    number = int.from_bytes(raw, "big")
    code = "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(length - 1))
    return code + _ALPHABET[_interim_of_code(code)]


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
    if _interim_of_code(code):
        raise InvalidRequest("a letter or digit of this code is mistyped; compare it with the letter")
    return code


def parse_reference(text: str) -> str:
    """What a person typed, dashes and blanks ignored. Says nothing about whether it was handed out."""
    digits = text.replace("-", "").replace(" ", "")
    if len(digits) != _REFERENCE_LENGTH or not (digits.isascii() and digits.isdigit()):
        raise InvalidRequest(f"a reference number has {_REFERENCE_LENGTH} digits")
    if _interim_of_digits(digits):
        raise InvalidRequest("a digit of this reference number is mistyped; compare it with the receipt")
    return digits


def _interim_of_digits(digits: str) -> int:
    """Their check digit; 0 when the last of them is right."""
    interim = 0
    for digit in digits:
        interim = _QUASIGROUP[interim][int(digit)]
    return interim


def _interim_of_code(code: str) -> int:
    """The place of their check character in the alphabet; 0 when the last of them is right."""
    interim = 0
    for character in code:
        doubled = (interim ^ _ALPHABET.index(character)) << 1
        interim = doubled ^ _FIELD if doubled > 31 else doubled
    return interim
