"""A token that really locks (opencryptoki's): locked, unlocked with SO passwords cut to its length, cut off, refused.

SoftHSM never locks a password. This wipes the machine's opencryptoki software token and runs its daemon, so it is a
campaign, for root, on a machine where nothing else uses them.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.system.running import REPOSITORY, wait_for

pytestmark = [pytest.mark.campaign, pytest.mark.opencryptoki]

SLOT, TOKEN = "3", Path("/var/lib/opencryptoki/swtok")
DEFAULT_SO, VENDOR_SO, LABEL = "87654321", "vendor12", "LockTest"
_SCRIPT = """
import glob, json, pkcs11
from ushield.errors import UShieldError
from ushield.token import Token

module = glob.glob("/usr/lib/*/opencryptoki/libopencryptoki.so.0")[0]
(found,) = [one for one in pkcs11.lib(module).get_tokens() if one.label.strip() == "LockTest"]
token, said = Token(module, found), []


def attempt(what, act, *arguments):
    try:
        act(*arguments)
        said.append((what, "done", token.pin_state().name))
    except UShieldError as error:
        said.append((what, error.code, token.pin_state().name))


first, second = "0123456789abcdefghjkmnpqrstvwxyz", "zyxwvtsrqpnmkjhgfedcba9876543210"
attempt("prepare", token.set_so_password, "vendor12", first, "12345678")
for guess in ("Wrong111", "Wrong222", "Wrong333"):
    attempt("guess", token.log_in, guess)
attempt("right", token.log_in, "12345678")
attempt("reset", token.reset_password, first, second, "Fresh987")
attempt("open", token.log_in, "Fresh987")
attempt("again", token.reset_password, first, second, "Fresh654")
attempt("open", token.log_in, "Fresh654")
attempt("stranger", token.reset_password, "11111111", "22222222", "Fresh000")
attempt("open", token.log_in, "Fresh654")
print(json.dumps(said))
"""


def pkcsconf(*options: str, typed: str) -> None:
    subprocess.run(["pkcsconf", "-c", SLOT, *options], input=typed.encode(), capture_output=True, check=False)


@pytest.fixture
def daemon() -> Iterator[None]:
    """A token as new: only the daemon makes one, and only where there is none."""
    shutil.rmtree(TOKEN)
    TOKEN.joinpath("TOK_OBJ").mkdir(parents=True)
    running = subprocess.Popen(["pkcsslotd", "-f"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(
            "pkcsslotd", lambda: subprocess.run(["pkcsconf", "-i"], capture_output=True, check=False).returncode == 0
        )
        yield
    finally:
        running.terminate()
        running.wait()


@pytest.mark.usefixtures("daemon")
def test_a_token_that_locks_is_unlocked_and_keeps_no_old_so_password() -> None:
    pkcsconf("-I", typed=f"{DEFAULT_SO}\n{LABEL}\n")
    pkcsconf("-P", typed=f"{DEFAULT_SO}\n{VENDOR_SO}\n{VENDOR_SO}\n")
    pkcsconf("-u", typed=f"{VENDOR_SO}\nFactory1\nFactory1\n")

    ran = subprocess.run([sys.executable, "-c", _SCRIPT], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert [tuple(line) for line in json.loads(ran.stdout)] == [
        ("prepare", "done", "SET"),
        ("guess", "D-20", "LOW"),
        ("guess", "D-20", "FINAL"),
        ("guess", "D-20", "LOCKED"),
        ("right", "D-21", "LOCKED"),
        ("reset", "done", "SET"),
        ("open", "done", "SET"),
        ("again", "done", "SET"),
        ("open", "done", "SET"),
        ("stranger", "D-88", "SET"),
        ("open", "done", "SET"),
    ]
