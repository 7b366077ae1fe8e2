"""A record counts only with the signer's seal over it (DESIGN invariant 9)."""

from typing import Protocol, TypeVar

from ca.ports import Seals


class _Sealable(Protocol):
    def sealed_fields(self) -> bytes: ...


_Record = TypeVar("_Record", bound=_Sealable)


def unsealed(seals: Seals, kind: str, found: tuple[_Record, bytes]) -> _Record:
    """The record beside its seal. Raises Tampered unless the signer sealed exactly this."""
    record, seal = found
    seals.require(kind, record.sealed_fields(), seal)
    return record
