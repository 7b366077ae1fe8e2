"""Fills the database of a stopped demo with certificates that nobody signed. The only module that knows its tables.

Status answers and CRLs look at a certificate's row, not into it: so each row carries the demo's TLS certificate with
another serial number in it, under a signature that no longer fits, and stands without case, intent and audit event.
Serial numbers are drawn as the product draws them, and rows lie in the order in which they were drawn. Nothing here is
signed by the HSM. The product believes no row about how a certificate stands: so the standings map of this boot is
written too, through the product's own adapter, up to where the journal ends. Only who may write the signer's files can.
"""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.experiment import Unmeasured
from ca.adapters.standings import StandingsMap
from ca.domain.certificates import CertificateStatus
from ca.domain.crl import revocation_entry
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing, packed_records

ISSUER = "issuing"
_BRANCH = "pudong"
_DAY = 86_400
_REASONS = (0, 1, 3, 4, 5, 9)
_PLACE_IN_CRLS = {"crl_entry", "crl_since", "crl_changed"}
"""Columns of releases that keep CRL entries encoded."""

Values = dict[str, str | int | bytes | None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What a state holds now."""

    holding: list[int]
    """Serial numbers of certificates that hold, in random order."""
    revoked: list[int]

    def sample(self, count: int) -> list[int]:
        """Some of all, drawn at random: holding and revoked ones in their true share."""
        everything = self.holding + self.revoked
        return random.Random(count).sample(everything, min(count, len(everything)))  # noqa: S311


def fill(state: Path, certificates: int, *, revoked_share: float) -> Filled:
    """Add rows to the database of a stopped demo. Raises Unmeasured when its tables are not those we know."""
    database = state / "database.sqlite3"
    drawn = random.Random(certificates)  # noqa: S311 - the same numbers each time
    serials = [_serial(drawn) for _ in range(certificates)]
    # Evenly among the others, as time makes them.
    is_revoked = [int((n + 1) * revoked_share) > int(n * revoked_share) for n in range(certificates)]
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        columns = _columns(connection)
        model = _model(connection)
        connection.execute("BEGIN IMMEDIATE")
        indexes = _drop_indexes(connection)
        marks = ", ".join("?" for _ in columns)
        statement = f"INSERT INTO certificates ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
        rows = (_values(serial, model, n, is_revoked=is_revoked[n]) for n, serial in enumerate(serials))
        connection.executemany(statement, (tuple(row[name] for name in columns) for row in rows))
        for create in indexes:
            connection.execute(create)
        connection.execute("UPDATE crl_due SET due = 1 WHERE issuer = ?", (ISSUER,))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _map_standings(connection, state)
    pairs = list(zip(serials, is_revoked, strict=True))
    return Filled([serial for serial, no in pairs if not no], [serial for serial, yes in pairs if yes])


def _map_standings(connection: sqlite3.Connection, state: Path) -> None:
    """As if the journal told of every row there is."""
    (number,) = connection.execute("SELECT coalesce(max(number), 0) FROM audit_events").fetchone()
    rows = connection.execute(
        "SELECT serial, issuer, status, issued_at, not_after, revoked_at, reason FROM certificates "
        "ORDER BY length(serial), serial"
    )
    standings = StandingsMap(state / "standings")
    standings.rebuild(packed_records(_standing(*row) for row in rows), number=number)
    standings.close()


def _standing(
    serial: str, issuer: str, status: str, issued: int, ends: int, revoked: int | None, reason: int | None
) -> tuple[int, Standing]:
    issued_at, not_after = (datetime.fromtimestamp(at, UTC) for at in (issued, ends))
    revocation = None
    if revoked is not None:
        revocation = Revocation(RevocationReason(reason or 0), datetime.fromtimestamp(revoked, UTC))
    return int(serial, 16), Standing(issuer, CertificateStatus(status), issued_at, not_after, revocation)


def _serial(drawn: random.Random) -> int:
    return int.from_bytes(b"\x01" + drawn.randbytes(16), "big")


@dataclass(frozen=True, slots=True)
class _Model:
    """A real certificate of the state, cut where its serial number is."""

    head: bytes
    tail: bytes
    now: int


def _model(connection: sqlite3.Connection) -> _Model:
    found = connection.execute("SELECT serial, der FROM certificates WHERE profile = 'tls-server'").fetchone()
    if found is None:
        raise Unmeasured("the demo has no TLS certificate to copy")
    head, _, tail = found[1].partition(int(found[0], 16).to_bytes(17, "big"))
    return _Model(head, tail, int(time.time()))


def _columns(connection: sqlite3.Connection) -> list[str]:
    known = set(_values(1 << 128, _Model(b"", b"", 0), 0, is_revoked=True))
    told = connection.execute("PRAGMA table_info(certificates)").fetchall()
    names = {name for _, name, *_ in told}
    strange = {name for _, name, _, required, default, key in told if required and default is None and not key} - known
    missing = known - names - _PLACE_IN_CRLS
    if strange or missing:
        raise Unmeasured(f"bench/state.py does not know the table of certificates: {sorted(strange or missing)}")
    return sorted(known & names)


def _values(serial: int, model: _Model, number: int, *, is_revoked: bool) -> Values:
    issued = model.now - _DAY * (2 + number % 300)
    # As hard to guess and as evenly spread as the digests and ids that stand here in truth.
    text = f"{serial:x}"
    reason = _REASONS[number % len(_REASONS)]
    revocation = Revocation(RevocationReason(reason), datetime.fromtimestamp(issued + _DAY, UTC))
    return {
        "serial": text,
        "issuer": ISSUER,
        "profile": "personal-signing",
        "der": model.head + serial.to_bytes(17, "big") + model.tail,
        "public_key": text[1:] * 2,
        "subject": f"CN=Bench {text[1:9]},O=Demo Bank,C=CN",
        "application": text[-16:],
        "customer": text[-17:-1],
        "device_serial": f"US{text[-12:]}",
        "branch": _BRANCH,
        "not_before": issued,
        "not_after": issued + 730 * _DAY,
        "issued_at": issued,
        "status": "revoked" if is_revoked else "active",
        "predecessor": None,
        "confirmed_at": issued + 60,
        "revoked_at": issued + _DAY if is_revoked else None,
        "reason": reason if is_revoked else None,
        "crl_entry": revocation_entry(serial, revocation) if is_revoked else None,
        # As if revoked long ago: what a delta tells is what the bench revokes itself.
        "crl_since": 1 if is_revoked else None,
        "crl_changed": 1 if is_revoked else None,
    }


def _drop_indexes(connection: sqlite3.Connection) -> list[str]:
    """How to make them again: one pass over all rows is faster than ten look-ups for each."""
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'certificates' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        connection.execute(f'DROP INDEX "{name}"')
    return [sql for _, sql in found]


def revoked_entries(state: Path) -> Iterator[tuple[str, int, int]]:
    """Serial number in hex, time of revocation and reason of each revoked certificate: for another CA's index."""
    with closing(sqlite3.connect(f"file:{state / 'database.sqlite3'}?mode=ro", uri=True)) as connection:
        yield from connection.execute(
            "SELECT serial, revoked_at, reason FROM certificates WHERE issuer = ? AND status = 'revoked'", (ISSUER,)
        )


def active_certificates(state: Path) -> int:
    """How many of the issuing CA's are active."""
    with closing(sqlite3.connect(f"file:{state / 'database.sqlite3'}?mode=ro", uri=True)) as connection:
        query = "SELECT count(*) FROM certificates WHERE issuer = ? AND status = 'active'"
        (count,) = connection.execute(query, (ISSUER,)).fetchone()
        return int(count)


def make_crl_due(state: Path) -> None:
    """As if a status had just changed, the jobs that publish had never run, and nobody had led them."""
    with closing(sqlite3.connect(state / "database.sqlite3")) as connection, connection:
        connection.execute("UPDATE crl_due SET due = 1 WHERE issuer = ?", (ISSUER,))
        connection.execute("DELETE FROM job_leases")
        connection.execute("DELETE FROM job_runs WHERE name LIKE 'crl%'")
