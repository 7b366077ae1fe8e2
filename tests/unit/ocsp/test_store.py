"""ocsp/store.py over SQLite: what the row says, now."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ca.domain.errors import NotReady
from ca.domain.revocation import Revocation, RevocationReason
from ocsp.store import PostgresStatuses, Row, SqliteStatuses, open_statuses

TABLE = "CREATE TABLE certificates (serial TEXT, issuer TEXT, status TEXT, issued_at INT, revoked_at INT, reason INT)"
ISSUED = datetime(2026, 11, 1, tzinfo=UTC)
SECONDS = int(ISSUED.timestamp())


def fill(path: Path, *rows: tuple[object, ...]) -> None:
    connection = sqlite3.connect(path)
    connection.execute(TABLE)
    connection.executemany("INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "database.sqlite3"
    fill(path, ("a1", "issuing", "active", SECONDS, None, None), ("a2", "issuing", "revoked", SECONDS, SECONDS + 5, 1))
    return path


def test_rows_come_in_the_order_asked_and_none_for_a_stranger(path: Path) -> None:
    revoked, unknown, active = SqliteStatuses(path).find([0xA2, 0xA3, 0xA1])
    assert revoked == Row("issuing", "revoked", SECONDS, SECONDS + 5, 1)
    assert unknown is None
    assert active == Row("issuing", "active", SECONDS, None, None)


def test_a_change_shows_in_the_next_look(path: Path) -> None:
    statuses = SqliteStatuses(path)
    statuses.find([0xA1])

    with sqlite3.connect(path) as writer:
        writer.execute("UPDATE certificates SET status = 'on-hold' WHERE serial = 'a1'")
    writer.close()

    (row,) = statuses.find([0xA1])
    assert row is not None
    assert row.status == "on-hold"


def test_a_restored_database_is_read_instead_of_the_old_one(path: Path) -> None:
    statuses = SqliteStatuses(path)
    statuses.find([0xA1])

    restored = path.with_name("restored")
    fill(restored)
    restored.rename(path)

    assert statuses.find([0xA1]) == [None]


def test_nothing_can_be_written_through_it(path: Path) -> None:
    statuses = SqliteStatuses(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        statuses._connection().execute("DELETE FROM certificates")


def test_a_database_that_is_missing_or_broken_is_not_ready(path: Path, tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        SqliteStatuses(tmp_path / "missing").find([1])
    statuses = SqliteStatuses(path)
    statuses.find([1])
    with sqlite3.connect(path) as writer:
        writer.execute("DROP TABLE certificates")
    writer.close()
    with pytest.raises(NotReady):
        statuses.find([1])


def test_what_relying_parties_see_of_a_row() -> None:
    at = datetime.fromtimestamp(SECONDS + 5, UTC)
    assert Row("issuing", "active", SECONDS, None, None).revocation() is None
    assert Row("issuing", "revoked", SECONDS, SECONDS + 5, 1).revocation() == Revocation(
        RevocationReason.KEY_COMPROMISE, at
    )
    assert Row("issuing", "revoked", SECONDS, SECONDS + 5, None).revocation() == Revocation(
        RevocationReason.UNSPECIFIED, at
    )
    hold = Revocation(RevocationReason.CERTIFICATE_HOLD, ISSUED)
    assert Row("issuing", "unconfirmed", SECONDS, None, None).revocation() == hold


@pytest.mark.parametrize(
    "row", [Row("i", "fine", 0, None, None), Row("i", "revoked", 0, 1, 7), Row("i", "active", 1 << 70, None, None)]
)
def test_a_row_that_makes_no_sense_is_not_ready(row: Row) -> None:
    with pytest.raises(NotReady, match="no sense"):
        row.revocation()


def test_the_database_url_chooses_the_reader(path: Path) -> None:
    assert open_statuses(f"sqlite:///{path}").find([0xA3]) == [None]
    assert isinstance(open_statuses("postgresql+psycopg://nobody@localhost/none"), PostgresStatuses)
    with pytest.raises(NotReady):
        open_statuses("mysql://localhost/none")


@pytest.mark.socket
def test_a_postgresql_that_is_away_is_not_ready() -> None:
    with pytest.raises(NotReady):
        open_statuses("postgresql+psycopg://nobody@127.0.0.1:1/none").find([1])
