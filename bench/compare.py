"""Everybody is asked in turn, round by round, so that what disturbs the machine disturbs all of them alike."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from statistics import median

from bench.experiment import Bench, Report, Unmeasured
from bench.load import Load, Subject, run_load
from bench.machine import TRUSTED_SHARE

_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Round:
    """One run of each."""

    ceiling: Load
    loads: dict[str, Load]

    def wall(self, name: str) -> float:
        """Requests a second, as a share of nginx's."""
        return self.loads[name].rate / self.ceiling.rate

    def cpu(self, name: str) -> float:
        """nginx's processor time for a request, as a share of the subject's."""
        return self.ceiling.cpu_per_request / self.loads[name].cpu_per_request

    def p99(self, name: str) -> float:
        """In milliseconds."""
        return self.loads[name].counted.p99_ms

    def times(self, name: str, other: str) -> float:
        """How many times as fast as another."""
        return self.loads[name].rate / self.loads[other].rate


@dataclass(slots=True)
class Comparison:
    """The rounds of those who answered, and why the others did not."""

    rounds: list[Round] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def put_ratios(self, report: Report, row: str, name: str, note: str = "") -> None:
        """wall and cpu, with the plain figures behind them in the remark."""
        words = [note] if name in self.failed else [remark(self.rounds, name), note]
        self._put(report, f"{row}: wall", [name], lambda one: one.wall(name), "; ".join(filter(None, words)))
        if any(promised.name == f"{row}: cpu" for promised in report.promises):
            self._put(report, f"{row}: cpu", [name], lambda one: one.cpu(name))

    def put_p99(self, report: Report, row: str, name: str) -> None:
        """The slowest of a hundred."""
        self._put(report, f"{row}: p99", [name], lambda one: one.p99(name))

    def put_times(self, report: Report, row: str, name: str, other: str) -> None:
        """How many times as fast as another, with the other's rate in the remark."""
        note = ""
        if other not in self.failed:
            note = f"{median(one.loads[other].rate for one in self.rounds):,.0f}/s"
        self._put(report, row, [name, other], lambda one: one.times(name, other), note)

    def add_apart(self, bench: Bench, name: str, way: Callable[[], AbstractContextManager[Subject]]) -> None:
        """A peer that would spoil what runs beside it: started anew for each round, after all others are done."""
        try:
            for one in self.rounds:
                with way() as subject:
                    one.loads[name] = run_load(subject, bench.plan.seconds)
        except Unmeasured as reason:
            self.failed[name] = str(reason)

    def _put(
        self, report: Report, row: str, names: Sequence[str], value: Callable[[Round], float], note: str = ""
    ) -> None:
        failed = [self.failed[name] for name in names if name in self.failed]
        if failed:
            report.miss(row, failed[0])
        else:
            report.put(row, [value(one) for one in self.rounds], note)


def compare(bench: Bench, ceiling: Subject, subjects: Sequence[Subject]) -> Comparison:
    """Rounds of the ceiling and each subject, after a short run of each that does not count."""
    comparison = Comparison()

    def load(subject: Subject, seconds: float) -> dict[str, Load]:
        if subject.name in comparison.failed:
            return {}
        try:
            return {subject.name: run_load(subject, seconds)}
        except Unmeasured as reason:
            comparison.failed[subject.name] = str(reason)
            return {}

    run_load(ceiling, _WARM_UP_SECONDS)
    for subject in subjects:
        load(subject, _WARM_UP_SECONDS)
    for _ in range(bench.plan.repeats):
        top, loads = run_load(ceiling, bench.plan.seconds), dict[str, Load]()
        for subject in subjects:
            loads |= load(subject, bench.plan.seconds)
        comparison.rounds.append(Round(top, loads))
    return comparison


def remark(rounds: Sequence[Round], name: str) -> str:
    """The plain figures behind a subject's ratios."""
    rate = median(one.loads[name].rate for one in rounds)
    ceiling = median(one.ceiling.rate for one in rounds)
    loads = [load for one in rounds for load in (one.ceiling, one.loads[name])]
    return f"{rate:,.0f}/s of {ceiling:,.0f}/s{disturbed(loads)}"


def disturbed(loads: Iterable[Load]) -> str:
    """A word when others took too much of the machine for figures to be trusted."""
    share = max(load.others_share for load in loads)
    return f", others took {share:.0%}" if share > TRUSTED_SHARE else ""
