"""A server that was set up anew, or a wrong database's name, must not found a second bank over the first one's keys."""

import pytest

from tests.integration.system.fixtures import CopyOfDemo
from tests.integration.system.running import run

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.postgres]


def test_an_empty_postgresql_beside_keys_is_refused_and_changes_nothing(
    copy_of_demo: CopyOfDemo, empty_postgres_url: str
) -> None:
    demo = copy_of_demo()
    root = demo.root_pem.read_bytes()

    ran = run(*demo.argv, VERMILION_DATABASE_URL=empty_postgres_url)

    assert ran.status == 1
    assert ran.err.startswith("error: the database is empty though its keys are here"), ran
    assert demo.root_pem.read_bytes() == root
    assert not (demo.state / "unfinished").exists()
