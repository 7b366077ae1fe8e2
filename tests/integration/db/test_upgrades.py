"""Databases as earlier versions left them, brought to ours: nothing is lost, and what was sealed then still counts.

`released.jsonl` has their rows, written by the program as it was when each revision was the newest one. Every seal in
it is an HMAC under `_SEAL_KEY` over what that version sealed. Revisions 0008, 0009 and 0011 were never the newest of
any version that worked; databases pass through them here on their way.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, Table, inspect, select

from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import MIGRATIONS, SchemaState, migrate, schema_state
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.audit import Head
from ca.domain.certificates import CertificateStatus
from tests.builders import a_certificate, a_customer, an_application, an_event, an_intent, an_invitation, an_officer

_LINES = [json.loads(line) for line in Path(__file__).with_name("released.jsonl").read_text("utf-8").splitlines()]
_SEAL_KEY = b"the seal key of this test"
RELEASES = sorted({release for line in _LINES for release in line["releases"]})

Rows = dict[str, list[dict[str, Any]]]


class Sealed(Protocol):
    def sealed_fields(self) -> bytes: ...


def rows_of(release: str) -> Rows:
    found: Rows = {}
    for line in _LINES:
        if release in line["releases"]:
            row = {name: _value(value) for name, value in line["row"].items()}
            found.setdefault(line["table"], []).append(row)
    return found


def _value(value: Any) -> Any:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def is_sealed(thing: Sealed, seal: bytes) -> bool:
    return hmac.compare_digest(seal, hmac.new(_SEAL_KEY, thing.sealed_fields(), hashlib.sha256).digest())


_POSTGRES, _CAMPAIGN = pytest.mark.postgres, pytest.mark.campaign
EACH = [("sqlite", release) for release in RELEASES]
# The same migrations run on both; each of them on PostgreSQL takes minutes together.
EACH += [
    pytest.param("postgres", release, marks=[_POSTGRES] if release == RELEASES[0] else [_POSTGRES, _CAMPAIGN])
    for release in RELEASES
]


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Iterator[Engine]:
    place = tmp_path / "old.sqlite3" if database == "sqlite" else request.getfixturevalue("empty_postgres_url")
    engine = open_database(place, create=True)
    yield engine
    engine.dispose()


def as_released(engine: Engine, release: str) -> Rows:
    """The database as that version left it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    rows, tables = rows_of(release), MetaData()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, release)
    tables.reflect(engine)
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name in rows:
                connection.execute(table.delete())  # the first row of a chain that has not begun
                connection.execute(table.insert(), rows[table.name])
    return rows


@pytest.mark.parametrize(("database", "release"), EACH)
def test_an_upgrade_keeps_every_row_and_what_was_sealed_chained_and_revoked_counts(old: Engine, release: str) -> None:
    before = as_released(old, release)
    assert schema_state(old) is SchemaState.OLDER

    migrate(old)

    assert schema_state(old) is SchemaState.CURRENT
    _require_kept(old, before, release)
    _require_sealed(old)
    _require_chained(old)


def _require_kept(engine: Engine, before: Rows, release: str) -> None:
    tables = MetaData()
    tables.reflect(engine)
    kept = {name: _projected(engine, tables.tables[name], rows) for name, rows in before.items()}
    # Portal sessions end with the upgrade to 0005: everybody signs in again.
    expected = before | ({"customer_sessions": []} if "customer_sessions" in before and release < "0005" else {})
    assert kept == {name: sorted(rows, key=repr) for name, rows in expected.items()}


def _projected(engine: Engine, table: Table, like: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, in the columns that there were then."""
    columns = [table.c[name] for name in like[0]]
    with engine.connect() as connection:
        return sorted((dict(row) for row in connection.execute(select(*columns)).mappings()), key=repr)


def _require_sealed(engine: Engine) -> None:
    with SqlUnitOfWork(engine)() as work:
        officer, seal = work.officers.get(an_officer().id)
        assert is_sealed(officer, seal)
        invitation, seal = work.invitations.get(an_invitation().id)
        assert is_sealed(invitation, seal)
        application, seal = work.applications.get(an_application().id)
        assert is_sealed(application.case, seal)
        intent = work.intents.find(an_intent().serial)
        assert intent is not None
        assert is_sealed(intent, intent.seal)


def _require_chained(engine: Engine) -> None:
    with SqlUnitOfWork(engine)() as work:
        assert work.certificates.get(a_certificate().serial).status is CertificateStatus.REVOKED
        assert work.customers.get(a_customer().id).name == "张敏"
        last = work.crls.last("issuing")
        assert last is not None
        assert work.crls.take_number("issuing", 0) > last.number
        head = Head()
        for chained in work.audit.read():
            head = head.follow(chained)
        assert head == work.audit.head()
        assert head.number > 0
        work.audit.append(an_event())  # and the chain goes on
        work.commit()
        assert work.audit.head().number == head.number + 1


def test_every_table_of_the_newest_earlier_version_has_a_row_to_lose(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "old.sqlite3", create=True)
    rows = as_released(engine, RELEASES[-1])
    # What waits for the journal is not of the schema's making: one line of text.
    assert set(inspect(engine).get_table_names()) - set(rows) == {"alembic_version", "journal_outbox"}
    engine.dispose()
