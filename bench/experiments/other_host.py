"""A revocation as another host sees it: by a status process that has PostgreSQL, and not the map the signer rewrites.

It runs on this machine, so the network between two hosts is not in the figure.
"""

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from cryptography import x509

from bench import postgres
from bench.experiment import Bench, Experiment, Report, Unmeasured, judged
from bench.experiments.revocation import CONNECTIONS, seen_by_all
from bench.figures import MILLISECONDS, at_most, percentile
from bench.ocsp import NONCE_OCTETS, Asking, is_revoked
from bench.processes import ROOT, Server, free_ports, listens
from bench.product import Product, Revoker, demo_on, with_settings

_HOW = {"without nonce": 0, "with nonce": NONCE_OCTETS}
_SHARED = ("settings.toml", "publication", "trust", "secrets")
"""What a host with status alone has of the state directory (deploy/README.md)."""


def _row(how: str) -> str:
    return f"revoked until seen on another host {how}: p99"


def _measure(bench: Bench, report: Report) -> None:
    with (
        postgres.database() as url,
        demo_on(url, bench.directory / "a") as product,
        _another_host(bench.directory / "b", product, url) as port,
    ):
        waits = _hold_and_ask(product, [Asking(port, "/ocsp") for _ in range(CONNECTIONS)], bench.plan.revocations)
    for how, values in waits.items():
        note = f"{len(values)} times held, p50 {median(values):.2f} ms, longest {max(values):.2f} ms"
        report.put(_row(how), [percentile(values, 0.99)], note)


@contextmanager
def _another_host(state: Path, product: Product, url: str) -> Iterator[int]:
    """Port of its status process. A signer of its own would need an HSM on the network: it asks the one there is."""
    state.mkdir()
    for name in _SHARED:
        shared = product.state / name
        (shutil.copytree if shared.is_dir() else shutil.copy)(shared, state / name)
    (state / "run").mkdir(mode=0o700)
    for name in ("signer", "ocsp"):
        (state / "run" / f"{name}.sock").symlink_to(product.state / "run" / f"{name}.sock")
    (port,) = free_ports(1)
    settings = state / "settings.toml"
    listening = {"listening": {"http_port": str(port)}, "ocsp": {"workers": "2"}}
    settings.write_text(with_settings(settings.read_text("utf-8"), listening), "utf-8")
    status = Server(
        [sys.executable, "-m", "ca", "--state", state, "serve", "status"],
        ready=lambda _said: listens(port),
        log=state.with_suffix(".out"),
        cwd=ROOT,
        more={"PYTHONPATH": str(ROOT), "VERMILION_DATABASE_URL": url},
    )
    with status:
        yield port


def _hold_and_ask(product: Product, connections: Sequence[Asking], count: int) -> dict[str, list[float]]:
    """For either kind of request the time from the call's return to when all have seen it, in ms.

    A hold is a revocation that can be taken back, so one certificate that was really issued is enough.
    """
    revoker, serial = product.revoker(), _issued(product.state)
    waits: dict[str, list[float]] = {how: [] for how in _HOW}
    for number in range(count):
        how = list(_HOW)[number % len(_HOW)]
        request = product.issuer.request(serial, nonce=number.to_bytes(_HOW[how], "big") if _HOW[how] else None)
        if any(is_revoked(asking.post(request), serial) for asking in connections):
            raise Unmeasured("a certificate was on hold after it had been released")
        revoker.hold(serial)
        returned = time.monotonic()
        waits[how].append((seen_by_all(connections, request, serial, returned) - returned) * 1000)
        _release(revoker, serial, connections, request)
    for asking in connections:
        asking.close()
    return waits


def _release(revoker: Revoker, serial: int, connections: Sequence[Asking], request: bytes) -> None:
    revoker.release(serial)
    until = time.monotonic() + 5.0
    while any(is_revoked(asking.post(request), serial) for asking in connections):
        if time.monotonic() > until:
            raise Unmeasured("a release was not seen within 5 s")


def _issued(state: Path) -> int:
    """The demo's own certificate for TLS."""
    return x509.load_pem_x509_certificate((state / "tls" / "server.pem").read_bytes()).serial_number


OTHER_HOST = Experiment("other-host", [judged(_row(how), at_most(1000, MILLISECONDS)) for how in _HOW], _measure)
