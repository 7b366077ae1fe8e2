"""A customer's name is filed as it is now: when saved, when replayed from the journal, and by the migration."""

from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.orm import Session

from ca.adapters.db import recovery, schema
from ca.adapters.db.engine import open_database
from ca.adapters.db.name_rows import NamePartRow
from ca.adapters.db.schema import migrate
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from tests.builders import a_customer, an_event

_CUSTOMER = "INSERT INTO customers VALUES ('c1', '1', 'person', '王 Wei', 'd', '', 'pudong', 'E-1', 0, '', '')"


def filed(engine: Engine) -> set[tuple[str, str, str]]:
    with engine.connect() as connection:
        return {
            tuple(row) for row in connection.execute(select(NamePartRow.customer, NamePartRow.part, NamePartRow.branch))
        }


def save(engine: Engine, **changes: object) -> None:
    with SqlUnitOfWork(engine)() as work:
        work.customers.save(replace(a_customer(), id="c1", **changes))
        work.audit.append(an_event())
        work.commit()


def test_a_saved_name_is_filed_with_its_branch(engine: Engine) -> None:
    save(engine, name="Zhang Wei", branch="pudong")

    assert filed(engine) == {("c1", "zhang wei", "pudong"), ("c1", "wei zhang", "pudong")}


def test_a_new_name_takes_the_place_of_the_old(engine: Engine) -> None:
    save(engine, name="Zhang Wei", branch="pudong")
    save(engine, name="张伟", branch="xuhui")

    assert filed(engine) == {("c1", "张伟", "xuhui"), ("c1", "伟", "xuhui")}


def test_parts_are_in_the_order_of_code_points(engine: Engine) -> None:
    save(engine, name="Zebra ähnlich Éa öl 张 _x", branch="pudong")

    with engine.connect() as connection:
        found = list(connection.scalars(select(NamePartRow.part).order_by(NamePartRow.part)))

    assert found == sorted(found)


def test_a_replayed_name_is_filed(engine: Engine, fresh: Engine) -> None:
    save(engine, name="Zhang Wei", branch="pudong")
    save(engine, name="Zhang Wei Li", branch="pudong")
    entries = recovery.waiting(engine, 0)

    with Session(fresh) as session:
        for entry in entries:
            recovery._redo(session, entry)
        session.commit()

    assert filed(fresh) == filed(engine) != set()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A database as it was before names were filed."""
    place = tmp_path / "older.sqlite3" if request.param == "sqlite" else request.getfixturevalue("empty_postgres_url")
    engine = open_database(place, create=True)
    config = schema._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0013")
        connection.execute(text(_CUSTOMER))
    return engine


def test_the_migration_files_the_names_there_are_and_can_be_undone(older: Engine) -> None:
    before = {each["name"] for each in inspect(older).get_indexes("certificates")}
    migrate(older)
    names = filed(older)
    config = schema._config()
    with older.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0013")

    assert names == {("c1", "王 wei", "pudong"), ("c1", "wei 王", "pudong")}
    assert {each["name"] for each in inspect(older).get_indexes("certificates")} == before
    older.dispose()
