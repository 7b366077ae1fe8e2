"""What stands in which table of a bank (bench/bank.py), as the console reads it.

What grows with the customers is made of the seeds by the database itself, in SQL that SQLite and PostgreSQL both
understand: ten million events are never values of this program. The rest is small and made here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from bench.bank import BATCH_EVERY, BATCH_SIZE, BRANCHES, DAY, EVENTS_EACH, LARGEST, OFFICERS, Bank
from ca.domain.applications import Case

_HOUR = 3_600
_ALARMS, _PROPOSALS = 10_000, 2_000

Values = tuple[str | int | bytes | bool | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to come, and which columns they fill."""

    name: str
    columns: Sequence[str]
    rows: Iterator[Values]


@dataclass(frozen=True, slots=True)
class Derived:
    """The same, by a SELECT from `seed` s, `model` m (one row) and `steps` t (an event of each customer a row)."""

    name: str
    columns: str
    select: str


STEPS = (
    ("customer.registered", "customer", "officer"),
    ("device.registered", "device", "officer"),
    ("application.submitted", "application", "officer"),
    ("application.approved", "application", "checker"),
    ("codes.handed-out", "application", "officer"),
    ("certificate.intended", "serial", "signer"),
    ("certificate.issued", "serial", "customer"),
    ("certificate.confirmed", "serial", "customer"),
    ("customer.looked-at", "customer", "officer"),
    ("", "", ""),
)
"""Name, about whom, by whom. The last one is a change of status, a wrong code, or that the officer signed in."""
_LAST_NAME = (
    "CASE WHEN s.status = 'revoked' THEN 'certificate.revoked' WHEN s.status = 'on-hold' THEN 'certificate.held' "
    "WHEN s.n % 50 = 0 THEN 'codes.refused' ELSE 'officer.signed-in' END"
)
_LAST_ABOUT = "CASE WHEN s.status <> 'active' THEN s.serial WHEN s.n % 50 = 0 THEN s.application ELSE s.officer_id END"

