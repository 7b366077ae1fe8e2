"""A revocation through the signer: how soon the next answer shows it, and what one more costs among many."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.experiment import Bench, Experiment, Report, Unmeasured, judged, shown
from bench.figures import MILLISECONDS, RATIO, Unit, at_most, percentile
from bench.ocsp import NONCE_OCTETS, Asking, is_revoked
from bench.processes import cpu_seconds, wait_until_quiet
from bench.product import Product, running_demo, stopped_demo
from bench.state import fill

_CERTIFICATES = 1000
CONNECTIONS = 4
"""Each goes to a worker of the system's choosing; what one has seen the others must see, too."""
_GIVEN_UP_SECONDS = 5.0
_TIMED_AT_MOST_SECONDS = 60.0
_SETTLED_SECONDS = 1.0
_HOW = {"without nonce": 0, "with nonce": NONCE_OCTETS}
_CALL = "revocation: the call itself, p50"
_SAME = "one more revocation: time, largest ÷ smallest set"
_SAME_CPU = "one more revocation: cpu, largest ÷ smallest set"
_CPU = Unit(" ms", 1)


def _row(how: str) -> str:
    return f"revoked until seen {how}: p99"


def _measure_seen(bench: Bench, report: Report) -> None:
    state = stopped_demo(bench)
    filled = fill(state, max(_CERTIFICATES, 2 * bench.plan.revocations), revoked_share=0.1)
    with running_demo(state) as product:
        waits, calls = _revoke_and_ask(product, filled.holding[: bench.plan.revocations])
    for how, values in waits.items():
        middle, longest = median(values), max(values)
        note = f"{len(values)} revocations, p50 {middle:.2f} ms, longest {longest:.2f} ms"
        report.put(_row(how), [percentile(values, 0.99)], "; ".join(filter(None, [note, product.workers])))
    report.put(_CALL, [median(calls)])


def _revoke_and_ask(product: Product, serials: Sequence[int]) -> tuple[dict[str, list[float]], list[float]]:
    """For either kind of request the time from the call's return to the first answer that says revoked, in ms."""
    revoke, issuer = product.revoker(), product.issuer
    connections = [product.asking() for _ in range(CONNECTIONS)]
    waits: dict[str, list[float]] = {how: [] for how in _HOW}
    calls = []
    for number, serial in enumerate(serials):
        how = list(_HOW)[number % len(_HOW)]
        request = issuer.request(serial, nonce=number.to_bytes(_HOW[how], "big") if _HOW[how] else None)
        for asking in connections:
            if is_revoked(asking.post(request), serial):
                raise Unmeasured("a certificate was revoked before anybody revoked it")
        began = time.monotonic()
        revoke(serial)
        returned = time.monotonic()
        calls.append((returned - began) * 1000)
        waits[how].append((seen_by_all(connections, request, serial, returned) - returned) * 1000)
    for asking in connections:
        asking.close()
    return waits, calls


def seen_by_all(connections: Sequence[Asking], request: bytes, serial: int, since: float) -> float:
    """When the last connection had its first answer that says revoked."""
    seen = since
    for asking in connections:
        while not is_revoked(asking.post(request), serial):
            if time.monotonic() - since > _GIVEN_UP_SECONDS:
                raise Unmeasured(f"still not seen {_GIVEN_UP_SECONDS:g} s after a revocation")
        seen = time.monotonic()
    return seen


@dataclass(frozen=True, slots=True)
class _Cost:
    milliseconds: float
    cpu_milliseconds: float
    revocations: int


def _measure_cost(bench: Bench, report: Report) -> None:
    smallest, largest = bench.plan.sizes[0], bench.plan.sizes[-1]
    costs = {}
    for size, name in ((smallest, "smallest"), (largest, "largest")):
        bench.say(f"  {size:,} revoked certificates")
        costs[name] = cost = _cost(bench, size)
        note = f"{size:,} revoked certificates, {cost.revocations} more"
        report.put(f"one more revocation: time, {name} set", [cost.milliseconds], note)
        report.put(f"one more revocation: cpu, {name} set", [cost.cpu_milliseconds], "of all processes, for each")
    small, large = costs["smallest"], costs["largest"]
    report.put(_SAME, [large.milliseconds / small.milliseconds])
    report.put(_SAME_CPU, [large.cpu_milliseconds / small.cpu_milliseconds])


def _cost(bench: Bench, size: int) -> _Cost:
    count = bench.plan.revocations_timed
    state = stopped_demo(bench)
    filled = fill(state, size + 2 * count, revoked_share=size / (size + 2 * count))
    with running_demo(state) as product:
        revoke = product.revoker()
        revoke(filled.holding[0])
        # The first full bundle and list of a set are made after the start, not by one more revocation.
        if not wait_until_quiet(product.pid):
            raise Unmeasured("the product was never at rest after its start")
        took, before, began = [], cpu_seconds(product.pid), time.monotonic()
        for serial in filled.holding[1 : count + 1]:
            started = time.monotonic()
            revoke(serial)
            took.append((time.monotonic() - started) * 1000)
            if time.monotonic() - began > _TIMED_AT_MOST_SECONDS:
                break
        time.sleep(_SETTLED_SECONDS)  # what the call left to be done later counts as well
        used = cpu_seconds(product.pid) - before
    return _Cost(median(took), used * 1000 / len(took), len(took))


SEEN = Experiment(
    "seen", [*(judged(_row(how), at_most(50, MILLISECONDS)) for how in _HOW), shown(_CALL, MILLISECONDS)], _measure_seen
)
COST = Experiment(
    "cost",
    [
        shown("one more revocation: time, smallest set", MILLISECONDS),
        shown("one more revocation: time, largest set", MILLISECONDS),
        judged(_SAME, at_most(1.20, RATIO)),
        shown("one more revocation: cpu, smallest set", _CPU),
        shown("one more revocation: cpu, largest set", _CPU),
        shown(_SAME_CPU, RATIO),
    ],
    _measure_cost,
)
