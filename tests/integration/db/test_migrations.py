"""The migrations make exactly the schema that the rows describe, on both databases, and tell which one they find."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import Migrate, upgrade  # type: ignore[import-untyped]  # it has no types
from sqlalchemy import Engine, inspect, text

from ca.adapters.db.base import Row
from ca.adapters.db.engine import open_database, open_read_only
from ca.adapters.db.rows import db
from ca.adapters.db.schema import MIGRATIONS, SchemaState, migrate, require_current_schema, schema_state
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.custody import Holder
from ca.domain.errors import NotReady
from tests.builders import an_event


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without a schema."""
    place = tmp_path / "empty.sqlite3" if request.param == "sqlite" else request.getfixturevalue("empty_postgres_url")
    engine = open_database(place, create=True)
    yield engine
    engine.dispose()


def test_autogenerate_finds_no_difference_between_rows_and_migrated_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, Row.metadata)

    assert differences == []


def test_every_constraint_of_the_rows_is_in_the_migrated_schema(engine: Engine) -> None:
    found = inspect(engine)

    assert {"uq_certificates_serial", "uq_code_pairs_reference", "uq_intents_serial"} <= {
        str(constraint["name"])
        for table in ("certificates", "code_pairs", "intents")
        for constraint in found.get_unique_constraints(table)
    }
    assert [each["referred_table"] for each in found.get_foreign_keys("officer_credentials")] == ["officers"]


def test_an_empty_database_is_empty_and_after_migrating_current(empty: Engine) -> None:
    before = schema_state(empty)
    migrate(empty)

    assert (before, schema_state(empty)) == (SchemaState.EMPTY, SchemaState.CURRENT)


def test_migrating_again_changes_nothing(empty: Engine) -> None:
    migrate(empty)
    with SqlUnitOfWork(empty)() as work:
        work.audit.append(an_event())
        work.commit()

    migrate(empty)

    with SqlUnitOfWork(empty)() as work:
        assert work.audit.head().number == 1


def test_an_empty_schema_is_not_ready(empty: Engine) -> None:
    with pytest.raises(NotReady, match="migrate it"):
        require_current_schema(empty)
    with pytest.raises(NotReady, match="migrate it"), SqlUnitOfWork(empty)() as work:
        work.audit.head()


def test_a_newer_schema_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    place = engine.url.render_as_string(hide_password=False)

    for refused in (open_database, open_read_only):
        with pytest.raises(NotReady, match="newer version"):
            refused(place)
    with pytest.raises(NotReady, match="newer version"):
        migrate(engine)
    with pytest.raises(NotReady, match="newer version"):
        require_current_schema(engine)


def test_flask_migrate_runs_the_same_migrations(tmp_path: Path) -> None:
    path = tmp_path / "flask.sqlite3"
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{path}"
    db.init_app(app)
    Migrate(app, db)

    with app.app_context():
        upgrade(str(MIGRATIONS))
        db.engine.dispose()

    engine = open_database(path)
    assert schema_state(engine) is SchemaState.CURRENT
    engine.dispose()


def test_u_shields_from_before_the_ledger_get_its_first_entry(empty: Engine) -> None:
    _migrate_to(empty, "0006")
    columns = "id, serial, model, branch, state, customer, registered_by, registered_at"
    lives = {"in-stock": "", "in-use": "c-1", "lost": "c-2", "returned": "", "destroyed": ""}
    with empty.begin() as connection:
        for state, customer in lives.items():
            values = f"'{state}', 'US {state}', 'M', 'pudong', '{state}', '{customer}', 'E1', 1000"
            connection.execute(text(f"INSERT INTO devices ({columns}) VALUES ({values})"))  # noqa: S608  ours, all of it

    migrate(empty)

    with SqlUnitOfWork(empty)() as work:
        moves = {serial: work.stock.list_moves(serial) for serial in ("US in-stock", "US in-use", "US lost")}
        device = work.devices.find("US in-use")
        held = work.stock.count_held("pudong")
    assert device is not None
    assert device.holder is Holder.CUSTOMER
    assert held == {Holder.BRANCH: 1, Holder.RETURNED: 1}
    assert [(one.to_holder.value, one.keeper, one.by_person) for (one,) in moves.values()] == [
        ("branch", "", "E1"),
        ("customer", "c-1", "E1"),
        ("customer", "c-2", "E1"),
    ]


def _migrate_to(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
