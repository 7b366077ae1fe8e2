"""The bank that most tests of use cases play in."""

import pytest

from tests.fakes.bank import Bank


@pytest.fixture
def bank() -> Bank:
    return Bank()
