"""No page of the console is forgotten by its bench: what has no row has a reason."""

from pathlib import Path

import pytest
from flask import Flask

from admin.access import ROOMS
from bench.bank import LARGEST, Bank
from bench.console_app import Asking, Console
from bench.console_pages import NOT_MEASURED, PAGES, Asked
from bench.experiments.console import PEOPLE
from ca.operations import Operation
from tests.fakes.console import console, fill
from tests.fakes.console_signer import FakeSigner

BANK = Bank(10_000, 1_800_000_000, b"", b"", b"")
NUMBER = next(n for n in range(BANK.customers) if BANK.branch(n) == LARGEST)


class _Nobody:
    def call(self, operation: Operation) -> dict[str, object]:
        raise AssertionError(operation)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Console:
    database: Path = tmp_path_factory.mktemp("pages") / "console.sqlite3"
    signer = FakeSigner()
    fill(database, signer)
    app: Flask = console(database, signer)
    return Console(app, PEOPLE, Asking(_Nobody(), PEOPLE))


def test_every_page_is_measured_or_has_a_reason(bench: Console) -> None:
    measured = {
        bench.endpoint(path(Asked(bench, BANK, PEOPLE["largest branch"], NUMBER))) for path in PAGES.values()
    }  # fmt: skip
    read = {rule.endpoint for rule in bench.app.url_map.iter_rules() if "GET" in (rule.methods or ())}

    assert measured | NOT_MEASURED.keys() == read & ROOMS.keys()
    assert not measured & NOT_MEASURED.keys()


def test_every_page_opens_to_one_of_the_officers(bench: Console) -> None:
    for path in PAGES.values():
        assert bench.who_may(path(Asked(bench, BANK, PEOPLE["largest branch"], NUMBER)))


def test_a_page_of_one_row_is_of_a_row_that_the_officer_may_see(bench: Console) -> None:
    asked = Asked(bench, BANK, PEOPLE["small branch"], 17)

    assert BANK.branch(asked.next(lambda n: BANK.kind(n) == "person")) == PEOPLE["small branch"].branch
    with pytest.raises(LookupError):
        asked.next(lambda _n: False)
