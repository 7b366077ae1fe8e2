"""ca/adapters/db/dump.py: a copy is of one moment, and a dump fills an empty database whole or not."""

import io
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from ca.adapters.db.base import Row
from ca.adapters.db.dump import PostgresLoad, copy_sqlite, dump_postgres, end_sessions
from ca.adapters.db.engine import open_database
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.errors import InvalidRequest, NotReady, Tampered
from tests.builders import (
    SEAL,
    a_certificate,
    a_challenge,
    a_customer,
    a_device,
    a_session,
    an_application,
    an_event,
    an_issuer,
    an_officer,
    evidence,
)

Pieces = list[tuple[str, bytes]]


def fill(engine: Engine) -> None:
    with SqlUnitOfWork(engine)() as work:
        work.customers.save(a_customer(name="张敏 \\N\t\n"))
        work.devices.save(a_device())
        work.officers.save(an_officer(), SEAL)
        work.issuers.save(an_issuer())
        work.applications.save(an_application(), SEAL)
        work.applications.add_evidence("application-1", evidence())
        work.certificates.add(a_certificate())
        work.sessions.save(a_session(), SEAL)
        work.challenges.add(a_challenge())
        work.audit.append(an_event())
        work.commit()


def rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        tables = Row.metadata.sorted_tables
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}


def load(url: str, pieces: Pieces) -> None:
    loading = PostgresLoad(url)
    try:
        for name, content in pieces:
            loading.take(name, io.BytesIO(content))
        loading.commit()
    finally:
        loading.close()


@pytest.fixture
def target(empty_postgres_url: str) -> Iterator[Engine]:
    engine = open_database(empty_postgres_url)
    yield engine
    engine.dispose()


def test_an_sqlite_copy_is_of_one_moment_while_others_write(sqlite_path: Path, tmp_path: Path) -> None:
    with sqlite3.connect(sqlite_path) as connection:
        connection.execute("CREATE TABLE pairs (first INTEGER, second INTEGER, filler BLOB)")
        connection.execute("INSERT INTO pairs VALUES (0, 0, NULL)")
        rest = [(0, 0, bytes(2000))] * 10_000  # enough pages for several steps
        connection.executemany("INSERT INTO pairs VALUES (?, ?, ?)", rest)
    connection.close()
    stop = threading.Event()

    def write() -> None:
        writer = sqlite3.connect(sqlite_path, timeout=30)
        while not stop.is_set():
            with writer:
                writer.execute("UPDATE pairs SET first = first + 1 WHERE rowid % 1000 = 1")
                writer.execute("UPDATE pairs SET second = second + 1 WHERE rowid % 1000 = 1")
        writer.close()

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(5):
            copy = tmp_path / f"copy-{number}.sqlite3"
            copy_sqlite(sqlite_path, copy)
            with sqlite3.connect(copy) as copied:
                assert copied.execute("SELECT count(*) FROM pairs WHERE first != second").fetchone() == (0,)
                assert len(copied.execute("SELECT DISTINCT first FROM pairs WHERE rowid % 1000 = 1").fetchall()) == 1
            copied.close()
            assert not Path(f"{copy}-wal").exists()
    finally:
        stop.set()
        writing.join()


def test_a_damaged_sqlite_database_is_not_backed_up(sqlite_path: Path, tmp_path: Path) -> None:
    content = bytearray(sqlite_path.read_bytes())
    content[4096 : 4096 * 12] = b"\x5a" * (4096 * 11)
    sqlite_path.write_bytes(content)

    with pytest.raises(NotReady, match="damaged"):
        copy_sqlite(sqlite_path, tmp_path / "copy.sqlite3")


@pytest.mark.postgres
def test_a_dump_of_postgres_brings_back_every_row(postgres_engine: Engine, target: Engine) -> None:
    fill(postgres_engine)

    load(target.url.render_as_string(hide_password=False), list(dump_postgres(postgres_engine)))

    assert rows(target) == rows(postgres_engine)
    with SqlUnitOfWork(target)() as work:  # rows that number themselves go on behind the last one
        work.applications.add_evidence("application-1", evidence())
        work.audit.append(an_event())
        work.commit()


@pytest.mark.postgres
def test_a_dump_of_postgres_is_of_one_moment(postgres_engine: Engine) -> None:
    fill(postgres_engine)
    pieces = dump_postgres(postgres_engine)
    first = next(pieces)

    with SqlUnitOfWork(postgres_engine)() as work:
        work.customers.save(a_customer(id="c-2", number="2", name="Late"))
        work.audit.append(an_event())
        work.commit()

    assert not any(b"Late" in content for _, content in [first, *pieces])


@pytest.mark.postgres
def test_a_database_that_is_in_use_is_not_filled(postgres_url: str) -> None:
    with pytest.raises(InvalidRequest, match="not empty"):
        PostgresLoad(postgres_url)


@pytest.mark.postgres
def test_a_load_that_does_not_come_to_its_end_leaves_nothing(postgres_engine: Engine, target: Engine) -> None:
    fill(postgres_engine)
    url, pieces = target.url.render_as_string(hide_password=False), list(dump_postgres(postgres_engine))

    loading = PostgresLoad(url)
    loading.take(pieces[0][0], io.BytesIO(pieces[0][1]))
    loading.take(pieces[1][0], io.BytesIO(pieces[1][1]))
    loading.close()

    load(url, pieces)  # it is as empty as before, so the next attempt may
    assert rows(target) == rows(postgres_engine)


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["database/999-customers/00000001.copy", "database/000-customers/00000001.copy"])
def test_a_piece_of_no_table_is_refused(postgres_engine: Engine, empty_postgres_url: str, table: str) -> None:
    pieces = list(dump_postgres(postgres_engine))

    with pytest.raises(Tampered, match="no table"):
        load(empty_postgres_url, [pieces[0], (table, b"")])


def test_nobody_is_signed_in_to_a_restored_database(engine: Engine) -> None:
    fill(engine)
    before = {name for name, found in rows(engine).items() if found}

    end_sessions(engine)

    assert before - {name for name, found in rows(engine).items() if found} == {"sessions", "challenges"}
