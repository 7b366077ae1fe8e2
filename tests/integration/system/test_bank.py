"""A bank's own set-up, as deploy/README.md describes it: no demo, each process by itself."""

import subprocess
import sys

import pytest

from ca.domain.errors import PKIError
from ca.operations import Health
from ca.signer_client import SignerClient
from tests.integration.system.running import REPOSITORY, environment, pki, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]

SETTINGS = """\
demo = false
public_url = "http://pki.bank.example"
enrolment_url = "https://enrol.bank.example"
relying_party = "console.bank.example"
origins = ["https://console.bank.example"]

[listening]
https_port = 8443
http_port = 8080
"""
SCRIPT = "config/ceremonies/demo.toml"


@pytest.fixture
def state(short_directory):
    directory = short_directory / "bank"
    directory.mkdir(mode=0o700)
    (directory / "settings.toml").write_text(SETTINGS)
    held = pki(directory, "ceremony", "run", SCRIPT)
    assert held.status == 0, held.text
    assert held.out.count("one-time: /admin/invitation/") == 7
    return directory


def _is_healthy(state) -> bool:
    try:
        return set(SignerClient(state / "run" / "signer.sock").call(Health()).values()) == {"ok"}
    except PKIError:
        return False


def test_a_bank_holds_its_ceremony_once_and_serves_each_process_by_itself(state):
    again = pki(state, "ceremony", "run", SCRIPT)
    command = [sys.executable, "-m", "ca", "--state", str(state), "serve", "signer"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as signer:
        try:
            wait_for("a healthy signer", lambda: _is_healthy(state))
        finally:
            signer.terminate()

    assert again.status == 1
    assert "it is held once" in again.err
    assert "this is not a demo" in pki(state, "demo", "codes").err
    assert "there is no process 'signers'" in pki(state, "serve", "signers").err
    assert "deploy/README.md" in pki(state, "start").err


def test_no_start_deletes_keys_whatever_is_missing(stopped_demo, copy_of_demo):
    demo = copy_of_demo()
    keys = sorted(path.relative_to(demo.state) for path in (demo.state / "hsm").rglob("*.object"))
    for lost in (demo.database, demo.state / "ceremony" / "demo.txt"):
        lost.unlink()

    refused = demo.start_in_vain()

    assert refused.status == 1
    assert "is missing though its keys are here; restore it from your backup" in refused.text
    assert sorted(path.relative_to(demo.state) for path in (demo.state / "hsm").rglob("*.object")) == keys
