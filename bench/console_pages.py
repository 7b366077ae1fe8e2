"""Every page of the console that is measured, and why another is not (tests/unit/bench/test_console_pages.py)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from bench.bank import BRANCHES, EVENTS_EACH, LARGEST, OFFICERS, RARE_NAME, Bank
from bench.bank_tables import consignments
from bench.console_app import Console, Person

COMMON_NAME = "wang"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and about which of the rows that the officer may see."""

    console: Console
    bank: Bank
    officer: Person
    number: int

    @property
    def branch(self) -> str:
        """Whose stock the officer looks at; who sees all looks at the largest."""
        return LARGEST if self.officer.sees_all else self.officer.branch

    def next(self, fits: Callable[[int], bool]) -> int:
        """The next customer behind the number whom this officer may see and who fits, in a ring. Raises LookupError."""
        ring = (n % self.bank.customers for n in range(self.number, self.number + self.bank.customers))
        found = (n for n in ring if fits(n) and (self.officer.sees_all or self.bank.branch(n) == self.branch))
        if (first := next(found, None)) is None:
            raise LookupError(f"{self.branch} has no such customer")
        return first

    def behind(self, room: str, query: str, *values: object) -> str:
        return self.console.behind(self.officer.word, room, query, values)


Address = Callable[[Asked], str]


def _at(asked: Asked) -> datetime:
    return datetime.fromtimestamp(asked.bank.at(asked.number), UTC)


def _hour(asked: Asked) -> datetime:
    return datetime.fromtimestamp(asked.bank.now - 13_001 * 3600, UTC)


