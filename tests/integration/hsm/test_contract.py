"""SoftHSM and the fakes keep the same contract, so that what is tested over a fake holds over an HSM."""

import pytest

from ca.adapters.hsm.seals import Pkcs11Seals, generate_seal_key
from ca.adapters.hsm.sessions import TokenSessions
from ca.ports import KeyId
from tests.contracts.key_store import KeyStoreContract, SealsContract
from tests.fakes.key_store import FakeKeyStore, FakeSeals


class TestFakeKeyStore(KeyStoreContract):
    @pytest.fixture
    def key_store(self) -> FakeKeyStore:
        return FakeKeyStore()


class TestFakeSeals(SealsContract):
    @pytest.fixture
    def seals(self) -> FakeSeals:
        return FakeSeals()


@pytest.mark.softhsm
class TestPkcs11KeyStore(KeyStoreContract):
    """Its fixture is the folder's `key_store`."""


@pytest.mark.softhsm
class TestPkcs11Seals(SealsContract):
    @pytest.fixture
    def seals(self, sessions: TokenSessions) -> Pkcs11Seals:
        key = KeyId(b"\x20")
        generate_seal_key(sessions, key, "seals")
        return Pkcs11Seals(sessions, key)
