"""Every list, search and page of the operator console over 10^6 customers and 10^7 events."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.bank import EVENTS_EACH, LARGEST, OFFICERS, RARE_NAME, SMALLEST, Bank
from bench.bank_filling import fill_postgres, fill_sqlite
from bench.console_app import Console, Visit, console
from bench.experiment import Bench, Experiment, Promise, Report, judged, shown
from bench.figures import MILLISECONDS, Unit, at_most, percentile
from bench.postgres import database

_ALLOWED = at_most(150, MILLISECONDS)
_EACH = 20
"""Requests for each page and officer, of different rows where a page is of one."""
_WARM_UP = 3
_OFFICERS = {"small branch": SMALLEST, "largest branch": LARGEST, "auditor": "Head office"}
_BY_KEY = "one row by its key, p50"
_FILLING = "filling the database"
_MINUTES = Unit(" min", 1)
COMMON_NAME = "wang"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and about which of the rows that the officer may see."""

    console: Console
    bank: Bank
    officer: str
    number: int

    def behind(self, room: str, query: str, *values: object) -> str:
        return self.console.behind(self.officer, room, query, values)


Address = Callable[[Asked], str]


def _at(asked: Asked) -> datetime:
    return datetime.fromtimestamp(asked.bank.at(asked.number), UTC)


def _list(room: str, query: str = "") -> Address:
    return lambda _asked: f"{room}/?{query}"


def _search(room: str, words: Callable[[Asked], str], more: str = "") -> Address:
    return lambda asked: f"{room}/?search={quote(words(asked))}{more}"


def _find(words: Callable[[Asked], str]) -> Address:
    return lambda asked: f"search?q={quote(words(asked))}"


def _colons(serial: str) -> str:
    return ":".join(serial.upper()[at : at + 2] for at in range(0, len(serial), 2))


_LISTS: dict[str, Address] = {
    "home": lambda _asked: "",
    "customers": _list("customers"),
    "customers, deep": lambda a: "customers/?" + a.behind("customers", "", _at(a), a.bank.customer(a.number)),
    "customers, companies": _list("customers", "state=company"),
    "customers by name": _list("customers", "sort=name"),
    "customers by name, deep": lambda a: (
        "customers/?" + a.behind("customers", "sort=name", a.bank.name(a.number), a.bank.customer(a.number))
    ),
    "customers by name, companies": _list("customers", "sort=name&state=company"),
    "applications": _list("applications"),
    "applications, deep": lambda a: (
        "applications/?" + a.behind("applications", "", _at(a), a.bank.application(a.number))
    ),
    "applications, completed": _list("applications", "state=completed"),
    "applications, withdrawn (none)": _list("applications", "state=withdrawn"),
    "applications, oldest first": _list("applications", "sort=submitted_at"),
    "certificates": _list("certificates"),
    "certificates, deep": lambda a: "certificates/?" + a.behind("certificates", "", _at(a), a.number),
    "certificates, on hold": _list("certificates", "state=on-hold"),
    "certificates, unconfirmed (none)": _list("certificates", "state=unconfirmed"),
    "certificates by end": _list("certificates", "sort=not_after"),
    "certificates by end, on hold": _list("certificates", "sort=not_after&state=on-hold"),
    "U-Shields": _list("u-shields"),
    "U-Shields, deep": lambda a: "u-shields/?" + a.behind("devices", "", _at(a), a.bank.device(a.number)),
    "U-Shields, blocked": _list("u-shields", "state=blocked"),
    "CRLs": _list("crls"),
    "jobs": _list("jobs"),
    "officers": _list("officers"),
    "invitations, proposed": _list("invitations", "state=proposed"),
    "audit": _list("audit"),
    "audit, deep": lambda a: f"audit/?before={a.number * EVENTS_EACH + 1}",
    "ending within 90 days": lambda _asked: "expiring/?days=90",
    "revocation latency, 30 days": lambda _asked: "latency/?days=30",
}
_SEARCHES: dict[str, Address] = {
    "customers: frequent name": _search("customers", lambda _a: COMMON_NAME),
    "customers: frequent name, companies": _search("customers", lambda _a: COMMON_NAME, "&state=company"),
    "customers: frequent given name": _search("customers", lambda _a: "伟"),
    "customers: whole name": _search("customers", lambda a: a.bank.name(a.number)),
    "customers: name of nobody": _search("customers", lambda _a: "wang zzz"),
    "customers: document number": _search("customers", lambda a: a.bank.document(a.number)),
    "applications: frequent name": _search("applications", lambda _a: COMMON_NAME),
    "applications: reference number": _search("applications", lambda a: a.bank.reference(a.number)),
    "applications: name, withdrawn (none)": _search("applications", lambda _a: COMMON_NAME, "&state=withdrawn"),
    "certificates: frequent name": _search("certificates", lambda _a: COMMON_NAME),
    "certificates: serial number": _search("certificates", lambda a: a.bank.serial(a.number)),
    "U-Shields: serial number": _search("u-shields", lambda a: a.bank.device(a.number).lower()),
    "audit: one customer's": lambda a: f"audit/?about={a.bank.customer(a.number)}",
    "audit: one officer's": lambda a: f"audit/?actor={a.bank.officer(a.number)}",
    "audit: one kind of event": _list("audit", "name=certificate.issued"),
    "officers: name": _search("officers", lambda a: a.bank.name(a.number % OFFICERS)),
    "everywhere: frequent name": _find(lambda _a: COMMON_NAME),
    "everywhere: rare name": _find(lambda _a: RARE_NAME),
    "everywhere: document number": _find(lambda a: a.bank.document(a.number)),
    "everywhere: customer number": _find(lambda a: a.bank.number(a.number)),
    "everywhere: serial, hex": _find(lambda a: a.bank.serial(a.number)),
    "everywhere: serial, colons": _find(lambda a: _colons(a.bank.serial(a.number))),
    "everywhere: serial, decimal": _find(lambda a: str(int(a.bank.serial(a.number), 16))),
    "everywhere: U-Shield": _find(lambda a: a.bank.device(a.number).lower()),
    "everywhere: reference number": _find(lambda a: a.bank.reference(a.number)),
    "everywhere: branch": _find(lambda _a: LARGEST),
}
_DETAILS: dict[str, Address] = {
    "a customer": lambda a: f"customers/details/?id={a.bank.customer(a.number)}",
    "an application": lambda a: f"applications/details/?id={a.bank.application(a.number)}",
    "a certificate": lambda a: f"certificates/details/?id={a.bank.serial(a.number)}",
    "a U-Shield": lambda a: f"u-shields/details/?id={a.bank.device(a.number)}",
    "an event": lambda a: f"audit/details/?id={a.number * EVENTS_EACH + 7}",
    "a CRL": lambda _a: "crls/details/?id=issuing-1",
    "an officer": lambda a: f"officers/details/?id=o{a.number % OFFICERS:05}",
}
PAGES = {
    **{f"list {name}": path for name, path in _LISTS.items()},
    **{f"search {name}": path for name, path in _SEARCHES.items()},
    **{f"page of {name}": path for name, path in _DETAILS.items()},
}
ONLY_AUDITOR = (
    *("list CRLs", "list jobs", "list officers", "list invitations", "list audit", "page of an event", "page of a CRL"),
    *("page of an officer", "search audit", "search officers"),
)


