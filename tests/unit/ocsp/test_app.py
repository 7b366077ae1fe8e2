"""ocsp/app.py: the status process opens nothing before it is asked, so that it may start before all else."""

from asyncio import run
from datetime import UTC, datetime

from ocsp.app import status_app
from tests.fakes.rsgi import FakeExchange, FakeScope


def test_it_comes_up_and_says_that_it_is_not_well_while_nothing_is_there_yet(tmp_path) -> None:
    app = status_app(
        database_url=f"sqlite:///{tmp_path / 'later.sqlite3'}",
        standings=tmp_path / "standings",
        publication=tmp_path / "later",
        signer_socket=tmp_path / "later.sock",
        now=lambda: datetime(2026, 11, 23, tzinfo=UTC),
    )
    exchange = FakeExchange()

    run(app.__rsgi__(FakeScope("GET", "/health"), exchange))

    assert exchange.status == 503
