"""A CRL from the database: its time and memory, beside `openssl ca -gencrl`; a delta after a hundred revocations."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from bench.experiment import Bench, Experiment, Report, Unmeasured, judged, shown
from bench.figures import MEBIBYTES, MILLISECONDS, SECONDS, TIMES, at_least, at_most
from bench.peers.authority import Authority
from bench.peers.openssl import crl_seconds, write_index
from bench.processes import ROOT, run
from bench.product import running_demo, stopped_demo
from bench.state import Filled, fill, make_crl_due, revoked_entries

_FULL_JOB, _AFTER_CHANGE_JOB = "crl", "crl-after-change"
_LARGEST_DELTA = 1 << 20
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


def publish(state: Path, job: str, *how: str) -> Published:
    """Raises Unmeasured with the product's own word."""
    make_crl_due(state)
    argv = [sys.executable, "-m", "bench.crl_process", state, job, *how]
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
    _delta(bench, report, state, filled)


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


def _delta(bench: Bench, report: Report, state: Path, filled: Filled) -> None:
    try:
        with running_demo(state) as product:
            revoke = product.revoker()
            first, *rest = filled.holding[:_REVOKED_BEFORE_DELTA]
            revoke(first)
            require_delta(state)  # before a hundred revocations are made for nothing
            for serial in rest:
                revoke(serial)
        took = [publish(state, _AFTER_CHANGE_JOB, "again").seconds * 1000 for _ in range(bench.plan.crl_repeats)]
        report.put(_DELTA, took, f"{require_delta(state):,} entries")
    except Unmeasured as reason:
        report.miss(_DELTA, reason)


def require_delta(state: Path) -> int:
    """How many entries the newest delta in the public place has. Raises Unmeasured when there is none."""
    paths = sorted((state / "publication").rglob("*.crl"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in paths:
        if path.stat().st_size < _LARGEST_DELTA:
            crl = x509.load_der_x509_crl(path.read_bytes())
            if any(extension.oid == ExtensionOID.DELTA_CRL_INDICATOR for extension in crl.extensions):
                return len(crl)
    raise Unmeasured("a revocation published no delta CRL")


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
