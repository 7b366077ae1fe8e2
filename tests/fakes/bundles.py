"""ports.Bundles in dictionaries."""

from ca.domain.bundle import BundleKind, BundleRecord
from ca.domain.errors import InvalidTransition


class FakeBundles:
    def __init__(self, kept: dict[tuple[str, BundleKind], BundleRecord], numbers: dict[str, int]) -> None:
        self._kept = kept
        self._numbers = numbers

    def last(self, issuer: str, kind: BundleKind) -> BundleRecord | None:
        return self._kept.get((issuer, kind))

    def take_number(self, issuer: str, above: int) -> int:
        self._numbers[issuer] = max(above, self.last_number(issuer)) + 1
        return self._numbers[issuer]

    def last_number(self, issuer: str) -> int:
        return self._numbers.get(issuer, 0)

    def put(self, record: BundleRecord) -> None:
        last = self.last(record.issuer, record.kind)
        if last is not None and last.number >= record.number:
            raise InvalidTransition(f"{record.kind} {record.number} of {record.issuer} is not newer than the last one")
        self._kept[record.issuer, record.kind] = record
