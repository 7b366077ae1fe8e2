"""A SoftHSM token of its own for each test: a token directory belongs to one process, the module is open once in it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.sessions import TokenSessions
from ca.adapters.hsm.tokens import HsmToken, TokenDirectory, initialise_token

LABEL = "vermilion-test"


@pytest.fixture
def directory(tmp_path: Path) -> TokenDirectory:
    return TokenDirectory(tmp_path / "hsm" / "test")


@pytest.fixture
def token(directory: TokenDirectory) -> HsmToken:
    return initialise_token(directory, LABEL)


@pytest.fixture
def sessions(token: HsmToken) -> Iterator[TokenSessions]:
    with TokenSessions.open(token, patience=timedelta(seconds=60)) as opened:
        yield opened


@pytest.fixture
def key_store(sessions: TokenSessions) -> Pkcs11KeyStore:
    return Pkcs11KeyStore(sessions)
