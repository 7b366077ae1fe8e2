"""One customer with one U-Shield at one bank."""

from pathlib import Path

import pytest

from tests.fakes.ushield import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "state")