def _promises(kind: str) -> list[Promise]:
    return [
        shown(f"{kind}: {_FILLING}", _MINUTES),
        shown(f"{kind}: {_BY_KEY}", MILLISECONDS),
        *(judged(f"{kind}: {name}", _ALLOWED) for name in PAGES),
    ]


def _measure_sqlite(bench: Bench, report: Report) -> None:
    bank, path = _bank(bench), bench.place("console") / "console.sqlite3"
    minutes = fill_sqlite(path, bank) / 60
    report.put(f"sqlite: {_FILLING}", [minutes], f"{_size(bank)}, {path.stat().st_size / 2**30:.1f} GiB")
    _measure(bench, report, "sqlite", bank, str(path))


def _measure_postgres(bench: Bench, report: Report) -> None:
    bank = _bank(bench)
    with database() as url:
        minutes = fill_postgres(url, bank) / 60
        report.put(f"postgresql: {_FILLING}", [minutes], _size(bank))
        _measure(bench, report, "postgresql", bank, url)


def _bank(bench: Bench) -> Bank:
    bench.say(f"  {bench.plan.customers:,} customers")
    return Bank(bench.plan.customers, int(time.time()), any_certificate())


def _size(bank: Bank) -> str:
    return f"{bank.customers:,} customers and certificates, {bank.customers * EVENTS_EACH:,} events"


def _measure(bench: Bench, report: Report, kind: str, bank: Bank, database_url: str) -> None:
    drawn = random.Random(bank.customers)  # noqa: S311 - the same rows each time
    numbers = {officer: _numbers(bank, branch, drawn) for officer, branch in _OFFICERS.items()}
    with console(database_url, _OFFICERS) as app:
        look = app.key_look_up()
        by_key = [look(bank.serial(drawn.randrange(bank.customers))) for _ in range(200)]
        report.put(f"{kind}: {_BY_KEY}", [median(by_key)], f"of 200 certificates, longest {max(by_key):.2f} ms")
        for name, path in PAGES.items():
            bench.say(f"  {kind}: {name}")
            visits = {officer: _visits(app, bank, officer, path, numbers[officer]) for officer in _who_may(name)}
            _put(report, f"{kind}: {name}", visits, median(by_key))


def _who_may(name: str) -> list[str]:
    return ["auditor"] if name.startswith(ONLY_AUDITOR) else list(_OFFICERS)


def _numbers(bank: Bank, branch: str, drawn: random.Random) -> list[int]:
    """Customers whom this officer may see."""
    mine = branch in {LARGEST, SMALLEST}
    found: list[int] = []
    while len(found) < _EACH + _WARM_UP:
        number = drawn.randrange(bank.customers)
        if not mine or bank.branch(number) == branch:
            found.append(number)
    return found


def _visits(app: Console, bank: Bank, officer: str, path: Address, numbers: Sequence[int]) -> list[Visit]:
    asked = [Asked(app, bank, officer, number) for number in numbers]
    return [app.visit(officer, path(one)) for one in asked][_WARM_UP:]


def _put(report: Report, row: str, visits: dict[str, list[Visit]], by_key: float) -> None:
    """The slowest officer's p95 is the figure."""
    took = {officer: [one.milliseconds for one in each] for officer, each in visits.items()}
    worst = {officer: percentile(values, 0.95) for officer, values in took.items()}
    officer = max(worst, key=lambda one: worst[one])
    middle, used = median(took[officer]), median(one.processor_milliseconds for one in visits[officer])
    times = f"p50 {middle:.1f}, longest {max(took[officer]):.1f}, cpu {used:.1f} ms"
    note = f"{officer}: {times}; {middle / by_key:,.0f} x by key"
    report.put(row, [worst[officer]], note)


def any_certificate() -> bytes:
    """One for every row to show."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bench")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


CONSOLE_SQLITE = Experiment("sqlite", _promises("sqlite"), _measure_sqlite)
CONSOLE_POSTGRES = Experiment("postgresql", _promises("postgresql"), _measure_postgres)
