"""What goes wrong with a database is said in our words, and a front cannot write."""

import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, event, select, text

from ca.adapters.db.engine import changes_of, open_database, open_read_only, read_only_settings, set_up
from ca.adapters.db.errors import translated
from ca.adapters.db.rows import CertificateRow, CustomerRow, db
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.errors import InvalidRequest, InvalidTransition, NotReady, PKIError, Tampered
from ca.domain.revocation import RevocationReason
from tests.builders import NOW, SEAL, a_certificate, a_customer, a_session, an_application, an_event, an_officer


def test_a_missing_file_is_not_ready_and_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "database.sqlite3"

    for refused in (open_database, open_read_only):
        with pytest.raises(NotReady, match="there is no database at"):
            refused(missing)

    assert not missing.exists()


def test_a_missing_folder_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="folder"):
        open_database(tmp_path / "none" / "database.sqlite3", create=True)


@pytest.mark.parametrize("opened", [open_database, open_read_only], ids=["to write", "to read"])
def test_a_damaged_file_is_not_ready(tmp_path: Path, opened: Callable[[Path], Engine]) -> None:
    path = tmp_path / "database.sqlite3"
    path.write_bytes(b"this is no database" * 100)

    with pytest.raises(NotReady, match="damaged"):
        opened(path)


def test_a_file_damaged_further_in_is_not_ready(sqlite_path: Path) -> None:
    whole = sqlite_path.read_bytes()
    sqlite_path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    with pytest.raises(NotReady, match="damaged"):
        open_database(sqlite_path)


@pytest.mark.parametrize("url", ["mysql://host/name", "postgresql+nothing://host/name", "://", "nothing://x"])
def test_an_unknown_database_is_not_ready(url: str) -> None:
    with pytest.raises(NotReady):
        open_database(url)


def test_a_server_that_is_away_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="cannot be reached"):
        open_database(f"postgresql://vermilion@/vermilion?host={tmp_path}")


def test_a_full_disk_is_not_ready_and_nothing_is_half_written(sqlite_engine: Engine) -> None:
    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    event.listen(sqlite_engine, "connect", limit)
    sqlite_engine.dispose()
    with pytest.raises(NotReady, match="full"), SqlUnitOfWork(sqlite_engine)() as work:
        work.customers.save(a_customer(name="x" * 1_000_000))
    event.remove(sqlite_engine, "connect", limit)
    sqlite_engine.dispose()

    with SqlUnitOfWork(sqlite_engine)() as work:
        assert work.customers.find_by_number(a_customer().number) is None


def test_a_writer_that_never_ends_is_not_ready(sqlite_path: Path) -> None:
    engine = open_database(sqlite_path)
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout = 50"))
    engine.dispose()
    holder = sqlite3.connect(sqlite_path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(NotReady, match="busy"), SqlUnitOfWork(engine)():
        pass

    holder.close()
    engine.dispose()


def test_times_that_are_naive_or_fractional_are_refused(unit_of_work: SqlUnitOfWork) -> None:
    naive = datetime(2026, 11, 23, 12, 0, 0)  # noqa: DTZ001 - the very thing refused

    with pytest.raises(ValueError, match="no time zone"), unit_of_work() as work:
        work.customers.save(a_customer(registered_at=naive))
    with pytest.raises(ValueError, match="whole seconds"), unit_of_work() as work:
        work.customers.save(a_customer(registered_at=NOW + timedelta(microseconds=1)))


@pytest.mark.parametrize(
    "at",
    [
        datetime(1900, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 23, 13, 0, 0, tzinfo=timezone(timedelta(hours=1))),
    ],
    ids=["1900", "before the epoch", "past 32 bits", "no expiry in RFC 5280", "another time zone"],
)
def test_instants_read_back_as_utc(unit_of_work: SqlUnitOfWork, at: datetime) -> None:
    with unit_of_work() as work:
        work.sessions.save(a_session(began_at=at), SEAL)
        work.commit()

    with unit_of_work() as work:
        found = work.sessions.find(a_session().token_hash)

    assert found is not None
    assert found[0].began_at == at
    assert found[0].began_at.tzinfo is UTC


def test_the_status_process_finds_plain_columns(engine: Engine) -> None:
    with SqlUnitOfWork(engine)() as work:
        work.certificates.add(a_certificate().revoke(RevocationReason.SUPERSEDED, at=NOW))
        work.commit()

    with engine.connect() as connection:
        row = connection.execute(
            text("SELECT serial, issuer, status, issued_at, revoked_at, reason, not_after FROM certificates")
        ).one()

    seconds = int(NOW.timestamp())
    assert tuple(row) == ("a1", "issuing", "revoked", seconds, seconds, 4, seconds + 365 * 86400)


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE applications SET state = 'granted'", "application"),
        ("UPDATE applications SET case_json = '{}'", "application"),
        ("UPDATE applications SET case_json = 'x'", "application"),
        ("UPDATE applications SET case_json = replace(case_json, 'application-1', 'application-2')", "application"),
        ("UPDATE officers SET roles = 'god'", "officer"),
        ("UPDATE certificates SET status = 'good'", "certificate"),
        ("UPDATE certificates SET reason = 99, revoked_at = 0", "certificate"),
        ("UPDATE certificates SET predecessor = 'zz'", "certificate"),
        ("UPDATE audit_events SET details = 'x'", "audit"),
        ("DELETE FROM audit_head", "head"),
    ],
)
def test_rows_no_value_of_ours_can_have_are_reported_as_tampered(engine: Engine, statement: str, read: str) -> None:
    unit_of_work = SqlUnitOfWork(engine)
    with unit_of_work() as work:
        work.applications.save(an_application(), SEAL)
        work.officers.save(an_officer(), SEAL)
        work.certificates.add(a_certificate())
        work.audit.append(an_event())
        work.commit()
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)

    with unit_of_work() as work:
        reads: dict[str, Callable[[], object]] = {
            "application": lambda: work.applications.get("application-1"),
            "officer": lambda: work.officers.get("officer-1"),
            "certificate": lambda: work.certificates.get(0xA1),
            "audit": lambda: list(work.audit.read()),
            "head": work.audit.head,
        }
        with pytest.raises(Tampered):
            reads[read]()


