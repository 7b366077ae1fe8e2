"""The U-Shield: a USB key the bank hands out (a PKCS#11 token), and where it stands (DESIGN section 5)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ca.domain.custody import Holder, require_move
from ca.domain.errors import InvalidTransition

SOFTWARE_TOKEN = "SoftHSM"  # noqa: S105  the name of a product
"""A model that begins so is a program playing a U-Shield."""


class DeviceState(StrEnum):
    """Where a U-Shield stands."""

    IN_STOCK = "in-stock"
    ASSIGNED = "assigned"
    IN_USE = "in-use"
    BLOCKED = "blocked"
    LOST = "lost"
    RETURNED = "returned"
    DESTROYED = "destroyed"


_NEXT: dict[DeviceState, frozenset[DeviceState]] = {
    DeviceState.IN_STOCK: frozenset({DeviceState.ASSIGNED, DeviceState.LOST, DeviceState.DESTROYED}),
    # Back in stock when the application came to nothing before it was handed over.
    DeviceState.ASSIGNED: frozenset({DeviceState.IN_STOCK, DeviceState.IN_USE, DeviceState.LOST, DeviceState.RETURNED}),
    DeviceState.IN_USE: frozenset({DeviceState.BLOCKED, DeviceState.LOST, DeviceState.RETURNED}),
    DeviceState.BLOCKED: frozenset({DeviceState.IN_USE, DeviceState.LOST, DeviceState.RETURNED}),
    DeviceState.LOST: frozenset({DeviceState.DESTROYED}),
    DeviceState.RETURNED: frozenset({DeviceState.IN_STOCK, DeviceState.DESTROYED}),
    DeviceState.DESTROYED: frozenset(),
}


def transitions() -> dict[DeviceState, frozenset[DeviceState]]:
    """The table, for the drawing and the property test."""
    return dict(_NEXT)


@dataclass(frozen=True, slots=True)
class Device:
    """A U-Shield by the serial number engraved on it and told by its token."""

    id: str
    serial: str
    model: str
    branch: str
    state: DeviceState
    customer: str
    registered_by: str
    registered_at: datetime
    so_use: int = 0
    """Which SO password of those derived for it is set (ca/domain/unlocking.py); 0: none, it cannot be unlocked."""
    holder: Holder = Holder.SUPPLIER
    keeper: str = ""
    """Employee number of the officer who holds it; empty unless one does."""

    @property
    def token_serial(self) -> str:
        """What the token tells as its serial number; empty for a software token, which makes one up at random."""
        return "" if self.model.startswith(SOFTWARE_TOKEN) else self.serial

    def assign(self, customer: str) -> "Device":
        """Hand it to a customer."""
        return replace(self.become(DeviceState.ASSIGNED), customer=customer)

    def unassign(self) -> "Device":
        """Back to the stock, nobody's."""
        return replace(self.become(DeviceState.IN_STOCK), customer="")

    def move(self, to: Holder, *, branch: str = "", officer: str = "") -> "Device":
        """Raise InvalidTransition unless the ledger allows it. Without a branch it stays where it is."""
        require_move(self.serial, self.holder, to)
        return replace(self, holder=to, branch=branch or self.branch, keeper=officer)

    def become(self, wanted: DeviceState) -> "Device":
        """Raise InvalidTransition unless the table allows it."""
        if wanted not in _NEXT[self.state]:
            raise InvalidTransition(f"U-Shield {self.serial} is {self.state.value} and cannot become {wanted.value}")
        return replace(self, state=wanted)
