"""Every list, search and page of the operator console over 10^6 customers and 10^7 events."""

import random
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from statistics import median

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.bank import EVENTS_EACH, LARGEST, SMALLEST, Bank
from bench.bank_filling import Filled, fill_postgres, fill_sqlite
from bench.console_app import Console, Person, Visit, console
from bench.console_pages import NOT_MEASURED, PAGES, Address, Asked
from bench.console_signer import real_signer
from bench.experiment import Bench, Experiment, Promise, Report, Unmeasured, judged, shown
from bench.figures import MILLISECONDS, SECONDS, Unit, at_most, percentile
from bench.machine import TRUSTED_SHARE
from bench.postgres import FOR_FILLING, database
from bench.processes import Watch

_ALLOWED = at_most(150, MILLISECONDS)
_EACH = 30
"""Requests for each page and officer, of different rows where a page is of one."""
_WARM_UP = 3
_RA = ("ra-operator", "ra-approver", "ra-supervisor")
PEOPLE = {
    one.word: one
    for one in (
        Person("small branch", SMALLEST, _RA),
        Person("largest branch", LARGEST, _RA),
        Person("auditor", "Head office", ("auditor",)),
        Person("security officer", "Head office", ("security-officer",)),
        Person("CA administrator", "Head office", ("ca-administrator",)),
    )
}
_USUAL = ("small branch", "largest branch", "auditor")
"""Who asks for a page, if it opens to one of them: the others see what the auditor sees."""
_BY_KEY = "one row by its key, p50"
_FILLING = "filling the database"
_COUNTING = "counting the home page's figures"
_MINUTES = Unit(" min", 1)


def _promises(kind: str) -> list[Promise]:
    return [
        shown(f"{kind}: {_FILLING}", _MINUTES),
        shown(f"{kind}: {_COUNTING}", SECONDS),
        shown(f"{kind}: {_BY_KEY}", MILLISECONDS),
        *(judged(f"{kind}: {name}", _ALLOWED) for name in PAGES),
        *(shown(f"{kind}: not measured: {endpoint}", MILLISECONDS) for endpoint in NOT_MEASURED),
    ]


def _measure_sqlite(bench: Bench, report: Report) -> None:
    bank, path = _bank(bench), bench.place("console") / "console.sqlite3"
    filled = fill_sqlite(path, bank)
    _measure(bench, report, "sqlite", bank, str(path), filled, f", {path.stat().st_size / 2**30:.1f} GiB")


def _measure_postgres(bench: Bench, report: Report) -> None:
    bank = _bank(bench)
    with database(*FOR_FILLING) as url:
        _measure(bench, report, "postgresql", bank, url, fill_postgres(url, bank))


def _bank(bench: Bench) -> Bank:
    bench.say(f"  {bench.plan.customers:,} customers")
    return Bank(bench.plan.customers, int(time.time()), *any_certificate())


def _size(bank: Bank) -> str:
    return f"{bank.customers:,} customers and certificates, {bank.customers * EVENTS_EACH:,} events"


def _measure(
    bench: Bench, report: Report, kind: str, bank: Bank, database_url: str, filled: Filled, more: str = ""
) -> None:
    report.put(f"{kind}: {_FILLING}", [filled.seconds / 60], _size(bank) + more)
    report.put(f"{kind}: {_COUNTING}", [filled.figures], "by the job, every 5 minutes")
    for endpoint, why in NOT_MEASURED.items():
        report.miss(f"{kind}: not measured: {endpoint}", why)
    drawn = random.Random(bank.customers)  # noqa: S311 - the same rows each time
    numbers = {person.word: _numbers(bank, person.branch, drawn) for person in PEOPLE.values()}
    with real_signer(bench) as signer, console(database_url, PEOPLE, signer) as app:
        look = app.key_look_up()
        by_key = [look(bank.serial(drawn.randrange(bank.customers))) for _ in range(200)]
        report.put(f"{kind}: {_BY_KEY}", [median(by_key)], f"of 200 certificates, longest {max(by_key):.2f} ms")
        for name, path in PAGES.items():
            bench.say(f"  {kind}: {name}")
            try:
                _put(report, f"{kind}: {name}", *_watched(app, bank, path, numbers))
            except Unmeasured as reason:
                report.miss(f"{kind}: {name}", reason)


def _watched(
    app: Console, bank: Bank, path: Address, numbers: dict[str, list[int]]
) -> tuple[dict[str, list[Visit]], float]:
    """Each officer's visits, and which share of the machine others took meanwhile."""
    may = app.who_may(path(Asked(app, bank, PEOPLE["auditor"], numbers["auditor"][0])))
    usual = [person for person in may if person.word in _USUAL] or may[:1]
    visits: dict[str, list[Visit]] = {}
    with Watch() as watch:
        for person in usual:
            # The smallest branch of a small bank may have nobody of some kind.
            with suppress(LookupError):
                visits[person.word] = _visits(app, bank, person, path, numbers[person.word])
    if not visits:
        raise Unmeasured("there is no such row in any branch")
    return visits, watch.others


def _numbers(bank: Bank, branch: str, drawn: random.Random) -> list[int]:
    """Customers whom this officer may see."""
    mine = branch in {LARGEST, SMALLEST}
    found: list[int] = []
    while len(found) < _EACH + _WARM_UP:
        number = drawn.randrange(bank.customers)
        if not mine or bank.branch(number) == branch:
            found.append(number)
    return found


def _visits(app: Console, bank: Bank, person: Person, path: Address, numbers: Sequence[int]) -> list[Visit]:
    addresses = [path(Asked(app, bank, person, number)) for number in numbers]
    return [app.visit(person.word, address) for address in addresses][_WARM_UP:]


def _put(report: Report, row: str, visits: dict[str, list[Visit]], others: float) -> None:
    """The slowest officer's p95 is the figure."""
    took = {officer: [one.milliseconds for one in each] for officer, each in visits.items()}
    worst = {officer: percentile(values, 0.95) for officer, values in took.items()}
    officer = max(worst, key=lambda one: worst[one])
    used = median(one.processor_milliseconds for one in visits[officer])
    signer = median(one.signer_milliseconds for one in visits[officer])
    times = f"p50 {median(took[officer]):.1f}, p99 {percentile(took[officer], 0.99):.1f}"
    note = f"{officer}: {times}, cpu {used:.1f}, signer {signer:.1f} ms"
    busy = f"; others took {others:.0%} of the machine" if others > TRUSTED_SHARE else ""
    report.put(row, [worst[officer]], note + busy)


def any_certificate() -> tuple[bytes, bytes, bytes]:
    """One for every row to show, its CA's, and the request for it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    ours = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bench CA")])
    theirs = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bench")])
    leaf, issuer = (
        x509.CertificateBuilder(ours, name, key.public_key(), x509.random_serial_number(), now, now)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
        for name in (theirs, ours)
    )
    request = x509.CertificateSigningRequestBuilder(theirs).sign(key, hashes.SHA256())
    return leaf, issuer, request.public_bytes(serialization.Encoding.DER)


CONSOLE_SQLITE = Experiment("sqlite", _promises("sqlite"), _measure_sqlite)
CONSOLE_POSTGRES = Experiment("postgresql", _promises("postgresql"), _measure_postgres)
