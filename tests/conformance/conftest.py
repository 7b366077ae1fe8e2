"""A certificate of every profile, downloaded by curl from the running system."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.system.clients import issue
from tests.integration.system.running import Demo

CUSTOMERS_PROFILES = ("machine", "tls-server", "personal-signing", "corporate-operator", "officer")


@pytest.fixture(scope="session")
def issued(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Profile → its certificate (PEM)."""
    directory = tmp_path_factory.mktemp("issued")
    return {name: issue(demo, directory, demo.codes(name)[0], name) for name in CUSTOMERS_PROFILES}
