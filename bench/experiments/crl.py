"""A CRL from the database: its time and memory, beside `openssl ca -gencrl`; a delta after a hundred revocations."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.experiment import Bench, Experiment, Report, Unmeasured, judged, shown
from bench.figures import MEBIBYTES, MILLISECONDS, SECONDS, TIMES, at_least, at_most
from bench.peers.authority import Authority
from bench.peers.openssl import crl_seconds, write_index
from bench.processes import ROOT, run
from bench.product import running_demo, stopped_demo
from bench.state import Filled, fill, make_crl_due, revoked_entries
from ca.domain.jobs import JOB_NAMES

_FULL_JOB, _DELTA_JOB = "crl", "crl-delta"
_REVOKED_BEFORE_DELTA = 100
_SECONDS = 600.0
_TIME, _MEMORY = "full CRL: time", "full CRL: memory above idle"
_OPENSSL, _OPENSSL_MEMORY = "full CRL beside openssl ca", "full CRL: memory of openssl ca"
_DELTA = f"delta CRL after {_REVOKED_BEFORE_DELTA} revocations: time"


@dataclass(frozen=True, slots=True)
class Published:
    """What a process of its own took."""

    seconds: float
    idle_mib: float
    peak_mib: float
    result: str


def publish(state: Path, job: str) -> Published:
    """Raises Unmeasured with the product's own word."""
    make_crl_due(state)
    argv = [sys.executable, "-m", "bench.crl_process", state, job]
    told: dict[str, Any] = json.loads(run(argv, timeout=_SECONDS, cwd=ROOT, PYTHONPATH=str(ROOT)))
    return Published(**told)


def _measure(bench: Bench, report: Report) -> None:
    entries = bench.plan.crl_entries
    state = stopped_demo(bench)
    filled = fill(state, entries + _REVOKED_BEFORE_DELTA, revoked_share=entries / (entries + _REVOKED_BEFORE_DELTA))
    bench.say(f"  {len(filled.revoked):,} entries")
    ours = _repeated(bench, report, _TIME, lambda: publish(state, _FULL_JOB))
    if ours:
        report.put(_TIME, [one.seconds for one in ours], f"{len(filled.revoked):,} entries, {ours[-1].result}")
        memory = [one.peak_mib - one.idle_mib for one in ours]
        report.put(_MEMORY, memory, f"idle {ours[-1].idle_mib:,.0f} MiB")
    _beside_openssl(bench, report, state, ours)
    _delta(report, state, filled)


def _repeated(bench: Bench, report: Report, row: str, act: Callable[[], Published]) -> list[Published]:
    try:
        return [act() for _ in range(bench.plan.crl_repeats)]
    except Unmeasured as reason:
        report.miss(row, reason)
        return []


def _beside_openssl(bench: Bench, report: Report, state: Path, ours: list[Published]) -> None:
    authority = Authority.made_in(bench.place("openssl-ca"))
    write_index(authority.directory / "index.txt", revoked_entries(state))
    theirs = [crl_seconds(authority) for _ in range(bench.plan.crl_repeats)]
    report.put(_OPENSSL_MEMORY, [mebibytes for _, mebibytes in theirs])
    if ours:
        times = [their[0] / our.seconds for our, their in zip(ours, theirs, strict=True)]
        report.put(_OPENSSL, times, f"{min(seconds for seconds, _ in theirs):.2f} s at best")


def _delta(report: Report, state: Path, filled: Filled) -> None:
    if _DELTA_JOB not in JOB_NAMES:
        report.miss(_DELTA, f"this release has no job {_DELTA_JOB!r}")
        return
    with running_demo(state) as product:
        revoke = product.revoker()
        for serial in filled.holding[:_REVOKED_BEFORE_DELTA]:
            revoke(serial)
    try:
        report.put(_DELTA, [publish(state, _DELTA_JOB).seconds * 1000])
    except Unmeasured as reason:
        report.miss(_DELTA, reason)


CRL = Experiment(
    "crl",
    [
        judged(_TIME, at_most(2.5, SECONDS)),
        judged(_MEMORY, at_most(128, MEBIBYTES)),
        judged(_OPENSSL, at_least(4, TIMES)),
        shown(_OPENSSL_MEMORY, MEBIBYTES),
        judged(_DELTA, at_most(50, MILLISECONDS)),
    ],
    _measure,
)
