"""ocsp/app.py: the status process opens nothing before it is asked, so that it may start before all else."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from ocsp.app import Setup, status_app
from ocsp.wire import Head, read_fields


def test_it_comes_up_and_says_that_it_is_not_well_while_nothing_is_there_yet(tmp_path: Path) -> None:
    setup = Setup(
        database_url=f"sqlite:///{tmp_path / 'later.sqlite3'}",
        standings=tmp_path / "standings",
        kept=tmp_path / "kept",
        publication=tmp_path / "later",
        signer_socket=tmp_path / "later.sock",
        answers_socket=tmp_path / "later.sock",
    )
    app = status_app(setup, lambda: datetime(2026, 11, 23, tzinfo=UTC))
    head = Head("GET", b"/health", 1, read_fields(b"\r\nhost: status"))

    async def asked() -> str:
        response = app.respond(head, b"")
        status, _, _ = response if isinstance(response, tuple) else await response
        return status

    status = asyncio.run(asked())

    assert status.startswith("503")
