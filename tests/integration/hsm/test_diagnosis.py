"""The doctor names the first thing that is wrong, and harms nothing by looking."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pkcs11.constants import TokenFlag

from ca.adapters.hsm.diagnosis import Expectation, ExpectedKey, Finding, diagnose
from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.module import Module
from ca.adapters.hsm.seals import generate_seal_key
from ca.adapters.hsm.sessions import TokenSessions
from ca.adapters.hsm.tokens import HsmToken, TokenDirectory, token_lock
from ca.domain.keys import KeyAlgorithm
from ca.ports import KeyId

pytestmark = pytest.mark.softhsm

P256 = KeyAlgorithm.EC_P256
CA_ID, SEAL_ID, ABSENT_ID = KeyId(b"\x01"), KeyId(b"\x20"), KeyId(b"\x99")


def wrong(findings: list[Finding]) -> dict[str, str]:
    return {finding.subject: finding.sentence for finding in findings if not finding.ok}


def damage_token_file(directory: TokenDirectory) -> None:
    next(directory.tokens.glob("*/token.object")).write_bytes(b"")


def remove_token_files(directory: TokenDirectory) -> None:
    shutil.rmtree(next(directory.tokens.iterdir()))


def open_pin_to_all(directory: TokenDirectory) -> None:
    directory.pin_file.chmod(0o444)


def forget_to_name_the_tokens(directory: TokenDirectory) -> None:
    directory.configuration.write_text("# directories.tokendir = /tmp\nobjectstore.backend = file\n")


def garble_token(directory: TokenDirectory) -> None:
    next(directory.tokens.glob("*/token.object")).write_bytes(b"garbage")


def test_a_sound_token_has_nothing_wrong(token: HsmToken) -> None:
    with TokenSessions.open(token) as sessions:
        public_key = Pkcs11KeyStore(sessions).generate(CA_ID, "issuing", P256)
        generate_seal_key(sessions, SEAL_ID, "seals")
    expected = Expectation([P256], [ExpectedKey(CA_ID, "issuing", public_key)], SEAL_ID)

    findings = diagnose(token, expected, try_login=True)

    assert wrong(findings) == {}
    assert [finding.subject for finding in findings] == [
        "HSM module",
        "HSM configuration",
        "token directory",
        "PIN file",
        "token",
        "PIN state",
        "mechanisms",
        "PIN",
        "key issuing",
        "seal key",
    ]


@pytest.mark.parametrize(
    ("damage", "subject", "sentence"),
    [
        (lambda directory: directory.configuration.unlink(), "HSM configuration", "is missing"),
        (forget_to_name_the_tokens, "token directory", "names no directories.tokendir"),
        (lambda directory: shutil.rmtree(directory.tokens), "token directory", "is missing"),
        (remove_token_files, "token directory", "holds no token"),
        (damage_token_file, "token directory", "is damaged"),
        (garble_token, "token", "restore them from the backup"),
        (lambda directory: directory.pin_file.unlink(), "PIN file", "is missing"),
        (open_pin_to_all, "PIN file", "can be read by others"),
    ],
    ids=[
        "no configuration",
        "configuration without directory",
        "no token directory",
        "no token files",
        "empty token file",
        "garbled token file",
        "no PIN file",
        "PIN readable by all",
    ],
)
def test_what_is_wrong_is_named(
    token: HsmToken,
    directory: TokenDirectory,
    damage: Callable[[TokenDirectory], object],
    subject: str,
    sentence: str,
) -> None:
    damage(directory)

    found = wrong(diagnose(token, try_login=True))

    assert list(found) == [subject]
    assert sentence in found[subject]


def test_a_missing_module_is_named(token: HsmToken, tmp_path: Path) -> None:
    found = wrong(diagnose(replace(token, module=tmp_path / "none.so")))

    assert "is missing" in found["HSM module"]


def test_another_label_is_named(token: HsmToken) -> None:
    found = wrong(diagnose(replace(token, label="another")))

    assert list(found) == ["token"]
    assert found["token"].startswith('the HSM shows no token labelled "another"')


def test_a_wrong_pin_is_named_but_only_tried_when_asked(token: HsmToken) -> None:
    token.pin_file.chmod(0o600)
    token.pin_file.write_text("wrong-pin")

    before = wrong(diagnose(token))
    untouched = TokenFlag.USER_PIN_COUNT_LOW not in flags_of(token)
    found = wrong(diagnose(token, try_login=True))

    assert before == {}
    assert untouched
    assert "refuses the PIN" in found["PIN"]
    assert TokenFlag.USER_PIN_COUNT_LOW in flags_of(token)


def test_missing_mechanisms_are_named(token: HsmToken, directory: TokenDirectory) -> None:
    with directory.configuration.open("a") as file:
        file.write("slots.mechanisms = -,CKM_ECDSA,CKM_SHA256_HMAC\n")

    assert "CKM_ECDSA" in wrong(diagnose(token, Expectation([P256])))["mechanisms"]
    assert "CKM_SHA256_HMAC" in wrong(diagnose(token, Expectation(seal_key=SEAL_ID)))["mechanisms"]


def test_missing_and_exchanged_keys_are_named(token: HsmToken) -> None:
    with TokenSessions.open(token) as sessions:
        Pkcs11KeyStore(sessions).generate(CA_ID, "issuing", P256)
    expected = Expectation(
        keys=[ExpectedKey(CA_ID, "issuing", b"another"), ExpectedKey(ABSENT_ID, "responder")], seal_key=SEAL_ID
    )

    found = wrong(diagnose(token, expected, try_login=True))

    assert "not the one we know" in found["key issuing"]
    assert "holds no public key with id 99" in found["key responder"]
    assert "holds no secret key with id 20" in found["seal key"]


def test_a_token_in_use_is_left_alone(token: HsmToken) -> None:
    with token_lock(token.lock_file):
        findings = diagnose(token, try_login=True)

    assert wrong(findings) == {}
    assert findings[-1].subject == "token use"
    assert "nothing was touched" in findings[-1].sentence


def flags_of(token: HsmToken) -> TokenFlag:
    module = Module(token.module, token.configuration)
    try:
        return module.token_state(module.find_token(token.label)).flags
    finally:
        module.close()
