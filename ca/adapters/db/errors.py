"""The border of the database: what drivers raise becomes an error of ours, with what to do about it.

SQLAlchemy calls `translate` for every failing statement, commit and connection, so that nothing above this package
ever sees a class of SQLAlchemy, sqlite3 or psycopg. The driver's own error stays in `__cause__`.
"""

import sqlite3
import sys
from typing import TYPE_CHECKING

from sqlalchemy import ExceptionContext

from ca.domain.errors import InvalidRequest, InvalidTransition, NotReady, PKIError

if TYPE_CHECKING:
    import psycopg

BUSY = "the database is busy with another change and did not answer in time; try again"
DAMAGED = "the database is damaged or no database at all; stop the signer and restore the last backup"
_FULL = "the disk that holds the database is full; free some space and try again"
_AWAY = "the database cannot be reached; check that it runs, that its address is right and that we may use it"
_NO_SCHEMA = "the database lacks a table we need; migrate it before starting"
_READ_ONLY = "the database may not be written from here; check the rights on its file and folder, or on its user"

_SQLITE: dict[int, str] = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: "the disk that holds the database cannot be read or written; check it and try again",
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened; check its path and the rights on its folder",
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_AUTH: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}

# SQLSTATE, by longest prefix (PostgreSQL manual, appendix A).
_POSTGRES: dict[str, str] = {
    "53100": _FULL,
    "53": "the database has no memory or connections left; try again, and look at its log",
    "55P03": BUSY,
    "57014": BUSY,
    "40": BUSY,
    "25006": _READ_ONLY,
    "42501": _READ_ONLY,
    "42P01": _NO_SCHEMA,
    "42703": _NO_SCHEMA,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    "08": _AWAY,
    "28": _AWAY,
    "3D000": _AWAY,
    "57P": _AWAY,
    "58": "the machine of the database has trouble with its disk or its files; look at the database's log",
}

_UNIQUE_SQLITE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
_UNIQUE_POSTGRES = "23505"


def translate(context: ExceptionContext) -> BaseException | None:
    """Listener for SQLAlchemy's `handle_error`: the error to raise instead."""
    if context.is_pre_ping:
        return None  # SQLAlchemy itself replaces a stale connection when it sees the driver's error.
    return translated(context.original_exception)


def translated(error: BaseException) -> BaseException:
    """The error of ours for a driver's; any other error is given back as it is."""
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error)
    # Slow to load, and nobody has an error of a driver that is not loaded.
    driver = sys.modules.get("psycopg")
    if driver is not None and isinstance(error, driver.Error):
        return _from_postgres(error)
    return error


def _from_sqlite(error: sqlite3.Error) -> PKIError:
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.IntegrityError):
        return _broken_rule(unique=code in _UNIQUE_SQLITE)
    if code is None:
        return _bug() if isinstance(error, sqlite3.ProgrammingError) else NotReady(_AWAY)
    # The lower byte is the kind, the rest says more about it (SQLite, result codes).
    known = _SQLITE.get(code & 0xFF)
    if known is not None:
        return NotReady(known)
    if "no such table" in str(error) or "no such column" in str(error):
        return NotReady(_NO_SCHEMA)
    return _unfit() if isinstance(error, sqlite3.DataError) else _bug()


def _from_postgres(error: "psycopg.Error") -> PKIError:
    import psycopg

    state = error.sqlstate or ""
    if isinstance(error, psycopg.IntegrityError):
        return _broken_rule(unique=state == _UNIQUE_POSTGRES)
    if isinstance(error, psycopg.DataError):
        return _unfit()
    known = next((_POSTGRES[state[:size]] for size in (5, 3, 2) if state[:size] in _POSTGRES), None)
    if known is not None:
        return NotReady(known)
    # A connection that was never made, or broke, has no SQLSTATE.
    return NotReady(_AWAY) if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else _bug()


def _broken_rule(*, unique: bool) -> PKIError:
    return InvalidTransition("this is recorded already; look at the record before trying again") if unique else _bug()


def _unfit() -> PKIError:
    return InvalidRequest("a value is too long, too large or has a character that cannot be stored")


def _bug() -> PKIError:
    return PKIError("the database refused what we asked of it; this is a mistake of ours, please report it")