DERIVED = (
    Derived(
        "customers",
        "id, number, kind, name, document_number, email, branch, registered_by, registered_at",
        "s.customer, s.number, s.kind, s.name, s.document, 'c' || s.n || '@example.com', s.branch, s.officer, s.at "
        "FROM seed s",
    ),
    Derived(
        "devices",
        "id, serial, model, branch, state, customer, registered_by, registered_at, holder, keeper",
        "s.device, s.device, 'U-Shield 3', s.branch, "
        "CASE s.n % 60 WHEN 0 THEN 'in-stock' WHEN 20 THEN 'lost' WHEN 40 THEN 'blocked' ELSE 'in-use' END, "
        "CASE s.n % 60 WHEN 0 THEN '' ELSE s.customer END, s.officer, s.at, "
        "CASE s.n % 180 WHEN 0 THEN 'vault' WHEN 60 THEN 'branch' WHEN 120 THEN 'officer' ELSE 'customer' END, "
        "CASE s.n % 180 WHEN 0 THEN '' WHEN 60 THEN '' WHEN 120 THEN s.officer ELSE s.customer END FROM seed s",
    ),
    Derived(
        "custody_moves",
        "device_serial, from_holder, from_branch, to_holder, to_branch, keeper, by_person, at, why, confirmed_by, "
        "consignment",
        "s.device, CASE t.step WHEN 0 THEN 'supplier' ELSE 'branch' END, s.branch, "
        "CASE t.step WHEN 0 THEN 'branch' ELSE 'customer' END, s.branch, "
        "CASE t.step WHEN 0 THEN '' ELSE s.customer END, s.officer, s.at + t.step, '', '', '' "
        "FROM seed s CROSS JOIN steps t WHERE t.step < 2 AND (t.step = 0 OR s.n % 60 <> 0)",
    ),
    Derived(
        "applications",
        "id, profile, customer, customer_number, customer_name, document_number, device_serial, branch, maker_person, "
        "maker_name, submitted_at, state, reason, updated_at, batch, case_json, seal",
        "s.application, 'personal-signing', s.customer, s.number, s.name, s.document, s.device, s.branch, s.officer, "
        "'Maria Lin', s.at, 'completed', '', s.at, s.batch, "
        "replace(replace(replace(m.case_json, '<name>', s.name), '<application>', s.application), "
        "'<number>', s.number), m.seal FROM seed s CROSS JOIN model m",
    ),
    Derived(
        "applications",
        "id, profile, customer, customer_number, customer_name, document_number, device_serial, branch, maker_person, "
        "maker_name, submitted_at, state, reason, updated_at, case_json, seal",
        "s.second, 'personal-signing', s.customer, s.number, s.name, s.document, s.device, s.branch, s.officer, "
        "'Maria Lin', s.at + 3600, s.second_state, 'not any more', s.at + 3600, "
        "replace(replace(replace(m.case_json, '<name>', s.name), '<application>', s.second), '<number>', s.number),"
        " m.seal FROM seed s CROSS JOIN model m WHERE s.second <> ''",
    ),
    Derived(
        "evidence",
        "application, act, subject, subject_digest, officer, person, credential_id, client_data, authenticator_data, "
        "signature, public_key, at",
        "s.application, 'approve-application', s.application, s.mark, s.checker, s.checker, m.seal, m.client_data, "
        "m.seal, m.signature, m.signature, s.at FROM seed s CROSS JOIN model m",
    ),
    Derived(
        "code_pairs",
        "reference, application, code_mac, state, expires_at, attempts_left, request",
        "s.reference, s.application, m.seal, 'claimed', s.at + 1209600, 5, '' FROM seed s CROSS JOIN model m",
    ),
    Derived(
        "code_pairs",
        "reference, application, code_mac, state, expires_at, attempts_left, request",
        "s.second_reference, s.second, m.seal, "
        "CASE s.second_state WHEN 'codes-issued' THEN 'open' ELSE 'expired' END, s.at + 1209600, 5, '' "
        "FROM seed s CROSS JOIN model m WHERE s.second_state IN ('codes-issued', 'expired', 'locked')",
    ),
    Derived(
        "intents",
        "serial, tag, issuer, profile, application, tbs_der, public_key, request, predecessor, intended_at, "
        "needs_confirmation, signed, seal, request_der",
        "s.serial, s.n + 1, 'issuing', 'personal-signing', s.application, m.der, s.public_key, m.request, NULL, "
        "s.at + 5, TRUE, TRUE, m.seal, m.request_der FROM seed s CROSS JOIN model m",
    ),
    Derived(
        "certificates",
        "serial, issuer, profile, der, public_key, subject, application, customer, device_serial, branch, not_before, "
        "not_after, issued_at, status, confirmed_at, revoked_at, reason, predecessor",
        "s.serial, 'issuing', 'personal-signing', m.der, s.public_key, 'CN=' || s.name || ',O=Demo Bank,C=CN', "
        "s.application, s.customer, s.device, s.branch, s.at, s.at + 94608000, s.at + 6, s.status, s.at + 7, "
        "CASE s.status WHEN 'active' THEN NULL ELSE s.at + 9 END, "
        "CASE s.status WHEN 'revoked' THEN 1 WHEN 'on-hold' THEN 6 ELSE NULL END, NULL "
        "FROM seed s CROSS JOIN model m",
    ),
    Derived(
        "receipts",
        "serial, changed_at, issuer, became, after_crl, sightings, stage",
        "s.serial, (s.at + 9) * 1000, 'issuing', s.status, 1, '[[\"ocsp\",1000,null,' || ((s.at + 9) * 1000 + 40) || "
        "'],[\"crl\",3600000,' || ((s.at + 9) * 1000 + 900000) || ',' || ((s.at + 9) * 1000 + 960000) || ']]', 'done' "
        "FROM seed s WHERE s.status <> 'active'",
    ),
    Derived(
        "unlock_cases",
        "reference, version, device_serial, customer, branch, reason, maker_person, opened_at, expires_at, state, "
        "code_mac, approved_by, attempts_left, answers, seal",
        "'u' || s.reference, 1, s.device, s.customer, s.branch, 'ID card seen', s.officer, s.at + 8, s.at + 259208, "
        "CASE WHEN s.second_state = 'submitted' THEN 'proposed' ELSE 'completed' END, m.seal, "
        "CASE WHEN s.second_state = 'submitted' THEN '' ELSE s.checker END, 5, "
        "CASE WHEN s.second_state = 'submitted' THEN 0 ELSE 1 END, m.seal "
        "FROM seed s CROSS JOIN model m WHERE s.n % 50 = 7",
    ),
    Derived(
        "evidence",
        "application, act, subject, subject_digest, officer, person, credential_id, client_data, authenticator_data, "
        "signature, public_key, at",
        "'u' || s.reference, 'approve-unlock', 'u' || s.reference, s.mark, s.checker, s.checker, m.seal, "
        "m.client_data, m.seal, m.signature, m.signature, s.at FROM seed s CROSS JOIN model m "
        "WHERE s.n % 50 = 7 AND s.second_state <> 'submitted'",
    ),
    Derived(
        "audit_events",
        "number, name, subject, actor, at, details, hash, changes, salt",
        f"s.n * {EVENTS_EACH} + t.step + 1, CASE t.name WHEN '' THEN {_LAST_NAME} ELSE t.name END, "
        "CASE t.about WHEN 'customer' THEN s.customer WHEN 'device' THEN s.device WHEN 'application' "
        f"THEN s.application WHEN 'serial' THEN s.serial ELSE {_LAST_ABOUT} END, "
        "CASE t.actor WHEN 'checker' THEN s.checker WHEN 'signer' THEN 'signer' WHEN 'customer' THEN 'customer' "
        "ELSE s.officer END, "
        's.at + t.step, \'{"branch":"\' || s.branch || \'","profile":"personal-signing"}\', s.mark, m.octets, '
        "substr(s.mark, 1, 16) FROM seed s CROSS JOIN steps t CROSS JOIN model m",
    ),
)


