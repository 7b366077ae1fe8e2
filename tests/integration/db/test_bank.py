"""A bank in a database: the schema stays the product's, and every page that the bench measures is there."""

import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

from bench.bank import LARGEST, Bank
from bench.bank_filling import fill_postgres, fill_sqlite
from bench.console_app import Console, console
from bench.console_pages import PAGES, Asked
from bench.experiment import Unmeasured
from bench.experiments.console import PEOPLE, any_certificate
from ca.adapters.db.engine import open_database
from ca.certificate_operations import ExamineCertificate, ForeseeRevocation
from ca.domain.errors import NotReady
from ca.domain.policy import USUAL
from ca.operations import Health, NoteLook, Operation, WhoAmI
from ca.policy_operations import PolicyInForce

BANK = Bank(1_000, 1_800_000_000, *any_certificate())
TABLES = ("customers", "certificates", "applications", "devices", "audit_events", "name_parts", "evidence", "receipts")


def indexes(engine: Engine) -> dict[str, set[str]]:
    """Of a constraint only PostgreSQL says that it is an index, too."""
    found = {table: inspect(engine).get_indexes(table) for table in TABLES}
    return {table: {str(one["name"]) for one in each if str(one["name"])[:2] == "ix"} for table, each in found.items()}


class Canned:
    """A signer that answers what pages of rows ask; `refused` tells that a page asked for something else."""

    def __init__(self) -> None:
        self.refused = False

    def call(self, operation: Operation) -> dict[str, Any]:
        answers: dict[type[Operation], dict[str, Any]] = {
            WhoAmI: {},
            NoteLook: {},
            Health: {"hsm": "ok", "database": "ok", "clock": "ok"},
            PolicyInForce: {"numbers": USUAL.numbers()},
            ForeseeRevocation: {"by_two": False},
            ExamineCertificate: {"findings": [], "approvals": [], "ended_by_two": None, "request_wrong": ""},
        }
        self.refused = type(operation) not in answers
        if self.refused:
            raise NotReady("this signer knows no case")
        return answers[type(operation)]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        fill_sqlite(tmp_path / "bank.sqlite3", BANK)
        return str(tmp_path / "bank.sqlite3")
    url: str = request.getfixturevalue("empty_postgres_url")
    fill_postgres(url, BANK)
    return url


def test_the_bank_is_in_and_the_schema_is_the_products(filled: str, engine: Engine) -> None:
    bank = open_database(filled)

    assert indexes(bank) == indexes(engine)
    with bank.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM certificates")) == BANK.customers
        assert connection.scalar(text("SELECT count(*) FROM audit_events")) == 10 * BANK.customers
    bank.dispose()


def test_every_page_of_rows_is_there_for_those_who_may_open_it(filled: str) -> None:
    mine = [n for n in range(BANK.customers) if BANK.branch(n) == LARGEST]
    number, signer = random.Random(1).choice(mine), Canned()  # noqa: S311
    with console(filled, PEOPLE, signer) as app:
        of_the_signer = set()
        for name, path in PAGES.items():
            people = app.who_may(path(Asked(app, BANK, PEOPLE["auditor"], number)))
            for person in people if people[:1] != [PEOPLE["small branch"]] else people[1:]:
                try:
                    assert app.visit(person.word, path(Asked(app, BANK, person, number))).milliseconds > 0
                except Unmeasured:
                    assert signer.refused, name
                    of_the_signer.add(name)

    assert {"page of a case", "list profiles", "list my access"} <= of_the_signer
    assert len(of_the_signer) < 12


def test_what_is_refused_is_not_measured(filled: str) -> None:
    with console(filled, PEOPLE, Canned()) as app, pytest.raises(Unmeasured, match="answered 403"):
        app.visit("largest branch", "audit/")


def test_one_row_is_found_by_its_key(filled: str) -> None:
    with console(filled, PEOPLE, Canned()) as app:
        assert _look(app) > 0


def _look(app: Console) -> float:
    return app.key_look_up()(BANK.serial(7))
