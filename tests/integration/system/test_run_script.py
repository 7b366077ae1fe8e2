"""`./run` itself: what it takes from the command line and hands on. A copy of it, with nothing to install."""

import hashlib
import re
import shutil
import socket
import sys
from pathlib import Path

import pytest

from tests.integration.system.fixtures import CopyOfDemo
from tests.integration.system.running import REPOSITORY, Ran, run

_PYTHON = """\
#!/bin/sh
if [ "$1" = -c ]; then exit 0; fi
printf '%s\\n' "$@"
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """`run` in a directory of its own, finished with setting up, with a Python that says what it was started with."""
    (tmp_path / "deploy").mkdir()
    for name in ("run", "deploy/setup.sh", "requirements.txt"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(_PYTHON)
    python.chmod(0o755)
    lock = hashlib.sha256((tmp_path / "requirements.txt").read_bytes()).hexdigest()
    (tmp_path / ".venv" / "run.stamp").write_text(f"{lock}  - {tmp_path}\n")
    return tmp_path / "run"


@pytest.mark.softhsm
@pytest.mark.parametrize("option", ["--state", "--https-port", "--http-port", "--console-port"])
def test_every_option_of_its_help_is_handed_on(script: Path, option: str) -> None:
    assert option in run(script, "--help").out

    ran = run(script, option, "1234")

    assert ran == Ran(0, f"-m\nca\nstart\n{option}\n1234\n", "")


@pytest.mark.parametrize(
    "arguments", [("--state",), ("--state", ""), ("--state=",), ("--https-port",), ("tour", "--state")], ids=" ".join
)
def test_an_option_without_its_value_starts_nothing(script: Path, arguments: tuple[str, ...]) -> None:
    ran = run(script, *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert "./run tour" in ran.err


def visible(directory: Path) -> set[str]:
    """What other tests running beside this one leave there begins with a dot."""
    return {path.name for path in directory.iterdir() if not path.name.startswith(".")}


@pytest.mark.parametrize("arguments", [("--state", "", "doctor"), ("--state=", "doctor"), ("start", "--state", "")])
def test_an_empty_name_of_a_state_directory_is_refused(arguments: tuple[str, ...]) -> None:
    before = visible(REPOSITORY)

    ran = run(sys.executable, "-m", "ca", *arguments)

    assert ran.status == 2
    assert "state directory is empty" in ran.err
    assert visible(REPOSITORY) == before


@pytest.mark.softhsm
@pytest.mark.socket
def test_the_option_that_a_port_in_use_advises_is_one_it_takes(script: Path, copy_of_demo: CopyOfDemo) -> None:
    demo = copy_of_demo()
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", demo.console))
        occupied.listen()
        advised = re.findall("choose another with (--[a-z-]+)", demo.start_in_vain().err)

    assert [run(script, option, "1234").status for option in advised] == [0]