def consignments(bank: Bank) -> int:
    """As many as there are CRLs, and at least two to each branch."""
    return max(2 * len(BRANCHES), min(20_000, bank.customers // 50))


def _evenings(bank: Bank) -> int:
    """Balances of each branch, at most of a year."""
    return max(2, min(365, bank.customers // 1_000))


def model(bank: Bank) -> Values:
    """What many rows share: certificate, case, seal, client data, signature, no octets, request and its digest."""
    octets = (b"s" * 32, b"{" + b"d" * 150 + b"}", b"s" * 71, b"")
    return (bank.der, _case_template(), *octets, bank.request, sha256(bank.request).hexdigest())


def tables(bank: Bank) -> Iterator[Table]:
    """What is too small to be worth SQL."""
    yield from _people(bank)
    yield from _stock(bank)
    yield from _ca(bank)


def _people(bank: Bank) -> Iterator[Table]:
    columns: tuple[str, ...] = ("id", "person", "name", "branch", "roles", "state", "version", "seal")
    everybody = range(OFFICERS)
    yield Table("officers", columns, (_officer(bank, n) for n in everybody))
    columns = ("credential_id", "officer", "position", "public_key", "label", "sign_count", "used_at")
    passkeys = (
        (f"{n}-{at}".encode(), f"o{n:05}", at, b"k" * 77, "laptop", 7, bank.now - n) for n in everybody for at in (0, 1)
    )
    yield Table("officer_credentials", columns, passkeys)
    columns = (
        *("id", "person", "name", "branch", "roles", "proposed_by", "approved_by", "state", "expires_at"),
        *("code_mac", "seal"),
    )
    yield Table("invitations", columns, (_invitation(bank, n) for n in everybody))
    columns = (
        *("application", "act", "subject", "subject_digest", "officer", "person", "credential_id", "client_data"),
        *("authenticator_data", "signature", "public_key", "at"),
    )
    octets = (b"c" * 32, b"{" + b"d" * 150 + b"}", b"a" * 37, b"s" * 71, b"k" * 77)
    decided = [("approve-invitation", f"i{n:05}") for n in everybody]
    decided += [("approve-officer-change", f"oc{n:05}") for n in range(_PROPOSALS)]
    evidence = ((what, act, what, b"d" * 32, "o00002", "E-00002", *octets, bank.now) for act, what in decided)
    yield Table("evidence", columns, evidence)
    columns = (
        *("id", "version", "officer", "officer_version", "person", "name", "old_branch", "old_roles", "branch"),
        *("roles", "reason", "proposed_by", "proposed_at", "expires_at", "state", "decided_by", "decision_reason"),
        "seal",
    )
    yield Table("officer_changes", columns, (_change(bank, n) for n in range(_PROPOSALS)))
    columns = ("officer", "version", "macs", "made_at", "used_at", "misses", "missed_at", "seal")
    used = ((f"o{n:05}", 1, b"m" * 320, bank.now - DAY, None if n % 100 else bank.now - n, 0, None, b"s" * 32)
            for n in everybody)  # fmt: skip
    yield Table("recovery_codes", columns, used)


def _officer(bank: Bank, n: int) -> Values:
    state = "active" if n % 10 else "left"
    return (f"o{n:05}", bank.officer(n), bank.name(n), bank.branch(n), "ra-operator", state, 1, b"s" * 32)


def _invitation(bank: Bank, n: int) -> Values:
    # Everybody who works here redeemed one; one in fifty of those who left is invited anew.
    state, till = ("redeemed" if n % 50 else "proposed"), bank.at(n % bank.customers) + 7 * DAY
    who = (bank.officer(n), bank.name(n), bank.branch(n), "ra-operator", "E-00001", "E-00002")
    return (f"i{n:05}", *who, state, till, b"m" * 32, b"s" * 32)


def _change(bank: Bank, n: int) -> Values:
    state = "approved" if n % 20 else "proposed"
    who = (f"o{n:05}", 1, bank.officer(n), bank.name(n), bank.branch(n), "ra-operator", LARGEST, "ra-approver")
    at = bank.now - n * _HOUR
    decided = "E-00002" if state == "approved" else ""
    return (f"oc{n:05}", 1, *who, "moves", "E-00001", at, at + 7 * DAY, state, decided, "", b"s" * 32)


def _stock(bank: Bank) -> Iterator[Table]:
    columns: tuple[str, ...] = (
        *("id", "branch", "since", "at", "lines", "counted", "counted_by", "state", "confirmed_by", "confirmed_at"),
    )
    lines = '[["vault",9,0,0,9],["branch",1,0,0,1],["officer",0,0,0,0],["returned",0,0,0,0],["in-transit",0,0,0,0]]'
    counted = '{"vault":9,"branch":1,"officer":0,"returned":0}'
    evenings = (
        (f"{back}-{branch}", branch, at - DAY, at, lines, counted, "E-00001", state, by, at if by else None)
        for back in range(_evenings(bank), -1, -1)
        for at in (bank.now - back * DAY - _HOUR,)
        for state, by in (("confirmed", "E-00002") if back else ("proposed", ""),)
        for branch in BRANCHES
    )
    yield Table("stock_balances", columns, evenings)
    columns = (
        *("id", "purpose", "serials", "origin", "from_branch", "to_branch", "why", "sent_by", "sent_at", "state"),
        *("ended_by", "ended_at", "reason"),
    )
    yield Table("consignments", columns, (_consignment(bank, n) for n in range(consignments(bank))))
    columns = (
        *("id", "kind", "branch", "subject", "told", "raised_by", "raised_at", "settled_by", "settled_at", "finding"),
    )
    yield Table("stock_alarms", columns, (_alarm(bank, n) for n in range(_ALARMS)))
    columns = (
        *("id", "company_name", "profile", "branch", "maker_person", "maker_name", "submitted_at", "size"),
        *("batch_json", "seal"),
    )
    batches = (
        (bank.batch(n), f"Company {n}", "personal-signing", bank.branch(n), bank.officer(n), "Maria Lin", bank.at(n),
         BATCH_SIZE, "{}", b"s" * 32)
        for n in range(0, bank.customers, BATCH_EVERY)
    )  # fmt: skip
    yield Table("batches", columns, batches)


def _consignment(bank: Bank, n: int) -> Values:
    at, on_its_way = bank.now - n * _HOUR, n % 40 == 0
    serials = "\n".join(bank.device(n + one) for one in range(10))
    ends = ("on-its-way", "", None) if on_its_way else ("confirmed", "E-00002", at + DAY)
    way = ("vault", LARGEST, BRANCHES[n % len(BRANCHES)])
    return (f"c{n:06}", "transfer", serials, *way, "new counter", "E-00001", at, *ends, "")


def _alarm(bank: Bank, n: int) -> Values:
    at, branch = bank.now - n * _HOUR, LARGEST if n % 5 == 0 else BRANCHES[n % len(BRANCHES)]
    ends: Values = ("", None, "") if n % 27 == 0 else ("E-00002", at + DAY, "counted again")
    return (f"a{n:06}", "count-differs", branch, f"0-{branch}", "vault -1", "E-00001", at, *ends)


def _ca(bank: Bank) -> Iterator[Table]:
    columns: tuple[str, ...] = (
        *("name", "certificate_der", "key_id", "algorithm", "crl_url", "ocsp_url", "certificate_url"),
    )
    base = "http://localhost"
    issuer = ("issuing", bank.issuer, b"issuing-1", "ec-p256", f"{base}/crl", f"{base}/ocsp", f"{base}/ca")
    yield Table("issuers", columns, iter([issuer]))
    columns = (
        *("name", "number", "issuer", "base", "this_update", "next_update", "entries", "size", "sha256"),
        "published",
    )
    names = ("issuing", "issuing-delta", "root")
    crls = (
        (names[n % 3], n + 1, "issuing", None, at, at + _HOUR, 90_000, 3_200_000, "ef" * 32, True)
        for n in range(consignments(bank))
        for at in (bank.now - (consignments(bank) - n) * _HOUR,)
    )
    yield Table("crls", columns, crls)
    jobs = ((f"job-{n}", bank.now - n, n != 3, "nothing was due") for n in range(12))
    yield Table("job_runs", ("name", "ran_at", "ok", "result"), jobs)
    events = bank.customers * EVENTS_EACH
    signed = (
        (number, b"h" * 32, bank.at((number - 1) // EVENTS_EACH), b"s" * 71)
        for number in range(EVENTS_EACH, events + 1, 500)
    )
    yield Table("audit_checkpoints", ("number", "hash", "at", "signature"), signed)


def _case_template() -> str:
    case = Case(
        application="<application>",
        version=1,
        profile="personal-signing",
        profile_digest="ab" * 32,
        customer="<customer>",
        customer_number="<number>",
        customer_name="<name>",
        document_number="310101199003071234",
        subject=(
            ("country", "CN"),
            ("organization", "Demo Bank"),
            ("common_name", "<name>"),
            ("serial_number", "<number>"),
        ),
        alternative_names=(("email", "customer@example.com"),),
        device_serial="US0000000001",
        validity=timedelta(days=1095),
        branch=LARGEST,
        maker_person="E-00001",
        maker_name="Maria Lin",
        submitted_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return case.sealed_fields().decode()
