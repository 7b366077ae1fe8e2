"""Serial numbers (RFC 5280 section 4.1.2.2): positive, at most 20 octets, impossible to guess."""

import re
from collections.abc import Callable

from ca.domain.errors import InvalidRequest

_RANDOM_OCTETS = 16
SERIAL_OCTETS = 1 + _RANDOM_OCTETS
"""How long the serials are that we give; those of others may be of any length."""
_MAX_OCTETS = 20


def new_serial(random_bytes: Callable[[int], bytes]) -> int:
    """128 random bits behind a fixed octet 01.

    The fixed octet carries the sign bit, so no random bit is lost to it (63 bits instead of 64 made others revoke
    by the million), and every serial has the same 17 octets: positive, without a leading zero, below the limit of 20.
    """
    return int.from_bytes(b"\x01" + random_bytes(_RANDOM_OCTETS), "big")


def serial_text(serial: int) -> str:
    """Lower-case hexadecimal without padding: the one way serials are written outside."""
    return f"{serial:x}"


def parse_serial(text: str) -> int:
    """Read a serial as people and tools write it: any case, 0x, colons, blanks, leading zeros. Hexadecimal only."""
    digits = re.sub(r"[\s:]", "", text).lower().removeprefix("0x").lstrip("0")
    if not re.fullmatch("[0-9a-f]{1,40}", digits) or int(digits, 16).bit_length() >= 8 * _MAX_OCTETS:
        raise InvalidRequest("a serial number is written in hexadecimal, with at most 40 digits, and is not zero")
    return int(digits, 16)
