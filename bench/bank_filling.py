"""Puts a bank (bench/bank.py, bench/bank_tables.py) into a database that the product's own migrations made.

The seeds go in once; everything that grows with them is made inside the database, before the indexes, which take one
pass over all rows instead of a look-up for each. At the end the product's own job counts the home page's figures. What
makes filling fast and reading no faster (no journal, no synchronizing) ends with it.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine

from bench.bank import Bank, Seed
from bench.bank_tables import DERIVED, STEPS, Derived, Table, model, tables
from ca.adapters.clock import SystemClock
from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import migrate
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.name_parts import parts_of
from ca.usecases.figures import CountFigures

_HANDS = 2
"""Connections that work at the same time."""
_TEXT = "TEXT"
_KINDS = {"n": "{int}", "at": "{int}", "mark": "{blob}"}
_MODEL = {
    "der": "{blob}", "case_json": _TEXT, "seal": "{blob}", "client_data": "{blob}", "signature": "{blob}",
    "octets": "{blob}", "request_der": "{blob}", "request": _TEXT,
}  # fmt: skip
_OF_ALL = (
    f"seed ({', '.join(f'{name} {_KINDS.get(name, _TEXT)}' for name in Seed._fields)})",
    f"model ({', '.join(f'{name} {kind}' for name, kind in _MODEL.items())})",
    "steps (step INTEGER, name TEXT, about TEXT, actor TEXT)",
)
"""Tables that the others are made of; they go when all is made."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How long it took, in seconds; `figures` is the part of the job that counts for the home page."""

    seconds: float
    figures: float


def fill_sqlite(path: Path, bank: Bank) -> Filled:
    """A new file."""
    began = time.monotonic()
    with _migrated(str(path)):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        settings = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = MEMORY")
        for pragma in (*settings, f"threads = {_HANDS}"):
            connection.execute(f"PRAGMA {pragma}")
        names = {*_names(bank)}
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
        for text in _OF_ALL:
            connection.execute("CREATE TEMP TABLE " + text.format(int="INTEGER", blob="BLOB"))
        for table in _given(bank):
            columns, marks = ", ".join(table.columns), ", ".join("?" for _ in table.columns)
            statement = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
            connection.executemany(statement, table.rows)
        for one in DERIVED:
            connection.execute(_insert(one))
        for _name, text in indexes:
            connection.execute(text)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    figures = _count_figures(str(path))
    return Filled(time.monotonic() - began, figures)


def fill_postgres(url: str, bank: Bank) -> Filled:
    """An empty database. Statistics are taken at the end, as autovacuum does by itself."""
    began = time.monotonic()
    with _migrated(url):
        pass
    with psycopg.connect(url, autocommit=True) as connection:
        later = [text for name in sorted({one.name for one in DERIVED}) for text in _without_indexes(connection, name)]
        for text in _OF_ALL:
            # Not temporary: several connections read them.
            connection.execute(f"CREATE UNLOGGED TABLE {text.format(int='BIGINT', blob='BYTEA')}".encode())
        for table in _given(bank):
            statement = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                for row in table.rows:
                    copy.write_row(row)
        made = [one.name for one in DERIVED]
        inserts = {name: [_insert(one) for one in DERIVED if one.name == name] for name in reversed(made)}
        _together(url, list(inserts.values()))
        _together(url, [[text] for text in later])
        for text in _OF_ALL:
            connection.execute(f"DROP TABLE {text.split()[0]}".encode())
        _together(url, [[f"VACUUM ANALYZE {name}"] for name in _names(bank)])
    figures = _count_figures(url)
    return Filled(time.monotonic() - began, figures)


def _given(bank: Bank) -> Iterator[Table]:
    """What this program makes."""
    parts: list[tuple[str, str, str]] = []
    yield Table("seed", Seed._fields, _noting(bank.seeds(), parts))
    yield Table("model", tuple(_MODEL), iter([model(bank)]))
    yield Table("steps", ("step", "name", "about", "actor"), ((at, *step) for at, step in enumerate(STEPS)))
    # In the order of their key, in which SQLite keeps them.
    parts.sort()
    yield Table("name_parts", ("customer", "part", "branch"), iter(parts))
    yield from tables(bank)


def _noting(seeds: Iterator[Seed], parts: list[tuple[str, str, str]]) -> Iterator[Seed]:
    """The seeds, and on the way the parts of their names."""
    known = lru_cache(2**18)(parts_of)
    for seed in seeds:
        parts += [(seed.customer, part, seed.branch) for part in known(seed.name)]
        yield seed


def _names(bank: Bank) -> list[str]:
    """Of every table that gets rows, the longest first."""
    return [*dict.fromkeys(one.name for one in reversed(DERIVED)), "name_parts", *{one.name for one in tables(bank)}]


def _insert(one: Derived) -> str:
    return f"INSERT INTO {one.name} ({one.columns}) SELECT {one.select}"


def _together(url: str, work: Sequence[Sequence[str]]) -> None:
    """Several lists of statements at the same time, each on a connection of its own. Raises what one of them raises."""

    def one(statements: Sequence[str]) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET maintenance_work_mem = '1GB'")
            for text in statements:
                connection.execute(text.encode())

    with ThreadPoolExecutor(_HANDS) as hands:
        for done in [hands.submit(one, statements) for statements in work]:
            done.result()


def _without_indexes(connection: "psycopg.Connection[tuple[Any, ...]]", table: str) -> Iterator[str]:
    """How to make them again, those of keys and what must be unique as well."""
    found = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN "
        "('p', 'u')",
        (table,),
    ).fetchall()
    for name, text in found:
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
        yield f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {text}'
    left = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND schemaname = current_schema()", (table,)
    ).fetchall()
    for name, text in left:
        connection.execute(f'DROP INDEX "{name}"'.encode())
        yield str(text)


def _count_figures(place: str) -> float:
    """By the product's job; how many seconds it took."""
    began = time.monotonic()
    engine = open_database(place)
    try:
        CountFigures(SqlUnitOfWork(engine), SystemClock())()
    finally:
        engine.dispose()
    return time.monotonic() - began


@contextmanager
def _migrated(place: str) -> Iterator[Engine]:
    engine = open_database(place, create=True)
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()
