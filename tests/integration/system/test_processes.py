"""Each process comes up from exactly what deploy/README.md says it needs, and its settings: it may run elsewhere."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ca.programs import other_programs, signer_program
from config.settings import State, load_settings
from tests.integration.system.fixtures import CopyOfDemo
from tests.integration.system.running import REPOSITORY, environment, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]

# What SQLite has not put into the file itself yet is part of the database.
DATABASE = ("database.sqlite3", "database.sqlite3-wal", "database.sqlite3-shm")
NEEDS = {
    "console": (*DATABASE, "trust/chain.pem", "secrets/console-key"),
    "customer": ("trust/chain.pem",),
    "edge": ("tls", "trust/chain.pem"),
    "status": ("standings", "publication"),
    "jobs": (),
    "prober": DATABASE,
}
CALLS = dict.fromkeys(NEEDS, ("signer",)) | {"edge": ("console", "customer")}
SIGNER_NEEDS = (
    *("hsm/issuing", *DATABASE, "journal", "journal-mirror", "standings", "trust", "publication"),
    "crl-copies",
)


def part_of(whole: Path, to: Path, needs: tuple[str, ...]) -> Path:
    """Another machine's state directory, with nothing else in it."""
    (to / "run").mkdir(mode=0o700, parents=True)
    for name in ("settings.toml", *needs):
        if name in DATABASE and not (whole / name).exists():
            continue
        (to / name).parent.mkdir(mode=0o700, exist_ok=True)
        copy = shutil.copytree if (whole / name).is_dir() else shutil.copy2
        copy(whole / name, to / name)
    return to


@contextmanager
def served(directory: Path, name: str) -> Iterator[None]:
    """The process, while the block runs."""
    argv = [sys.executable, "-m", "ca", "--state", directory, "serve", name]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=REPOSITORY, env=environment(), stdout=log, stderr=log)
        try:
            yield
            assert process.poll() is None, (directory / "log").read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def test_each_process_comes_up_from_exactly_its_row(copy_of_demo: CopyOfDemo) -> None:
    whole = copy_of_demo().state
    machines = whole.parent
    signer = part_of(whole, machines / "signer", SIGNER_NEEDS)
    crl = signer / "publication" / "crl" / "issuing.crl"
    crl.unlink()
    with ExitStack() as running:
        running.enter_context(served(signer, "signer"))
        wait_for("the signer's health", signer_program(State(signer)).is_healthy)
        for name, needs in NEEDS.items():
            directory = part_of(whole, machines / name, needs)
            for other in CALLS[name]:
                (directory / "run" / f"{other}.sock").symlink_to(machines / other / "run" / f"{other}.sock")
            programs = {one.name: one for one in other_programs(State(directory), load_settings(State(directory)))}
            running.enter_context(served(directory, name))
            # The jobs' own sign of life is a CRL, which the signer publishes where it is.
            wait_for(f"the health of {name}", crl.exists if name == "jobs" else programs[name].is_healthy)
