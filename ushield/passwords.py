"""Which certificate passwords may guard a certificate: 6 to 8 letters and digits, not a guessable one.

12345678 is what the bank prepares a U-Shield with. It opens the U-Shield once, to be changed.
"""

import re
from collections.abc import Iterable

from ushield.errors import UnacceptablePassword

FACTORY_PASSWORD = "12345678"  # noqa: S105 - not a secret: everybody knows it, which is why it must go
SHORTEST = 6
LONGEST = 8

# Rows a finger runs along. Doubled where the row goes round (890123).
_ROWS = ("0123456789" * 2, "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def require_acceptable(password: str, own: Iterable[str] = ()) -> None:
    """Raise UnacceptablePassword, saying why, unless the password may guard a certificate.

    `own`: texts that whoever finds the U-Shield may know, such as its serial number and the name in its certificate.
    """
    reason = _objection(password) or _own_objection(password.casefold(), own)
    if reason:
        raise UnacceptablePassword(
            f"This password cannot be used: {reason}. Nothing was changed. "
            f"Choose {SHORTEST} to {LONGEST} letters and digits that are not easy to guess."
        )


def _objection(password: str) -> str | None:
    # str.isalnum alone would let full-width and Chinese characters through, and keyboards differ in those.
    if not (password.isascii() and password.isalnum()):
        return "it must consist of the letters A to Z, a to z and the digits 0 to 9 only"
    if not SHORTEST <= len(password) <= LONGEST:
        return f"it must have {SHORTEST} to {LONGEST} characters"
    if password == FACTORY_PASSWORD:
        return f"{FACTORY_PASSWORD} is what every new U-Shield starts with, so everybody knows it"
    folded = password.casefold()
    if len(set(folded)) == 1:
        return "it is one character repeated"
    if any(folded in row or folded in row[::-1] for row in _ROWS):
        return "it is a simple sequence"
    return None


def _own_objection(folded: str, own: Iterable[str]) -> str | None:
    for text in own:
        # Numbers are written with blanks and dashes; within a name each stands for itself.
        for number in re.findall(r"[a-z0-9]+", re.sub(r"(?<=\d)[ -](?=\d)", "", text.casefold())):
            if folded in number or (len(number) >= SHORTEST and number in folded):
                return "it is part of a number or a name that stands on your papers or on the U-Shield"
    return None
