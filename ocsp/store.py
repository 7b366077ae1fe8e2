"""How certificates stand where the signer's map is not: read from its PostgreSQL each time (docs/adr/0018).

The columns are a contract with `ca/adapters/db/rows.py`. Any trouble is NotReady: no answer is better than an old one.
"""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ca.domain.certificates import CertificateStatus
from ca.domain.errors import NotReady, Tampered
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing
from ocsp.standings import MappedStandings

_QUERY = "SELECT issuer, status, issued_at, not_after, revoked_at, reason FROM certificates WHERE serial = %s"


class Statuses(Protocol):
    """Where statuses are read."""

    reads_at_once: bool
    """A look takes microseconds and no thread; else it may keep us waiting."""

    def find(self, key: bytes) -> bytes | None:
        """The packed standing under a `serial_key`, None for a serial that was never issued. Raises NotReady."""

    def walk(self, after: bytes, count: int) -> list[tuple[bytes, bytes]]:
        """The next keys with their standings, in order; none at the end, or where looking at all costs too much."""


class PostgresStatuses:
    """PostgreSQL: a read-only session for each thread, given up at the first trouble."""

    reads_at_once = False

    def __init__(self, url: str) -> None:
        import psycopg  # loaded only where PostgreSQL is used

        self._psycopg = psycopg
        self._url = url
        self._mine = threading.local()

    def find(self, key: bytes) -> bytes | None:
        connection = getattr(self._mine, "connection", None)
        try:
            if connection is None:
                connection = self._mine.connection = self._psycopg.connect(
                    self._url,
                    autocommit=True,
                    connect_timeout=2,
                    options="-c default_transaction_read_only=on -c statement_timeout=2000",
                )
            row = connection.execute(_QUERY, (f"{int.from_bytes(key, 'big'):x}",)).fetchone()
        except self._psycopg.Error as error:
            self._mine.connection = None
            if connection is not None:
                connection.close()
            raise NotReady("the database cannot be read") from error
        return None if row is None else packed(*row)

    def walk(self, after: bytes, count: int) -> list[tuple[bytes, bytes]]:
        del after, count
        return []


def packed(
    issuer: str, status: str, issued_at: int, not_after: int, revoked_at: int | None, reason: int | None
) -> bytes:
    """The standing that a row tells; times in seconds since 1970. Raises NotReady when the row makes no sense."""
    try:
        revocation = None
        if revoked_at is not None:
            revocation = Revocation(RevocationReason(reason or 0), datetime.fromtimestamp(revoked_at, UTC))
        issued, expires = (datetime.fromtimestamp(at, UTC) for at in (issued_at, not_after))
        return Standing(issuer, CertificateStatus(status), issued, expires, revocation).pack()
    except (ValueError, TypeError, OverflowError, OSError, Tampered) as error:
        raise NotReady("the database holds a certificate whose status makes no sense") from error


def open_statuses(database_url: str, standings: Path) -> Statuses:
    """The signer's map where one signer writes all (SQLite). Of several on PostgreSQL each knows only its own acts."""
    scheme, _, rest = database_url.partition("://")
    dialect, _, _driver = scheme.partition("+")
    if dialect == "sqlite":
        return MappedStandings(standings)
    if dialect == "postgresql":
        return PostgresStatuses(f"postgresql://{rest}")
    raise NotReady("the database URL names neither sqlite nor postgresql")
