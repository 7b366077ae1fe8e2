"""Who holds a U-Shield, and the ledger that says how it came there (STANDARDS 2.4; ADR 0033).

The ledger only grows: a move that was wrong is followed by another one. What is handed from one person's keeping to
another's, or destroyed, travels as a consignment, and a second person ends it.
"""

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed

MOST_AT_ONCE = 200
"""U-Shields in one batch or one consignment: what two people count in one go, and one transaction moves in a second."""


class Holder(StrEnum):
    """Where a U-Shield is. `SUPPLIER` is only where the ledger begins."""

    SUPPLIER = "supplier"
    VAULT = "vault"
    BRANCH = "branch"
    OFFICER = "officer"
    IN_TRANSIT = "in-transit"
    CUSTOMER = "customer"
    RETURNED = "returned"
    DESTROYED = "destroyed"


_H = Holder
_NEXT: dict[Holder, frozenset[Holder]] = {
    _H.SUPPLIER: frozenset({_H.VAULT, _H.BRANCH}),
    _H.VAULT: frozenset({_H.IN_TRANSIT}),
    _H.BRANCH: frozenset({_H.OFFICER, _H.CUSTOMER, _H.IN_TRANSIT}),
    _H.OFFICER: frozenset({_H.BRANCH, _H.CUSTOMER}),
    # Back where it came from when the second person refuses.
    _H.IN_TRANSIT: frozenset({_H.VAULT, _H.BRANCH, _H.RETURNED, _H.DESTROYED}),
    # To the stock when an application came to nothing before anybody used its codes.
    _H.CUSTOMER: frozenset({_H.BRANCH, _H.RETURNED}),
    _H.RETURNED: frozenset({_H.IN_TRANSIT}),
    _H.DESTROYED: frozenset(),
}

AT_THE_COUNTER = frozenset({Holder.BRANCH, Holder.OFFICER})
"""From here a customer is given one."""


def transitions() -> dict[Holder, frozenset[Holder]]:
    """The table, for the drawing and the property test."""
    return dict(_NEXT)


def require_move(serial: str, held_by: Holder, to: Holder) -> None:
    """Raise InvalidTransition unless the table allows it."""
    require_held(serial, held_by, {holder for holder, allowed in _NEXT.items() if to in allowed}, to)


def require_held(serial: str, held_by: Holder, wanted: Container[Holder], to: Holder) -> None:
    """Raise InvalidTransition unless it is in one of these hands: not every act may make every move of the table."""
    if held_by not in wanted:
        raise InvalidTransition(f"U-Shield {serial} is with: {held_by.value}; from there it cannot go to: {to.value}")


@dataclass(frozen=True, slots=True)
class Move:
    """One entry of the ledger; never changed."""

    device_serial: str
    from_holder: Holder
    from_branch: str
    to_holder: Holder
    to_branch: str
    keeper: str
    """Employee number of the officer, or id of the customer, who has it now; empty for a place."""
    by_person: str
    at: datetime
    why: str = ""
    confirmed_by: str = ""
    """The second person, where it needs two; then `by_person` began it."""
    consignment: str = ""


class Purpose(StrEnum):
    """What a consignment is for."""

    TRANSFER = "transfer"
    DESTRUCTION = "destruction"


_FROM: dict[Purpose, frozenset[Holder]] = {
    Purpose.TRANSFER: frozenset({Holder.VAULT, Holder.BRANCH}),
    Purpose.DESTRUCTION: frozenset({Holder.VAULT, Holder.BRANCH, Holder.RETURNED}),
}


class ConsignmentState(StrEnum):
    """Where a consignment stands."""

    ON_ITS_WAY = "on-its-way"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Consignment:
    """U-Shields that one person gives away and another must confirm: received, or seen destroyed."""

    id: str
    purpose: Purpose
    serials: tuple[str, ...]
    origin: Holder
    from_branch: str
    to_branch: str
    why: str
    sent_by: str
    sent_at: datetime
    state: ConsignmentState = ConsignmentState.ON_ITS_WAY
    ended_by: str = ""
    ended_at: datetime | None = None
    reason: str = ""
    """Why it was refused."""

    def __post_init__(self) -> None:
        if self.origin not in _FROM[self.purpose]:
            allowed = ", ".join(sorted(_FROM[self.purpose]))
            raise InvalidRequest(f"a {self.purpose.value} begins at: {allowed}; these are with: {self.origin.value}")
        stays = self.from_branch == self.to_branch and self.origin is Holder.BRANCH
        if self.purpose is Purpose.TRANSFER and stays:
            raise InvalidRequest("these are in that branch's stock already; name another branch")

    def confirm(self, person: str, at: datetime) -> "Consignment":
        """By another person than the sender. Raises NotAllowed, InvalidTransition."""
        if person == self.sent_by:
            raise NotAllowed("who sent a consignment may not confirm it; another officer must")
        return self._end(ConsignmentState.CONFIRMED, person, at)

    def refuse(self, person: str, at: datetime, reason: str) -> "Consignment":
        """What did not arrive whole goes back to where it came from."""
        return replace(self._end(ConsignmentState.REFUSED, person, at), reason=reason)

    def _end(self, state: ConsignmentState, person: str, at: datetime) -> "Consignment":
        if self.state is not ConsignmentState.ON_ITS_WAY:
            raise InvalidTransition(f"this consignment was {self.state.value} already")
        return replace(self, state=state, ended_by=person, ended_at=at)
