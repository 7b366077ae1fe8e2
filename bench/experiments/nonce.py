"""A nonce in each request, so that each answer is signed when it is asked for: with either place for the key."""

import json
import sys
from pathlib import Path

from bench import nginx
from bench.compare import compare, disturbed
from bench.experiment import Bench, Experiment, Report, Unmeasured, judged, shown
from bench.experiments.cached import CERTIFICATES
from bench.figures import MILLISECONDS, RATIO, TIMES, at_least, at_most
from bench.load import Subject, run_load
from bench.ocsp import NONCE_OCTETS, require_good, write_request
from bench.peers import django_ca
from bench.processes import ROOT, run
from bench.product import KEY_IN_MEMORY, Product, running_demo, stopped_demo
from bench.state import fill

_MEMORY, _HSM = "nonce, key in memory", "nonce, key in SoftHSM"
_BESIDE = "beside django-ca"
_MANY = 64
_SHARE = f"{_HSM}, {_MANY} connections: of signing and verifying alone"
_SIGNING_SECONDS = 120.0


def _measure_memory(bench: Bench, report: Report) -> None:
    state = stopped_demo(bench)
    serial = fill(state, CERTIFICATES, revoked_share=0.1).holding[0]
    with running_demo(state, needs=KEY_IN_MEMORY) as product:
        _measure(bench, report, product, serial, _MEMORY)


def _measure_hsm(bench: Bench, report: Report) -> None:
    state = stopped_demo(bench)
    serial = fill(state, CERTIFICATES, revoked_share=0.1).holding[0]
    alone = _alone(bench, state)
    with running_demo(state) as product:
        _measure(bench, report, product, serial, _HSM)
        ours = _subject(bench, product, serial)
        loads = [run_load(ours, bench.plan.seconds, connections=_MANY) for _ in range(bench.plan.repeats)]
    note = f"{alone['verified']:,.0f}/s alone, {alone['signed']:,.0f}/s without verifying{disturbed(loads)}"
    report.put(_SHARE, [load.rate / alone["verified"] for load in loads], note)


def _alone(bench: Bench, state: Path) -> dict[str, float]:
    """What the HSM reaches when nothing else is done. Raises Unmeasured."""
    argv = [sys.executable, "-m", "bench.signing_process", state, str(bench.plan.seconds), "responder"]
    told: dict[str, float] = json.loads(run(argv, timeout=_SIGNING_SECONDS, cwd=ROOT, PYTHONPATH=str(ROOT)))
    return told


def _measure(bench: Bench, report: Report, product: Product, serial: int, row: str) -> None:
    ours = _subject(bench, product, serial)
    with nginx.ceiling(bench.place("ceiling"), ours.answer_size) as ceiling:
        try:
            with django_ca.serving(bench, bench.place("django-ca"), cached=False) as peer:
                found = compare(bench, ceiling, [ours, peer])
        except Unmeasured as reason:
            found = compare(bench, ceiling, [ours])
            found.failed["django-ca"] = str(reason)
    found.put_ratios(report, row, ours.name, product.workers)
    found.put_p99(report, row, ours.name)
    found.put_times(report, f"{row} {_BESIDE}", ours.name, "django-ca")


def _subject(bench: Bench, product: Product, serial: int) -> Subject:
    request = product.issuer.request(serial, nonce=bytes(NONCE_OCTETS))
    asking = product.asking()
    size = require_good(asking.post(request), serial)
    asking.close()
    return product.post("nonce", size, write_request(bench.place("nonce") / "request", request), "nonce.lua")


NONCE_MEMORY = Experiment(
    "nonce-memory",
    [
        judged(f"{_MEMORY}: wall", at_least(0.20)),
        shown(f"{_MEMORY}: p99", MILLISECONDS),
        judged(f"{_MEMORY} {_BESIDE}", at_least(20, TIMES)),
    ],
    _measure_memory,
)
NONCE_HSM = Experiment(
    "nonce-hsm",
    [
        judged(f"{_HSM}: wall", at_least(0.08)),
        judged(f"{_HSM}: p99", at_most(25, MILLISECONDS)),
        shown(_SHARE, RATIO),
        judged(f"{_HSM} {_BESIDE}", at_least(20, TIMES)),
    ],
    _measure_hsm,
)