def test_a_front_reads_and_cannot_write(engine: Engine) -> None:
    with SqlUnitOfWork(engine)() as work:
        work.customers.save(a_customer())
        work.commit()

    reader = open_read_only(engine.url.render_as_string(hide_password=False))
    with SqlUnitOfWork(reader)() as work:
        assert work.customers.get("customer-1") == a_customer()
        with pytest.raises(NotReady, match="may not be written"):
            work.customers.save(a_customer(name="Somebody Else"))
    reader.dispose()


def test_a_front_reads_while_the_signer_writes(sqlite_engine: Engine) -> None:
    reader = open_read_only(str(sqlite_engine.url.database))

    with SqlUnitOfWork(sqlite_engine)() as work:
        work.customers.save(a_customer())
        with reader.connect() as connection:
            during = connection.execute(text("SELECT count(*) FROM customers")).scalar_one()
        work.commit()
    with reader.connect() as connection:
        after = connection.execute(text("SELECT count(*) FROM customers")).scalar_one()
    reader.dispose()

    assert (during, after) == (0, 1)


def test_a_path_with_special_characters_opens_to_read(sqlite_path: Path) -> None:
    odd = sqlite_path.with_name("100% #1? database.sqlite3")
    shutil.copy(sqlite_path, odd)
    writer = open_database(odd)
    with SqlUnitOfWork(writer)() as work:
        work.customers.save(a_customer())
        work.commit()

    reader = open_read_only(odd)
    with SqlUnitOfWork(reader)() as work:
        assert work.customers.get("customer-1") == a_customer()
    reader.dispose()
    writer.dispose()


def test_flask_views_read_rows_and_cannot_write(engine: Engine) -> None:
    with SqlUnitOfWork(engine)() as work:
        work.customers.save(a_customer())
        work.certificates.add(a_certificate())
        work.commit()
    app = Flask(__name__)
    app.config.update(read_only_settings(engine.url.render_as_string(hide_password=False)))
    db.init_app(app)

    with app.app_context():
        set_up(db.engine, read_only=True)
        certificate = db.session.scalars(select(CertificateRow)).one()
        assert certificate.not_after == a_certificate().not_after
        db.session.scalars(select(CustomerRow)).one().name = "Somebody Else"
        with pytest.raises(NotReady, match="may not be written"):
            db.session.flush()
        db.session.rollback()
        db.session.remove()
        db.engine.dispose()


def test_other_errors_pass_the_border_unchanged() -> None:
    error = KeyError("x")

    assert translated(error) is error


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (psycopg.errors.DiskFull(), NotReady),
        (psycopg.errors.DeadlockDetected(), NotReady),
        (psycopg.errors.LockNotAvailable(), NotReady),
        (psycopg.errors.AdminShutdown(), NotReady),
        (psycopg.errors.InvalidPassword(), NotReady),
        (psycopg.errors.DataCorrupted(), NotReady),
        (psycopg.OperationalError("connection is lost"), NotReady),
        (psycopg.errors.UniqueViolation(), InvalidTransition),
        (psycopg.errors.NotNullViolation(), PKIError),
        (psycopg.errors.SyntaxError(), PKIError),
        (psycopg.DataError("NUL"), InvalidRequest),
        (sqlite3.ProgrammingError("Cannot operate on a closed database."), PKIError),
        (sqlite3.OperationalError("no code"), NotReady),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else f"{type(value).__module__}.{type(value).__name__}",
)
def test_each_drivers_error_becomes_one_of_ours(error: Exception, ours: type[PKIError]) -> None:
    assert type(translated(error)) is ours


@pytest.mark.parametrize("error", [psycopg.errors.IoError(), psycopg.errors.UndefinedFile()])
def test_a_disk_that_fails_is_not_called_full(error: Exception) -> None:
    assert "trouble with its disk or its files" in str(translated(error))


@pytest.mark.postgres
def test_text_that_postgres_cannot_keep_is_an_invalid_request(postgres_engine: Engine) -> None:
    with pytest.raises(InvalidRequest), SqlUnitOfWork(postgres_engine)() as work:
        work.customers.save(a_customer(name="A\x00B"))


@pytest.mark.postgres
def test_a_connection_that_broke_is_replaced(postgres_engine: Engine) -> None:
    unit_of_work = SqlUnitOfWork(postgres_engine)
    with unit_of_work() as work:
        work.audit.head()
    with postgres_engine.connect() as connection:
        killer = open_database(postgres_engine.url.render_as_string(hide_password=False))
        number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with killer.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        killer.dispose()
        with pytest.raises(NotReady, match="cannot be reached"):
            connection.exec_driver_sql("SELECT 1")

    with unit_of_work() as work:
        assert work.audit.head().number == 0


def test_whether_anybody_committed_is_known_without_reading(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (x)")
    reader = create_engine(f"sqlite:///{path}")
    changed = changes_of(reader)
    assert changed()
    assert [changed(), changed()] == [False, False]
    writer.execute("INSERT INTO t VALUES (1)")
    assert not changed()
    writer.commit()
    assert [changed(), changed()] == [True, False]
    writer.close()
    reader.dispose()
