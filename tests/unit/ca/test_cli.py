"""ca/cli.py and ca/doctor.py: a user's mistake is one sentence and leaves nothing behind."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ca.adapters.clock import SystemClock
from ca.cli import cli
from ca.doctor import examine
from ca.start import CEREMONIES
from config.settings import State
from tests.fakes.ceremony import Ceremony
from tests.fakes.clock import FakeClock, FakeRandom
from tests.fakes.work import FakeUnitOfWork

SETTINGS = """\
public_url = "http://x"
enrolment_url = "https://x"
origins = []
[listening]
https_port = 1
http_port = 2
"""


def pki(state: Path, *arguments: object) -> Result:
    return CliRunner().invoke(cli, ["--state", str(state), *map(str, arguments)])


@pytest.fixture
def bank(tmp_path: Path) -> State:
    """A bank's own settings, before its ceremony."""
    state = State(tmp_path / "state")
    state.directory.mkdir()
    state.settings_file.write_text(SETTINGS)
    return state


@pytest.mark.parametrize("content", ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN"])
def test_a_garbled_certificate_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.pem").write_text(content)

    ran = pki(tmp_path, "report-unknown", tmp_path / "bad.pem")

    assert ran.exit_code == 1
    assert ran.stderr == f"error: {tmp_path / 'bad.pem'} holds no certificate that can be read\n"


def test_a_ceremony_without_settings_makes_no_demo(tmp_path: Path) -> None:
    script = tmp_path / "bank.toml"
    script.write_bytes((CEREMONIES / "demo.toml").read_bytes())
    state = tmp_path / "state"

    ran = pki(state, "ceremony", "run", "--unattended", script)

    assert ran.exit_code == 1
    assert ran.stderr.startswith("error: ")
    assert not state.exists()


@pytest.mark.parametrize("content", [None, "steps = 7"], ids=["missing", "no script"])
def test_a_script_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path, content: str | None) -> None:
    script, state = tmp_path / "bank.toml", tmp_path / "state"
    if content is not None:
        script.write_text(content)

    ran = pki(state, "ceremony", "run", script)

    assert ran.exit_code == 1
    assert not state.exists()


def found(state: State, subject: str) -> str:
    (sentence,) = [finding.sentence for finding in examine(state) if finding.subject == subject and not finding.ok]
    return sentence


def test_what_the_doctor_cannot_read_is_a_finding(bank: State) -> None:
    (bank.publication / "crl" / "issuing.crl").mkdir(parents=True)
    assert found(bank, "clock").startswith("a file cannot be read: ")


@pytest.mark.parametrize(("age", "wanted"), [(timedelta(days=1), 0), (timedelta(days=310), 1)], ids=["new", "old"])
def test_a_root_crl_that_ends_soon_is_a_finding(bank: State, age: timedelta, wanted: int) -> None:
    ceremony = Ceremony(FakeUnitOfWork(), FakeClock(SystemClock().now() - age), FakeRandom())
    ceremony()
    path = bank.publication / "crl" / "root.crl"
    path.parent.mkdir(parents=True)
    path.write_bytes(ceremony.publisher.crls["root"])

    bad = [finding.sentence for finding in examine(bank) if finding.subject == "root CRL" and not finding.ok]

    assert [sentence.startswith("it holds until ") for sentence in bad] == [True] * wanted


def test_a_root_crl_that_is_not_published_is_a_finding(bank: State) -> None:
    assert "not in the public place" in found(bank, "root CRL")


def test_a_command_that_needs_no_database_does_not_wait_for_its_libraries() -> None:
    loaded = "import sys, ca.cli; print({'sqlalchemy', 'alembic', 'flask', 'psycopg'} & sys.modules.keys())"

    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)

    assert ran.stdout == "set()\n"
