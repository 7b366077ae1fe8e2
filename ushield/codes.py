"""The two codes as people type them: their last character proves the others, so that a slip costs no attempt.

The scheme is Damm's, over ten digits and over the 32 characters of Crockford's alphabet: every single wrong character
and every swap of neighbours is found here, before anything is sent. Unlock codes are made in the same way.
"""

from ushield.errors import CodeMalformed, ReferenceMalformed

_REFERENCE_DIGITS = 10
_CODE_CHARACTERS = 12
# Crockford's base 32: no I, L, O, U; what people write instead is understood.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SLIPS = str.maketrans({"O": "0", "I": "1", "L": "1"})
# Damm's quasigroup of order 10: row the interim value, column the next digit.
_QUASIGROUP = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
# x^5 + x^2 + 1, for the field with 32 elements.
_FIELD = 0b100101


def reference_number(typed: str) -> str:
    """The ten digits, whatever blanks and dashes were typed between them."""
    digits = _without_gaps(typed)
    if len(digits) != _REFERENCE_DIGITS or not (digits.isascii() and digits.isdigit()) or not _digits_agree(digits):
        raise ReferenceMalformed(
            f"This is no reference number: it has {_REFERENCE_DIGITS} digits, of which the last proves the others. "
            "Nothing was sent. Compare it with the receipt of your branch."
        )
    return digits


def require_code(typed: str) -> str:
    """The authorization code as it is printed, once it can be one."""
    plain = _without_gaps(typed).upper().translate(_SLIPS)
    if len(plain) != _CODE_CHARACTERS or not set(plain) <= set(_ALPHABET) or not _characters_agree(plain):
        raise CodeMalformed(
            f"This is no such code: it has {_CODE_CHARACTERS} letters and digits, of which the last proves the "
            "others. Nothing was sent, no attempt was used. Compare it with what the bank gave you."
        )
    return "-".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def _without_gaps(typed: str) -> str:
    return "".join(typed.replace("-", "").split())


def _digits_agree(digits: str) -> bool:
    interim = "0"
    for digit in digits:
        interim = _QUASIGROUP[int(interim)][int(digit)]
    return interim == "0"


def _characters_agree(code: str) -> bool:
    interim = 0
    for character in code:
        interim = (interim ^ _ALPHABET.index(character)) << 1
        interim ^= _FIELD if interim > 31 else 0
    return interim == 0
