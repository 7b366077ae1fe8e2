"""Puts a bank (bench/bank.py) into a database that the product's own migrations made."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from bench.bank import Bank, Table
from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import migrate


def fill_sqlite(path: Path, bank: Bank) -> float:
    """A new file; how many seconds it took."""
    began = time.monotonic()
    with _migrated(str(path)):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
            connection.execute(f"PRAGMA {pragma}")
        names = {table.name for table in bank.tables()}
        indexes = [
            (name, text)
            for name, table, text in connection.execute(
                "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
            ).fetchall()
            if table in names
        ]
        for name, _text in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute("BEGIN")
        for table in bank.tables():
            columns, marks = ", ".join(table.columns), ", ".join("?" for _ in table.columns)
            statement = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
            connection.executemany(statement, table.rows)
        connection.execute("COMMIT")
        for _name, text in indexes:
            connection.execute(text)
        connection.execute("PRAGMA journal_mode = WAL")
    return time.monotonic() - began


def fill_postgres(url: str, bank: Bank) -> float:
    """An empty database; how many seconds it took. Statistics are taken at the end, as autovacuum does by itself."""
    began = time.monotonic()
    with _migrated(url):
        pass
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '1GB'")
        indexes = [text for table in bank.tables() for text in _without_indexes(connection, table)]
        for table in bank.tables():
            statement = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                for row in table.rows:
                    copy.write_row(row)
        for text in indexes:
            connection.execute(text)
        connection.execute("VACUUM ANALYZE")
    return time.monotonic() - began


def _without_indexes(connection: "psycopg.Connection[tuple[object, ...]]", table: Table) -> Iterator[str]:
    """How to make them again: one pass over all rows is faster than a look-up for each."""
    found = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname LIKE 'ix%%'", (table.name,)
    ).fetchall()
    for name, text in found:
        connection.execute(f'DROP INDEX "{name}"')
        yield str(text)


@contextmanager
def _migrated(place: str) -> Iterator[None]:
    engine = open_database(place, create=True)
    try:
        migrate(engine)
        yield
    finally:
        engine.dispose()
