"""An experiment promises rows beforehand, so that one that cannot be measured is seen and not forgotten."""

import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import RATIO, Figure, Row, Target, Unit


class Unmeasured(Exception):
    """Something is missing here; the message says what, for the remark of the row."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A row to come."""

    name: str
    target: Target | None = None
    unit: Unit = RATIO


def judged(name: str, target: Target) -> Promise:
    """A row with a target."""
    return Promise(name, target, target.unit)


def shown(name: str, unit: Unit) -> Promise:
    """A row without one."""
    return Promise(name, None, unit)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often."""

    seconds: float
    """Of one load run."""
    repeats: int
    sizes: tuple[int, int, int]
    """Certificates in the database, for what must not depend on them."""
    asked: int
    """Different serial numbers that are asked about, at most."""
    warm_up_seconds: float
    """At most; until the rate no longer rises."""
    crl_entries: int
    crl_repeats: int
    revocations: int
    revocations_timed: int
    """At each size, for the cost of one more."""
    downloads: int
    """Of as many customers at once."""
    customers: int
    """In the database under the console; ten times as many audit events."""


FULL = Plan(8.0, 5, (10**3, 10**5, 10**6), 100_000, 120.0, 10**6, 3, 300, 20, 1000, 10**6)
QUICK = Plan(1.5, 2, (10**3, 3 * 10**3, 10**4), 2_000, 10.0, 10**4, 2, 40, 5, 200, 10**4)


@dataclass(slots=True)
class Report:
    """Takes the figures of one experiment; every promise becomes a row."""

    promises: Sequence[Promise]
    _rows: dict[str, Row] = field(default_factory=dict)

    def put(self, name: str, values: Sequence[float], note: str = "") -> None:
        """What was measured for a promised row."""
        self._keep(name, Figure(tuple(values)), note)

    def miss(self, name: str, why: object) -> None:
        """A promised row that cannot be measured here."""
        self._keep(name, None, str(why))

    def _keep(self, name: str, figure: Figure | None, note: str) -> None:
        promised = {one.name: one for one in self.promises}[name]
        self._rows[name] = Row(name, promised.unit, promised.target, figure, note)

    def rows(self, why: str = "not reached") -> list[Row]:
        """All promised rows in order; `why` is the remark of those that nobody filled."""
        return [self._rows.get(one.name) or Row(one.name, one.unit, one.target, None, why) for one in self.promises]


@dataclass(frozen=True, slots=True)
class Bench:
    """What every experiment is given."""

    plan: Plan
    directory: Path
    """For this run, removed after it."""
    cache: Path
    """Survives: what takes long to install."""
    say: Callable[[str], None]

    def place(self, name: str) -> Path:
        """A new directory of its own."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.directory))


@dataclass(frozen=True, slots=True)
class Experiment:
    """Some rows that are measured together."""

    name: str
    promises: Sequence[Promise]
    measure: Callable[[Bench, Report], None]


def run_experiment(experiment: Experiment, bench: Bench) -> list[Row]:
    """Its rows, whatever happens."""
    report = Report(experiment.promises)
    try:
        experiment.measure(bench, report)
    except Unmeasured as reason:
        return report.rows(str(reason))
    except Exception as defect:  # noqa: BLE001 - a run takes long: what the others found must not be lost
        bench.say(traceback.format_exc())
        return report.rows(f"a defect of the bench: {defect!r}")
    return report.rows()


def chosen(experiments: Sequence[Experiment], only: Sequence[str]) -> list[Experiment]:
    """Those named, or whose rows contain the words. Raises LookupError for words that fit none."""
    if not only:
        return list(experiments)
    fits: Mapping[str, list[Experiment]] = {
        words: [one for one in experiments if _fits(one, words.lower())] for words in only
    }
    for words, found in fits.items():
        if not found:
            raise LookupError(f"no row is called {words!r}; there are {', '.join(one.name for one in experiments)}")
    return [one for one in experiments if any(one in found for found in fits.values())]


def _fits(experiment: Experiment, words: str) -> bool:
    return words == experiment.name or any(words in one.name.lower() for one in experiment.promises)