def _day(asked: Asked) -> str:
    return f"{_at(asked).astimezone():%Y-%m-%d}"


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
    "applications, withdrawn": _list("applications", "state=withdrawn"),
    "applications, void (none)": _list("applications", "state=void"),
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
    "unlock cases": _list("unlock-cases"),
    "unlock cases, proposed": _list("unlock-cases", "state=proposed"),
    "CRLs": _list("crls"),
    "CRLs, deep": lambda a: "crls/?" + a.behind("crls", "", _hour(a), 7_000, "issuing"),
    "jobs": _list("jobs"),
    "authority": _list("authority"),
    "software": _list("software"),
    "settings": _list("settings"),
    "profiles": _list("profiles"),
    "reports": _list("reports"),
    "officers": _list("officers"),
    "invitations, proposed": _list("invitations", "state=proposed"),
    "audit": _list("audit"),
    "audit of one day": lambda a: f"audit/?from={_day(a)}&to={_day(a)}",
    "audit, deep": lambda a: f"audit/?before={a.number * EVENTS_EACH + 1}",
    "ending within 90 days": _list("expiring", "days=90"),
    "revocation latency, 30 days": _list("latency", "days=30"),
    "stock": lambda a: f"stock/?branch={quote(a.branch)}",
    "factory passwords": lambda a: f"stock/factory-passwords?branch={quote(a.branch)}",
    "factory passwords, in stock, deep": lambda a: (
        f"stock/factory-passwords?state=in-stock&after={a.bank.device(a.number)}&branch={quote(a.branch)}"
    ),
    "alarms": lambda a: f"stock/alarms?branch={quote(a.branch)}",
    "alarms, settled": lambda a: f"stock/alarms?state=settled&branch={quote(a.branch)}",
    "my access": lambda _asked: "my-access",
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
    "applications: name, void (none)": _search("applications", lambda _a: COMMON_NAME, "&state=void"),
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
    "an unlock case": lambda a: f"unlock-cases/details/?id=u{a.bank.reference(a.next(lambda n: n % 50 == 7))}",
    "a job": lambda _a: "jobs/details/?id=job-3",
    "an invitation": lambda a: f"invitations/details/?id=i{a.number % OFFICERS:05}",
    "a consignment": lambda a: f"stock/consignments/c{_on_the_way_to(a):06}",
    "a balance": lambda a: f"stock/balances/{quote(f'1-{a.branch}')}",
    "a case": lambda _a: "cases/known-to-the-signer",
    "a batch": lambda _a: "batches/known-to-the-signer",
    "an invitation to decide on": lambda _a: "invitations/known-to-the-signer/decide",
    "a change of an officer to decide on": lambda _a: "officer-changes/known-to-the-signer",
    "a profile": lambda _a: "profiles/personal-signing",
    "a CA": lambda _a: "certificates/issuers/issuing",
}
_REPORTS: dict[str, Address] = {
    "branches and days": lambda _a: "reports/branches",
    "reconciliation": lambda _a: "reports/reconciliation",
    "two people": lambda _a: "reports/dual-control",
    "wrong codes": lambda _a: "reports/codes",
    "officers at work": lambda _a: "reports/activity",
    "access review": lambda _a: "reports/access",
}
_FORMS: dict[str, Address] = {
    "register a customer": lambda _a: "customers/register",
    "correct a customer": lambda a: f"customers/{a.bank.customer(a.number)}/correct",
    "hand a U-Shield to a company": lambda a: f"customers/{a.bank.customer(_company(a))}/u-shield",
    "register a U-Shield": lambda _a: "u-shields/register",
    "apply": lambda a: f"customers/{a.bank.customer(a.number)}/apply",
    "a batch of a company": lambda a: f"customers/{a.bank.customer(_company(a))}/batch",
    "hold": lambda a: f"certificates/{a.bank.serial(a.number)}/hold",
    "undo a hold": lambda a: f"certificates/{a.bank.serial(_held(a))}/undo-hold",
    "release": lambda a: f"certificates/{a.bank.serial(_held(a))}/release",
    "revoke": lambda a: f"certificates/{a.bank.serial(a.number)}/revoke",
    "unlock a U-Shield": lambda a: f"u-shields/{a.bank.device(a.number)}/unlock",
    "prepare a U-Shield": lambda a: f"u-shields/{a.bank.device(a.number)}/prepare",
    "receive U-Shields": lambda _a: "stock/receive",
    "send U-Shields": lambda _a: "stock/send",
    "destroy U-Shields": lambda _a: "stock/destroy",
    "count the stock": lambda _a: "stock/count",
    "take a U-Shield back": lambda a: f"stock/u-shields/{a.bank.device(a.number)}/return",
    "invite an officer": lambda _a: "invitations/propose",
    "suspend an officer": lambda a: f"officers/o{a.number % OFFICERS:05}/suspend",
    "change an officer": lambda a: f"officers/o{a.number % OFFICERS:05}/roles",
    "end an officer's sessions": lambda a: f"officers/o{a.number % OFFICERS:05}/end-sessions",
    "end all sessions": lambda _a: "officers/end-all-sessions",
    "reinstate an officer": lambda a: f"officers/o{a.number % OFFICERS:05}/reinstate",
    "bind a certificate": lambda a: f"officers/o{a.number % OFFICERS:05}/certificates",
    "change the policy": lambda _a: "policy/propose",
    "propose a profile": lambda _a: "profiles/personal-signing/propose",
    "verify the log": lambda _a: "audit/verify",
    "certificate as a file": lambda a: f"certificates/{a.bank.serial(a.number)}/certificate.pem",
    "chain as a file": lambda a: f"certificates/{a.bank.serial(a.number)}/chain.p7c",
    "request as a file": lambda a: f"certificates/{a.bank.serial(a.number)}/request.der",
    "a CA's certificate as a file": lambda _a: "certificates/issuers/issuing/certificate.der",
}
PAGES = {
    **{f"list {name}": path for name, path in _LISTS.items()},
    **{f"search {name}": path for name, path in _SEARCHES.items()},
    **{f"page of {name}": path for name, path in _DETAILS.items()},
    **{f"report {name}": path for name, path in _REPORTS.items()},
    **{f"form {name}": path for name, path in _FORMS.items()},
}
_FILE = "a file with all rows, which takes as long as they are many"
NOT_MEASURED = {
    **dict.fromkeys(("expiring.sheet", "latency.sheet", "reports.branches_sheet", "reports.codes_sheet"), _FILE),
    **dict.fromkeys(("reports.reconciliation_sheet", "reports.dual_control_sheet"), _FILE),
    **dict.fromkeys(("reports.activity_sheet", "reports.access_sheet"), _FILE),
    "audit.export": "a file with proof of the events in it, and those of the bench are not chained",
    "cases.correct": "only for a case that came back to its maker: it is the case's page and the form to apply in one",
    "profiles.show_version": "needs a proposed version; the work is the signer's, which reads a file of the bank",
    "policy.show_version": "needs a proposed version; the work is the signer's, which reads it and the one in force",
    "revocations.show": "needs a profile that asks for two people; the signer looks up the case by its number",
    "bindings.show": "needs an officer's certificate; the signer looks up the binding by its number",
    "unlocks.show": "needs a U-Shield in use, which no program has; the signer looks up the case by its number",
    "software.show": "needs a release that was not proposed yet; the work is the signer's, which hashes a file",
}
"""Endpoint -> why it has no row."""


def _company(asked: Asked) -> int:
    return asked.next(lambda n: asked.bank.kind(n) == "company")


def _held(asked: Asked) -> int:
    return asked.next(lambda n: asked.bank.status(n) == "on-hold")


def _on_the_way_to(asked: Asked) -> int:
    """One of the consignments of the bank (bench/bank_tables.py) to the branch."""
    return BRANCHES.index(asked.branch) + len(BRANCHES) * (asked.number % (consignments(asked.bank) // len(BRANCHES)))
