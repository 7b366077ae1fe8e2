"""What was measured, what was wanted, and whether the one reaches the other. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median


class Verdict(Enum):
    """How a row ends. Only the first two leave the exit status at 0."""

    MET = "met"
    SHOWN = "shown"
    MISSED = "MISSED"
    UNMEASURED = "NOT MEASURED"


@dataclass(frozen=True, slots=True)
class Unit:
    """How a number is written."""

    name: str
    decimals: int = 2

    def written(self, value: float) -> str:
        return f"{value:,.{self.decimals}f}{self.name}"


RATIO = Unit("")
TIMES = Unit(" x")
PER_SECOND = Unit("/s", 0)
MILLISECONDS = Unit(" ms")
SECONDS = Unit(" s")
MEBIBYTES = Unit(" MiB", 0)


@dataclass(frozen=True, slots=True)
class Target:
    """A bound, and on which side of it one must be."""

    bound: float
    unit: Unit
    at_least: bool

    def is_met_by(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.unit.written(self.bound)}"


def at_least(bound: float, unit: Unit = RATIO) -> Target:
    """The more the better."""
    return Target(bound, unit, at_least=True)


def at_most(bound: float, unit: Unit) -> Target:
    """The less the better."""
    return Target(bound, unit, at_least=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number measured several times: the median counts, the spread is shown."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    def written(self, unit: Unit) -> str:
        middle = unit.written(self.median)
        if len(self.values) == 1:
            return middle
        number = Unit("", unit.decimals)
        return f"{middle} ({number.written(min(self.values))}-{number.written(max(self.values))})"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. Without a figure, `note` says why; without a target, it is only shown."""

    name: str
    unit: Unit
    target: Target | None
    figure: Figure | None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.figure is None:
            return Verdict.UNMEASURED
        if self.target is None:
            return Verdict.SHOWN
        return Verdict.MET if self.target.is_met_by(self.figure.median) else Verdict.MISSED


def exit_status(rows: Sequence[Row]) -> int:
    """1 when a target is missed, or could not be tried: what nobody measured is not reached."""
    bad = {Verdict.MISSED, Verdict.UNMEASURED}
    return int(any(row.target is not None and row.verdict in bad for row in rows))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[int(rank) - 1]
