"""1,000 customers download their certificates at the same moment against one signer: none may be lost."""

import json
import ssl
import sys
import time
import tomllib
from collections import Counter
from statistics import median

from bench.downloads import Bank, Customer, all_at_once
from bench.experiment import Bench, Experiment, Report, Unmeasured, judged, shown
from bench.figures import PER_SECOND, SECONDS, Unit, at_most, percentile
from bench.processes import run
from bench.product import Product, new_demo
from bench.state import active_certificates
from ca.demo.codes import make_codes
from ca.demo.officers import DemoOfficers
from ca.signer_client import SignerClient

COUNT = Unit("", 0)
LOST = "downloads lost"
SLOWEST = "slowest single answer"
RATE = "downloads"
P50, P99 = "whole download: p50", "whole download: p99"
RETRIES = "came again"
OF_SIGNING = "downloads of raw signatures"
_SIGNER_SECONDS = 60.0


def _measure(bench: Bench, report: Report) -> None:
    with new_demo(bench.directory / "portal") as product:
        settings = tomllib.loads((product.state / "settings.toml").read_text("utf-8"))
        port = int(settings["listening"]["https_port"])
        bank = Bank(port, _trust(product), f"https://localhost:{port}")
        before = active_certificates(product.state)
        bench.say(f"  making {bench.plan.downloads} pairs of codes")
        signer = SignerClient(product.state / "run" / "signer.sock", timeout=_SIGNER_SECONDS)
        officers = DemoOfficers(signer, product.state / "demo")
        codes = make_codes(officers, "personal-signing", bench.plan.downloads)
        customers = [Customer.ready(number, pair) for number, pair in enumerate(codes)]
        own, wall = time.process_time(), all_at_once(customers, bank)
        own = time.process_time() - own
        active = active_certificates(product.state) - before
    argv = [sys.executable, "-m", "bench.signing_process", product.state, str(bench.plan.seconds), "issuing"]
    signing = json.loads(run(argv, timeout=300))["verified"]
    put(report, customers, active, wall, own, signing)


def put(
    report: Report, customers: list[Customer], active: int, wall: float, own: float, signing: float
) -> None:  # fmt: skip
    """The rows. A download counts when customer and database both have it, with a serial number of its own."""
    done = [one for one in customers if one.status == "active"]
    if not done:
        raise Unmeasured(f"no download came to its end: {_troubles(customers)}")
    lost = len(customers) - min(len({one.serial for one in done}), active)
    report.put(LOST, [lost], f"of {len(customers)} at once; {active} active in the database")
    report.put(SLOWEST, [max(one.slowest for one in customers)], "the tool waits 60 s for one")
    report.put(RATE, [len(done) / wall], f"in {wall:.1f} s, {own:.1f} s of it the customers' own processor time")
    report.put(P50, [median(one.seconds for one in done)])
    report.put(P99, [percentile([one.seconds for one in done], 0.99)])
    report.put(RETRIES, [sum(one.retries for one in customers)], _troubles(customers))
    note = f"{signing:,.0f}/s signed and verified with the issuing key alone"
    report.put(OF_SIGNING, [len(done) / wall / signing], note)


def _troubles(customers: list[Customer]) -> str:
    counted = Counter(words for one in customers for words in one.trouble)
    return ", ".join(f"{count} x {words}" for words, count in counted.most_common(3))


def _trust(product: Product) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=product.state / "trust" / "root.pem")


PORTAL = Experiment(
    "portal",
    [
        judged(LOST, at_most(0, COUNT)),
        judged(SLOWEST, at_most(60, SECONDS)),
        shown(RATE, PER_SECOND),
        shown(P50, SECONDS),
        shown(P99, SECONDS),
        shown(RETRIES, COUNT),
        shown(OF_SIGNING, Unit("", 4)),
    ],
    _measure,
)
