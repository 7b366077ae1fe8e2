"""The passkey played by a program."""

import stat

import pytest

from ca.adapters.webauthn import WebAuthnAuthenticators
from ca.demo.authenticator import SoftwareAuthenticator
from ca.domain.errors import NotReady

ORIGIN = "https://localhost:8443"


def test_the_key_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "passkey.json"
    passkey = SoftwareAuthenticator.create(path)

    passkey.register(b"c" * 32, ORIGIN, "localhost")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_loaded_passkey_signs_as_the_one_registered(tmp_path):
    path = tmp_path / "passkey.json"
    authenticators = WebAuthnAuthenticators("localhost", (ORIGIN,))
    registration = SoftwareAuthenticator.create(path).register(b"c" * 32, ORIGIN, "localhost")
    credential = authenticators.verify_registration(registration, challenge=b"c" * 32, label="demo")

    assertion = SoftwareAuthenticator.load(path).sign(b"d" * 32)

    assert authenticators.verify_assertion(assertion, challenge=b"d" * 32, public_key=credential.public_key) == 0


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "passkey.json"
    SoftwareAuthenticator.create(path)

    with pytest.raises(NotReady, match="never overwritten"):
        SoftwareAuthenticator.create(path)


def test_an_unregistered_passkey_signs_nothing(tmp_path):
    passkey = SoftwareAuthenticator.create(tmp_path / "passkey.json")

    with pytest.raises(NotReady, match="not registered"):
        passkey.sign(b"c" * 32)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"private_key": "x"}'])
def test_a_damaged_key_file_is_named(tmp_path, content):
    path = tmp_path / "passkey.json"
    path.write_text(content)

    with pytest.raises(NotReady, match=r"passkey\.json"):
        SoftwareAuthenticator.load(path)


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(NotReady, match=r"missing\.json"):
        SoftwareAuthenticator.load(tmp_path / "missing.json")
