"""How a token is made, whose it is, and what is said when it is not as it must be."""

import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ca.adapters.hsm.module import Module
from ca.adapters.hsm.sessions import TokenSessions
from ca.adapters.hsm.tokens import HsmToken, TokenDirectory, find_module, initialise_token, read_pin, token_lock
from ca.domain.errors import KeyStoreUnavailable, NotReady

pytestmark = pytest.mark.softhsm

AT_ONCE = timedelta(0)
HOLD_LOCK = (
    "import fcntl, os, sys, time; d = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); fcntl.flock(d, fcntl.LOCK_EX); "
    "print('held', flush=True); time.sleep(60)"
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_token_and_its_pins_are_ours_alone(token: HsmToken, directory: TokenDirectory) -> None:
    assert [mode(directory.path), mode(directory.tokens)] == [0o700, 0o700]
    assert [mode(directory.pin_file), mode(directory.so_pin_file)] == [0o400, 0o400]
    assert read_pin(directory.pin_file) != read_pin(directory.so_pin_file)
    assert len(read_pin(directory.pin_file)) == 32


def test_a_token_is_never_overwritten(token: HsmToken, directory: TokenDirectory) -> None:
    pin = read_pin(directory.pin_file)

    with pytest.raises(NotReady, match="never overwritten"):
        initialise_token(directory, "another")

    assert read_pin(directory.pin_file) == pin


@pytest.mark.parametrize("label", ["", "a" * 33], ids=["empty", "too long"])
def test_a_label_the_token_cannot_keep_is_refused(directory: TokenDirectory, label: str) -> None:
    with pytest.raises(NotReady, match="1 to 32"):
        initialise_token(directory, label)

    assert not directory.path.exists()


def test_two_tokens_with_one_label_are_refused(token: HsmToken) -> None:
    module = Module(token.module, token.configuration)
    try:
        with pytest.raises(NotReady, match="2 tokens are labelled"):
            module.initialise_blank_token(token.label, "so-pin-so-pin")
    finally:
        module.close()
    with pytest.raises(NotReady, match="2 tokens are labelled"):
        TokenSessions.open(token)


def test_a_second_owner_of_the_token_is_refused(sessions: TokenSessions, token: HsmToken) -> None:
    with pytest.raises(NotReady, match="another signer is using this token"):
        TokenSessions.open(token, lock_wait=timedelta(seconds=0.1))


def test_another_process_holds_the_token_until_it_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD_LOCK, path], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(NotReady, match="another signer"), token_lock(path, AT_ONCE):
            pass
        other.kill()
        other.wait()

    with token_lock(path, AT_ONCE):
        assert other.returncode != 0


def test_a_lock_that_is_let_go_is_taken_within_the_wait(token: HsmToken) -> None:
    TokenSessions.open(token).close()

    with token_lock(token.lock_file, AT_ONCE):
        assert mode(token.lock_file) == 0o600


def test_a_missing_token_directory_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="is the token directory there"), token_lock(tmp_path / "none" / "lock"):
        pass


def test_a_failed_start_frees_the_token(token: HsmToken) -> None:
    pin = read_pin(token.pin_file)
    token.pin_file.unlink()
    with pytest.raises(NotReady, match="PIN file"):
        TokenSessions.open(token)
    token.pin_file.touch(mode=0o600)
    token.pin_file.write_text(pin)

    TokenSessions.open(token, lock_wait=AT_ONCE).close()


@pytest.mark.parametrize("permissions", [0o440, 0o404, 0o420], ids=["group", "others", "group writes"])
def test_a_pin_open_to_others_is_refused(tmp_path: Path, permissions: int) -> None:
    path = tmp_path / "pin"
    path.write_text("secret")
    path.chmod(permissions)

    with pytest.raises(NotReady, match="mode 0400"):
        read_pin(path)


def test_an_empty_pin_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.touch(mode=0o400)

    with pytest.raises(NotReady, match="is empty"):
        read_pin(path)


def test_a_machine_without_softhsm_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="install softhsm2"):
        find_module([tmp_path / "none.so"])


def test_the_module_is_opened_once_in_a_process(token: HsmToken) -> None:
    module = Module(token.module, token.configuration)
    try:
        with pytest.raises(NotReady, match="open already in this process"):
            Module(token.module, token.configuration)
    finally:
        module.close()


def test_the_environment_is_as_before_when_the_module_is_closed(
    token: HsmToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTHSM2_CONF", "/somewhere/else")

    module = Module(token.module, token.configuration)
    inside = os.environ["SOFTHSM2_CONF"]
    module.close()

    assert inside == str(token.configuration)
    assert os.environ["SOFTHSM2_CONF"] == "/somewhere/else"


def test_a_missing_module_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="there is no HSM module"):
        Module(tmp_path / "none.so")


def test_a_module_other_than_softhsm_needs_no_softhsm_configuration(tmp_path: Path) -> None:
    other = Path("/usr/lib/other-makers-pkcs11.so")
    assert TokenDirectory(tmp_path).token("issuing", other).configuration is None


def test_softhsm_by_its_path_keeps_its_configuration(token: HsmToken, directory: TokenDirectory) -> None:
    assert directory.token(token.label, token.module).configuration == directory.configuration


def test_a_missing_configuration_is_said_so(token: HsmToken, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="missing or not readable"):
        Module(token.module, tmp_path / "none.conf")


def test_a_file_that_is_no_module_is_said_not_to_start(tmp_path: Path) -> None:
    path = tmp_path / "module.so"
    path.write_text("no module")

    with pytest.raises(KeyStoreUnavailable, match="does not start"):
        Module(path)


def test_a_damaged_token_directory_does_not_spoil_the_module_for_the_process(
    token: HsmToken, directory: TokenDirectory, tmp_path: Path
) -> None:
    directory.tokens.rename(tmp_path / "away")
    with pytest.raises(KeyStoreUnavailable, match="does not start"):
        TokenSessions.open(token)
    (tmp_path / "away").rename(directory.tokens)

    TokenSessions.open(token).close()
