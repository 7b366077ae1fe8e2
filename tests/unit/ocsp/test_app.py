"""ocsp/app.py: the status process opens nothing before it is asked, so that it may start before all else."""

from datetime import UTC, datetime

from ocsp.app import status_app


def test_it_comes_up_and_says_that_it_is_not_well_while_nothing_is_there_yet(tmp_path) -> None:
    app = status_app(
        database_url=f"sqlite:///{tmp_path / 'later.sqlite3'}",
        publication=tmp_path / "later",
        signer_socket=tmp_path / "later.sock",
        now=lambda: datetime(2026, 11, 23, tzinfo=UTC),
    )
    said: list[str] = []

    app({"REQUEST_METHOD": "GET", "PATH_INFO": "/health"}, lambda status, _headers: said.append(status))

    assert said == ["503 Service Unavailable"]
