"""The standings map in memory does what the real one does."""

import pytest

from tests.contracts.standings import StandingsContract
from tests.fakes.standings import FakeStandings


@pytest.fixture
def standings() -> FakeStandings:
    return FakeStandings()


class TestFakeStandings(StandingsContract):
    """The contract, in memory."""
