"""What all mappings share: a row that no value of ours can have is reported as Tampered, never guessed at."""

from enum import Enum
from typing import Any, TypeVar

from ca.domain.errors import Tampered

Kind = TypeVar("Kind", bound=Enum)
Values = dict[str, Any]
"""Columns of a row by name."""


def known(kind: type[Kind], value: object, where: str) -> Kind:
    """The member with this value. Raises Tampered when there is none."""
    try:
        return kind(value)
    except ValueError as error:
        raise Tampered(f"{where} holds {value!r}, which is no {kind.__name__}: somebody changed the record") from error


def serial_text(serial: int) -> str:
    """As in `certificates.serial`: lower-case hex, no padding."""
    return f"{serial:x}"


def serial_number(text: str) -> int:
    """The serial number that `serial_text` wrote. Raises Tampered."""
    try:
        return int(text, 16)
    except ValueError as error:
        raise Tampered(f"{text!r} is recorded as a serial number and is none: somebody changed the record") from error


def find_serial(text: str | None) -> int | None:
    """The same for a column that may be empty."""
    return None if text is None else serial_number(text)
