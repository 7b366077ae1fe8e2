"""The whole system as a customer's or an operator's computer sees it: started by its command, stopped by a signal.

Nothing here reaches into the product, except that codes are made in bulk by the demo's own module instead of its
command line, which takes a second to start.
"""

import ctypes
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ca.demo.codes import make_codes
from ca.demo.officers import CHECKER, MAKER, DemoOfficer, DemoOfficers
from ca.signer_client import SignerClient
from tests.fakes.ports import free_ports

REPOSITORY = Path(__file__).resolve().parents[3]
PATIENCE = 600.0
"""What does not happen by then happens never; what does costs no more than it takes."""


_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl  # looked up before any fork


def _end_with_pytest() -> None:
    """A test run that is killed outright must not leave a bank running."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True)
class Ran:
    """What a program said."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def environment(**more: str) -> dict[str, str]:
    """What a program gets of ours: no coverage, no pytest, no settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **more}


def run(*argv: object, stdin: bytes = b"", timeout: float = PATIENCE, **more_environment: str) -> Ran:
    done = subprocess.run(
        [str(word) for word in argv],
        input=stdin,
        capture_output=True,
        timeout=timeout,
        check=False,
        cwd=REPOSITORY,
        env=environment(**more_environment),
    )
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def pki(state: Path, *argv: object) -> Ran:
    """`./pki --state STATE …`"""
    return run(sys.executable, "-m", "ca", "--state", state, *argv)


def wait_for(what: str, condition: Any, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:g} s in vain: {what}")
        time.sleep(0.02)


def processes_of(state: Path) -> dict[int, str]:
    """Every process that has this state directory in its command line or environment: number → command line."""
    found = {}
    for proc in Path("/proc").iterdir():
        if not proc.name.isdigit() or int(proc.name) == os.getpid():
            continue
        try:
            command = (proc / "cmdline").read_bytes()
            names_it = any(f"{state}".encode() in part for part in (command, (proc / "environ").read_bytes()))
            alive = (proc / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            continue
        if names_it and alive:
            found[int(proc.name)] = command.replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return found


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@dataclass
class Demo:
    """One state directory with the processes on it, when they run."""

    state: Path
    https: int = 0
    http: int = 0
    console: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.https:
            self.https, self.http, self.console = free_ports()

    @property
    def output_file(self) -> Path:
        return self.state.with_name(self.state.name + ".out")

    @property
    def output(self) -> str:
        return self.output_file.read_text("utf-8") if self.output_file.exists() else ""

    @property
    def argv(self) -> list[str]:
        ports = ("--https-port", self.https, "--http-port", self.http, "--console-port", self.console)
        return [sys.executable, "-m", "ca", "start", "--state", str(self.state), *map(str, ports)]

    def launch(self) -> None:
        """Start without waiting."""
        with self.output_file.open("wb") as output:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env=environment(),
                start_new_session=True,
                preexec_fn=_end_with_pytest,  # noqa: PLW1509 - runs nothing but one system call
            )

    def start(self) -> "Demo":
        self.launch()
        self.wait_until_up()
        return self

    def wait_until_up(self) -> None:
        self.wait_for_line("Stop with Ctrl-C.")

    def wait_for_line(self, words: str) -> None:
        assert self.process is not None
        process = self.process
        wait_for(f"{words!r} in {self.output_file}", lambda: words in self.output or process.poll() is not None)
        assert words in self.output, self.output

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Signal the process that was started, wait for it, return its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout=PATIENCE)
        finally:
            self.process = None

    def start_in_vain(self) -> Ran:
        """A start that is expected to end by itself."""
        return run(*self.argv)

    def pki(self, *argv: object) -> Ran:
        return pki(self.state, *argv)

    def pid_of(self, name: str) -> int:
        return int((self.state / "run" / f"{name}.pid").read_text())

    @property
    def signer(self) -> SignerClient:
        return SignerClient(self.state / "run" / "signer.sock")

    @property
    def officers(self) -> DemoOfficers:
        return DemoOfficers(self.signer, self.state / "demo")

    @property
    def maker(self) -> DemoOfficer:
        return self.officers[MAKER]

    @property
    def checker(self) -> DemoOfficer:
        return self.officers[CHECKER]

    def codes(self, profile: str, count: int = 1, **options: Any) -> list[Mapping[str, Any]]:
        return list(make_codes(self.officers, profile, count, **options))

    def printed_codes(self, *argv: object) -> list[dict[str, Any]]:
        """The same by the command line."""
        ran = self.pki("demo", "codes", *argv)
        assert ran.status == 0, ran
        return [json.loads(line) for line in ran.out.splitlines()]

    @property
    def offered(self) -> Path:
        """Where the customers' tool lies, once the signer's job has packed it for our address."""
        place = self.state / "publication" / "tool"

        def is_ours() -> bool:
            # The list is written last, and the whole is made anew when the address changed.
            try:
                with zipfile.ZipFile(place / "ushield.pyz") as packed:
                    bank = json.loads(packed.read("ushield/bank.json"))
                return bool(bank["origin"] == self.url) and (place / "release.jws").exists()
            except (OSError, zipfile.BadZipFile):
                return False

        wait_for("the tool for our customers", is_ours)
        return place

    @property
    def root_pem(self) -> Path:
        return self.state / "trust" / "root.pem"

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    @property
    def status_url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def database(self) -> Path:
        return self.state / "database.sqlite3"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the database as somebody else's program would."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(query, values).fetchall()

    def write(self, statement: str, *values: object) -> int:
        """Write into the database behind the signer's back; the number of rows changed."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            return connection.execute(statement, values).rowcount

    def copy(self, to: Path) -> "Demo":
        """A stopped one's state directory once more, elsewhere."""
        assert self.process is None
        shutil.copytree(self.state, to, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
        return Demo(to)


@contextmanager
def stopping(demo: Demo) -> Iterator[Demo]:
    """Whatever happens, nothing of it stays alive. Killed, because nobody looks at its end any more: how a system
    stops is for the tests that stop one."""
    try:
        yield demo
    finally:
        if demo.process is not None:
            while running := processes_of(demo.state):
                for pid in running:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            demo.process.wait()
            demo.process = None
