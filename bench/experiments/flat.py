"""The same rate and latency however many certificates there are: random serial numbers asked over all of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.compare import disturbed
from bench.experiment import Bench, Experiment, Promise, Report, Unmeasured, judged, shown
from bench.figures import MEBIBYTES, MILLISECONDS, PER_SECOND, RATIO, at_least, at_most
from bench.load import Load, Subject, run_load
from bench.ocsp import is_revoked, write_requests
from bench.processes import Resident
from bench.product import Product, running_demo, stopped_demo
from bench.state import Filled, fill

_SIZES = ("smallest set", "middle set", "largest set")
_REVOKED_SHARE = 0.1
_LOOKED_AT = 1000
_WARM_UP_STEP = 3.0
_STILL_RISING = 1.1


@dataclass(frozen=True, slots=True)
class _AtSize:
    certificates: int
    loads: list[Load]
    memory: Resident
    warm: str

    @property
    def rates(self) -> list[float]:
        return [load.rate for load in self.loads]

    @property
    def p50s(self) -> list[float]:
        return [load.counted.p50_ms for load in self.loads]


def _promises() -> list[Promise]:
    found = []
    for size in _SIZES:
        found += [shown(f"flat, {size}: rate", PER_SECOND), shown(f"flat, {size}: p50", MILLISECONDS)]
    found.append(judged("flat: lowest rate as a share of the highest", at_least(0.80)))
    found.append(judged("flat: highest p50 as a multiple of the lowest", at_most(1.20, RATIO)))
    found.append(judged("flat: memory of a worker at the largest set", at_most(300, MEBIBYTES)))
    return found


def _measure(bench: Bench, report: Report) -> None:
    found = []
    for size, name in zip(bench.plan.sizes, _SIZES, strict=True):
        bench.say(f"  {size:,} certificates")
        found.append(_at_size(bench, size))
        note = f"{size:,} certificates, {found[-1].warm}{disturbed(found[-1].loads)}"
        report.put(f"flat, {name}: rate", found[-1].rates, note)
        report.put(f"flat, {name}: p50", found[-1].p50s)
    report.put("flat: lowest rate as a share of the highest", _per_round([one.rates for one in found], lowest=True))
    report.put("flat: highest p50 as a multiple of the lowest", _per_round([one.p50s for one in found], lowest=False))
    memory = found[-1].memory
    words = f"{memory.of_files:,.0f} MiB of it are files that all workers share"
    report.put("flat: memory of a worker at the largest set", [memory.total], words)


def _per_round(values: Sequence[Sequence[float]], *, lowest: bool) -> list[float]:
    """For each repeat: the lowest of the sizes as a share of the highest, or the other way round."""
    rounds = list(zip(*values, strict=True))
    return [min(one) / max(one) if lowest else max(one) / min(one) for one in rounds]


def _at_size(bench: Bench, size: int) -> _AtSize:
    state = stopped_demo(bench)
    filled = fill(state, size, revoked_share=_REVOKED_SHARE)
    serials = filled.sample(bench.plan.asked)
    with running_demo(state) as product:
        issuer = product.issuer
        requests = [issuer.request(serial) for serial in serials]
        answer_size = _look_at_answers(product, serials[:_LOOKED_AT], requests, filled)
        _ask_once(product, requests[_LOOKED_AT:])
        file = write_requests(bench.place("flat") / "requests", requests)
        subject = product.post("flat", answer_size, file, "many.lua")
        warm = _warm_up(subject, bench.plan.warm_up_seconds)
        loads = [run_load(subject, bench.plan.seconds) for _ in range(bench.plan.repeats)]
        return _AtSize(size, loads, product.largest_worker(), f"{len(serials):,} of them asked about, {warm}")


def _look_at_answers(product: Product, serials: Sequence[int], requests: Sequence[bytes], filled: Filled) -> int:
    """Compare with what is true. The shortest right answer's length."""
    revoked, sizes = set(filled.revoked), []
    asking = product.asking()
    for serial, request in zip(serials, requests, strict=False):
        answer = asking.post(request)
        if is_revoked(answer, serial) != (serial in revoked):
            raise Unmeasured(f"a wrong answer about certificate {serial:x}")
        sizes.append(len(answer))
    asking.close()
    return min(sizes)


def _ask_once(product: Product, requests: Sequence[bytes]) -> None:
    """What is asked for the first time is signed: that is measured elsewhere, and here it would be all that is seen."""
    asking = product.asking()
    for request in requests:
        asking.post(request)
    asking.close()


def _warm_up(subject: Subject, patience: float) -> str:
    """Load until every worker has met the questions: the rate no longer rises, or patience ends."""
    began, rate = time.monotonic(), 0.0
    while (elapsed := time.monotonic() - began) < patience:
        before, rate = rate, run_load(subject, _WARM_UP_STEP).rate
        if rate < before * _STILL_RISING:
            return f"warm after {elapsed:.0f} s"
    return f"still warming up after {elapsed:.0f} s"


FLAT = Experiment("flat", _promises(), _measure)
