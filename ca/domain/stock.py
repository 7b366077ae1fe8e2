"""A branch's stock of U-Shields: the evening balance, and what must not happen (STANDARDS 2.4; ADR 0033)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ca.domain.custody import Holder
from ca.domain.errors import InvalidTransition, NotAllowed

COUNTED = (Holder.VAULT, Holder.BRANCH, Holder.OFFICER, Holder.RETURNED)
"""What lies at a branch and can be counted by hand."""
AT_A_BRANCH = (*COUNTED, Holder.IN_TRANSIT)
"""What a branch answers for."""


@dataclass(frozen=True, slots=True, order=True)
class MoveSum:
    """How many U-Shields took one way in some time."""

    from_holder: Holder
    from_branch: str
    to_holder: Holder
    to_branch: str
    count: int


@dataclass(frozen=True, slots=True)
class Line:
    """One holder's part of a balance: opening + arrived - left = closing."""

    holder: Holder
    opening: int
    arrived: int
    left: int
    closing: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The branch as a whole: opening + received + returned - handed out - sent - destroyed = closing."""

    opening: int
    received: int
    """From the supplier or another branch."""
    returned: int
    handed_out: int
    sent: int
    destroyed: int
    closing: int


def lines(branch: str, held: Mapping[Holder, int], moves: Iterable[MoveSum]) -> tuple[Line, ...]:
    """A branch's balance: what it holds now, and what moved since the last one."""
    sums = list(moves)
    found = []
    for holder in AT_A_BRANCH:
        arrived = sum(one.count for one in sums if (one.to_holder, one.to_branch) == (holder, branch))
        left = sum(one.count for one in sums if (one.from_holder, one.from_branch) == (holder, branch))
        closing = held.get(holder, 0)
        found.append(Line(holder, closing - arrived + left, arrived, left, closing))
    return tuple(found)


def totals(branch: str, held: Mapping[Holder, int], moves: Iterable[MoveSum]) -> Totals:
    """The same for the branch as a whole; what moves within it does not show."""
    received = returned = handed_out = sent = destroyed = 0
    for one in moves:
        was_ours = one.from_holder in AT_A_BRANCH and one.from_branch == branch
        is_ours = one.to_holder in AT_A_BRANCH and one.to_branch == branch
        if is_ours and not was_ours and one.from_holder is Holder.CUSTOMER:
            returned += one.count
        elif is_ours and not was_ours:
            received += one.count
        elif was_ours and one.to_holder is Holder.CUSTOMER:
            handed_out += one.count
        elif was_ours and one.to_holder is Holder.DESTROYED:
            destroyed += one.count
        elif was_ours and not is_ours:
            sent += one.count
    closing = sum(held.get(holder, 0) for holder in AT_A_BRANCH)
    opening = closing - received - returned + handed_out + sent + destroyed
    return Totals(opening, received, returned, handed_out, sent, destroyed, closing)


class BalanceState(StrEnum):
    """Where an evening balance stands."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Balance:
    """What a branch counted in the evening beside what it should have."""

    id: str
    branch: str
    since: datetime | None
    """The last confirmed balance; None for the first one."""
    at: datetime
    lines: tuple[Line, ...]
    counted: Mapping[Holder, int]
    counted_by: str
    state: BalanceState = BalanceState.PROPOSED
    confirmed_by: str = ""
    confirmed_at: datetime | None = None

    @property
    def differences(self) -> Mapping[Holder, int]:
        """Counted minus expected, where they are not the same."""
        expected = {line.holder: line.closing for line in self.lines}
        apart = {holder: self.counted.get(holder, 0) - expected.get(holder, 0) for holder in COUNTED}
        return {holder: number for holder, number in apart.items() if number}

    def confirm(self, person: str, at: datetime) -> "Balance":
        """By another person than the one who counted. Raises NotAllowed, InvalidTransition."""
        if person == self.counted_by:
            raise NotAllowed("who counted may not confirm the count; another officer must")
        return replace(self._become(BalanceState.CONFIRMED), confirmed_by=person, confirmed_at=at)

    def void(self) -> "Balance":
        """It was counted again."""
        return self._become(BalanceState.VOID)

    def _become(self, state: BalanceState) -> "Balance":
        if self.state is not BalanceState.PROPOSED:
            raise InvalidTransition(f"this balance is {self.state.value} already")
        return replace(self, state=state)


class AlarmKind(StrEnum):
    """What must not happen to U-Shields."""

    SERIAL_TWICE = "serial-at-two-branches"
    SAME_KEY = "one-key-on-two-u-shields"
    NOT_BORN_HERE = "key-not-born-on-u-shield"
    REFUSED = "consignment-refused"
    MISCOUNT = "count-differs"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that an officer must look into; open until a supervisor says what was found."""

    id: str
    kind: AlarmKind
    branch: str
    subject: str
    """The U-Shield's serial number, the consignment or the balance."""
    told: str
    raised_by: str
    raised_at: datetime
    settled_by: str = ""
    settled_at: datetime | None = None
    finding: str = ""

    def settle(self, person: str, at: datetime, finding: str) -> "Alarm":
        """Raise InvalidTransition when that was done already."""
        if self.settled_by:
            raise InvalidTransition("this alarm was settled already")
        return replace(self, settled_by=person, settled_at=at, finding=finding)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A line of a list of U-Shields, by its number in the file (from 1)."""

    number: int
    serial: str


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row does not stand."""

    row: int
    serial: str
    problem: str


def list_twice(rows: Sequence[BatchRow]) -> list[RowProblem]:
    """Every row that repeats an earlier one; capital and small letters are the same engraving."""
    first: dict[str, int] = {}
    found = []
    for row in rows:
        known = first.setdefault(row.serial.casefold(), row.number)
        if known != row.number:
            found.append(RowProblem(row.number, row.serial, f"this is in row {known} already"))
    return found
