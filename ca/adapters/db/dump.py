"""The whole database as of one moment, out of it and into an empty one, while others go on working.

SQLite: its own online copy within one read transaction, so no writer waits and none makes it begin again. PostgreSQL:
every table by COPY within one REPEATABLE READ transaction, in pieces, so that nothing is held in memory or on disk.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql
from sqlalchemy import Engine, delete, inspect

from ca.adapters.db.engine import open_database
from ca.adapters.db.errors import DAMAGED, translated
from ca.adapters.db.portal_rows import CustomerSessionRow
from ca.adapters.db.rows import ChallengeRow, SessionRow
from ca.adapters.db.schema import SchemaState, schema_state, upgrade
from ca.domain.errors import InvalidRequest, NotReady, Tampered

TABLES = "database/tables.json"
_PAGES = 4096
_PIECE = 8 << 20
_VERSION_TABLE = "alembic_version"


class Readable(Protocol):
    """What a piece is read from."""

    def read(self, size: int = -1, /) -> bytes: ...


def copy_sqlite(database: Path, copy: Path) -> None:
    """As it was at one moment. Raises NotReady when it is damaged or cannot be read."""
    try:
        with (
            closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            # The copy is made of what this transaction sees: whoever writes meanwhile changes nothing in it.
            source.isolation_level = None
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            source.backup(target, pages=_PAGES, sleep=0)
            target.execute("PRAGMA journal_mode=DELETE")
            if target.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise NotReady(DAMAGED)
    except sqlite3.Error as error:
        raise translated(error) from error


def dump_postgres(engine: Engine) -> Iterator[tuple[str, bytes]]:
    """Named pieces, in the order in which they are loaded. Raises NotReady."""
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with snapshot.connect() as connection:
        found = inspect(connection)
        ordered = [name for name, _ in found.get_sorted_table_and_fkc_names() if name and name != _VERSION_TABLE]
        tables = [(name, [str(each["name"]) for each in found.get_columns(name)]) for name in ordered]
        yield TABLES, json.dumps([{"table": name, "columns": columns} for name, columns in tables]).encode()
        driver = _driver(connection)
        for place, (table, columns) in enumerate(tables, start=1):
            for number, piece in enumerate(_pieces(driver, table, columns), start=1):
                yield f"database/{place:03}-{table}/{number:08}.copy", piece


def _pieces(driver: psycopg.Connection[Any], table: str, columns: Sequence[str]) -> Iterator[bytes]:
    waiting = bytearray()
    try:
        with driver.cursor() as cursor, cursor.copy(_statement("COPY {} ({}) TO STDOUT", table, columns)) as copying:
            for row in copying:
                waiting += row
                if len(waiting) >= _PIECE:
                    yield bytes(waiting)
                    waiting.clear()
    except psycopg.Error as error:
        raise translated(error) from error
    if waiting:
        yield bytes(waiting)


class PostgresLoad:
    """Fills an empty database from the pieces, all in one transaction: it is there whole, or not at all."""

    def __init__(self, url: str) -> None:
        """Raises InvalidRequest when something is in the database already, NotReady when it cannot be reached."""
        self._engine = open_database(url)
        try:
            with self._engine.connect() as connection:
                used = bool(inspect(connection).get_table_names())
            if used or schema_state(self._engine) is not SchemaState.EMPTY:
                raise InvalidRequest("the database that was named is not empty; make a new one and name that")
            self._connection = self._engine.connect()
        except BaseException:
            self._engine.dispose()
            raise
        self._tables: list[dict[str, Any]] = []

    def take(self, name: str, content: Readable) -> None:
        """The next piece. Raises Tampered, NotReady."""
        if name == TABLES:
            self._begin(json.loads(content.read()))
            return
        place = int(name.split("/")[1].split("-", maxsplit=1)[0])
        if not 1 <= place <= len(self._tables):
            raise Tampered(f"the backup has {name}, which is no table of it")
        table = self._tables[place - 1]
        statement = _statement("COPY {} ({}) FROM STDIN", table["table"], table["columns"])
        try:
            with _driver(self._connection).cursor() as cursor, cursor.copy(statement) as copying:
                while piece := content.read(1 << 20):
                    copying.write(piece)
        except psycopg.Error as error:
            raise translated(error) from error

    def _begin(self, tables: list[dict[str, Any]]) -> None:
        upgrade(self._connection)
        known = set(inspect(self._connection).get_table_names()) - {_VERSION_TABLE}
        if {table["table"] for table in tables} != known:
            raise Tampered("the backup has other tables than its schema")
        self._tables = tables
        # A migration puts first rows into some; the backup has them.
        names = sql.SQL(", ").join(sql.Identifier(table["table"]) for table in tables)
        _driver(self._connection).execute(sql.SQL("TRUNCATE {}").format(names))

    def commit(self) -> None:
        """Raises NotReady."""
        driver = _driver(self._connection)
        try:
            for table in self._tables:
                for column in table["columns"]:
                    _settle_sequence(driver, table["table"], column)
        except psycopg.Error as error:
            raise translated(error) from error
        self._connection.commit()

    def close(self) -> None:
        """Without a commit the database is as empty as before."""
        self._connection.close()
        self._engine.dispose()


def _settle_sequence(driver: psycopg.Connection[Any], table: str, column: str) -> None:
    """What numbers rows by itself goes on behind those that are there."""
    quoted = sql.Identifier(table).as_string()
    (sequence,) = driver.execute("SELECT pg_get_serial_sequence(%s, %s)", (quoted, column)).fetchone() or (None,)
    if sequence is not None:
        statement = sql.SQL("SELECT setval(%s, coalesce(max({}), 0) + 1, false) FROM {}")
        driver.execute(statement.format(sql.Identifier(column), sql.Identifier(table)), (sequence,))


def end_sessions(engine: Engine) -> None:
    """Nobody is signed in to a database that was restored: the journal does not tell which sessions ended since."""
    with engine.begin() as connection:
        for row in (SessionRow, ChallengeRow, CustomerSessionRow):
            connection.execute(delete(row))


def _statement(text: str, table: str, columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(text).format(sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)))


def _driver(connection: Any) -> psycopg.Connection[Any]:
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)  # noqa: S101  SQLAlchemy gives out what its URL names
    return found
