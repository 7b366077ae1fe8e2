"""probing.Receipts in a dictionary."""

from collections.abc import Iterator, Sequence

from ca.domain.errors import InvalidTransition, NotFound
from ca.domain.receipts import Receipt
from ca.domain.serials import serial_text
from ca.domain.times import Millis


class FakeReceipts:
    def __init__(self, kept: dict[tuple[int, Millis], Receipt]) -> None:
        self._kept = kept

    def add(self, receipt: Receipt) -> None:
        if (receipt.serial, receipt.changed_at) in self._kept:
            raise InvalidTransition("there is a receipt of this change already")
        self.save(receipt)

    def get(self, serial: int, changed_at: Millis) -> Receipt:
        if (serial, changed_at) not in self._kept:
            raise NotFound("there was no such change of a status")
        return self._kept[serial, changed_at]

    def save(self, receipt: Receipt) -> None:
        self._kept[receipt.serial, receipt.changed_at] = receipt

    def about(self, serial: int) -> Sequence[Receipt]:
        return [one for one in reversed(self._ordered()) if one.serial == serial]

    def waiting(self, *, soon: bool, since: Millis, after: tuple[Millis, int], limit: int) -> Sequence[Receipt]:
        place = (after[0], serial_text(after[1]))
        found = [
            one
            for one in self._ordered()
            if one.missing
            and one.is_soon is soon
            and one.changed_at >= since
            and (one.changed_at, serial_text(one.serial)) > place
        ]
        return found[:limit]

    def since(self, changed_at: Millis) -> Iterator[Receipt]:
        return (one for one in self._ordered() if one.changed_at >= changed_at)

    def _ordered(self) -> list[Receipt]:
        return sorted(self._kept.values(), key=lambda one: (one.changed_at, serial_text(one.serial)))
