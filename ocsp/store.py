"""How certificates stand, read from the signer's database (read-only) each time: there is no older truth to serve.

The columns are a contract with `ca/adapters/db/rows.py`. Any trouble is NotReady: no answer is better than an old one.
"""

import sqlite3
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from ca.domain.certificates import CertificateStatus, standing
from ca.domain.errors import NotReady
from ca.domain.revocation import Revocation, RevocationReason

_COLUMNS = "issuer, status, issued_at, revoked_at, reason"
_SQLITE_QUERY = f"SELECT {_COLUMNS} FROM certificates WHERE serial = ?"  # noqa: S608 - constant text
_POSTGRES_QUERY = f"SELECT {_COLUMNS} FROM certificates WHERE serial = %s"  # noqa: S608 - constant text


class Row(NamedTuple):
    """A certificate as the database has it; times in seconds since 1970."""

    issuer: str
    status: str
    issued_at: int
    revoked_at: int | None
    reason: int | None

    def revocation(self) -> Revocation | None:
        """What relying parties see. Raises NotReady when the row makes no sense."""
        try:
            revocation = None
            if self.revoked_at is not None:
                reason = RevocationReason(self.reason or 0)
                revocation = Revocation(reason, datetime.fromtimestamp(self.revoked_at, UTC))
            return standing(CertificateStatus(self.status), datetime.fromtimestamp(self.issued_at, UTC), revocation)
        except (ValueError, TypeError, OverflowError, OSError) as error:
            raise NotReady("the database holds a certificate whose status makes no sense") from error


class Statuses(Protocol):
    """Where statuses are read."""

    def find(self, serials: Sequence[int]) -> list[Row | None]:
        """The row of each, None for a serial that was never issued. Raises NotReady when it cannot be read."""


class SqliteStatuses:
    """The embedded database: a read-only connection for each thread, to the file that is there now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = threading.local()

    def find(self, serials: Sequence[int]) -> list[Row | None]:
        try:
            connection = self._connection()
            found = [connection.execute(_SQLITE_QUERY, (f"{serial:x}",)).fetchone() for serial in serials]
        except (sqlite3.Error, OSError) as error:
            self._forget()
            raise NotReady("the database cannot be read") from error
        return [Row(*row) if row else None for row in found]

    def _connection(self) -> sqlite3.Connection:
        # A database that was restored is another file under the same name; the old one must not be read on.
        now = self._path.stat()
        file = (now.st_dev, now.st_ino)
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None or self._mine.file != file:
            self._forget()
            uri = f"{self._path.resolve().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, timeout=1.0, isolation_level=None)
            self._mine.connection, self._mine.file = connection, file
        return connection

    def _forget(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is not None:
            self._mine.connection = None
            connection.close()


class PostgresStatuses:
    """PostgreSQL: a read-only session for each thread, given up at the first trouble."""

    def __init__(self, url: str) -> None:
        import psycopg  # loaded only where PostgreSQL is used

        self._psycopg = psycopg
        self._url = url
        self._mine = threading.local()

    def find(self, serials: Sequence[int]) -> list[Row | None]:
        connection = getattr(self._mine, "connection", None)
        try:
            if connection is None:
                connection = self._mine.connection = self._psycopg.connect(
                    self._url,
                    autocommit=True,
                    connect_timeout=2,
                    options="-c default_transaction_read_only=on -c statement_timeout=2000",
                )
            found = [connection.execute(_POSTGRES_QUERY, (f"{serial:x}",)).fetchone() for serial in serials]
        except self._psycopg.Error as error:
            self._mine.connection = None
            if connection is not None:
                connection.close()
            raise NotReady("the database cannot be read") from error
        return [Row(*row) if row else None for row in found]


def open_statuses(database_url: str) -> Statuses:
    """The reader for a database URL as the settings have it (`sqlite:////…` or `postgresql+psycopg://…`)."""
    scheme, _, rest = database_url.partition("://")
    dialect, _, _driver = scheme.partition("+")
    if dialect == "sqlite":
        return SqliteStatuses(Path(rest.removeprefix("/")))
    if dialect == "postgresql":
        return PostgresStatuses(f"postgresql://{rest}")
    raise NotReady("the database URL names neither sqlite nor postgresql")
