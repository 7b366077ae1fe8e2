"""One way to turn a value into bytes, so that a digest or a seal means the same thing everywhere.

JSON with sorted keys, no white space, UTF-8; text is NFC already (names are checked where they enter).
"""

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """The bytes of a JSON-able value; floats are refused because they have no single text form."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(purpose: str, value: Any) -> bytes:
    """SHA-256 over the purpose and the value: a digest made for one purpose never serves another."""
    return hashlib.sha256(purpose.encode() + b"\x00" + canonical(value)).digest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical form")
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_floats(inner)
    if isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)
