"""Programs we start and stop by their number, and what their whole tree of processes costs (proc(5))."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.experiment import Unmeasured
from bench.machine import busy_seconds

ROOT = Path(__file__).resolve().parent.parent
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_STOP_SECONDS = 20.0
_QUIET_SHARE = 0.08
"""Of one core: timers and the prober's looks go on at rest."""
_DIRECTORY = re.compile(r"(?<![\w.])/(?:[\w.+-]+/)+")
"""Where a file lies in the bench's own directory says nothing to who reads the table."""

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl  # looked up before any fork


def _end_with_us() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Stat:
    """A process as /proc/PID/stat has it. `ticks`: user and system time, its own and of its children that ended."""

    pid: int
    parent: int
    ticks: int


def stat_in(text: str) -> Stat:
    """Parse a line of proc_pid_stat(5); the name in brackets may hold anything, brackets too."""
    pid, _, rest = text.partition(" ")
    fields = rest.rpartition(")")[2].split()
    return Stat(int(pid), int(fields[1]), sum(int(word) for word in fields[11:15]))


def tree(root: int, stats: Mapping[int, Stat]) -> set[int]:
    """`root` and everything under it."""
    children: dict[int, list[int]] = {}
    for stat in stats.values():
        children.setdefault(stat.parent, []).append(stat.pid)
    found, waiting = set[int](), [root]
    while waiting:
        pid = waiting.pop()
        if pid in stats and pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def ticks_of(root: int, stats: Mapping[int, Stat]) -> int:
    """What the tree has used so far. Children that ended count in their parent, so the sum never falls."""
    return sum(stats[pid].ticks for pid in tree(root, stats))


def read_stats() -> dict[int, Stat]:
    """Every process there is now."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it ended meanwhile
                stat = stat_in((entry / "stat").read_text("utf-8", "replace"))
                found[stat.pid] = stat
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of a process and all its descendants."""
    return ticks_of(root, read_stats()) / os.sysconf("SC_CLK_TCK")


def wait_until_quiet(root: int, at_most: float = 120.0, look: float = 3.0) -> bool:
    """Wait until the tree does no more than tick over for `look` seconds: the work of its start is done.

    False: after `at_most` seconds it never had been.
    """
    ended = time.monotonic() + at_most
    while time.monotonic() < ended:
        before = cpu_seconds(root)
        time.sleep(look)
        if cpu_seconds(root) - before < _QUIET_SHARE * look:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Resident:
    """Memory of a process in MiB: all of it, and the part that is a file's (shared with others who map it)."""

    total: float
    of_files: float


def resident_in(status: str) -> Resident:
    """From /proc/PID/status."""
    kib = {
        name: int(value) for name, value in re.findall(r"^(VmRSS|RssFile|RssShmem):\s+(\d+) kB$", status, re.MULTILINE)
    }
    return Resident(kib.get("VmRSS", 0) / 1024, (kib.get("RssFile", 0) + kib.get("RssShmem", 0)) / 1024)


def largest_resident(root: int) -> Resident:
    """The process of the tree with the most memory."""
    found = [Resident(0, 0)]
    for pid in tree(root, read_stats()):
        with suppress(OSError):
            found.append(resident_in(Path(f"/proc/{pid}/status").read_text("utf-8", "replace")))
    return max(found, key=lambda one: one.total)


def find_program(name: str, package: str) -> str:
    """Its path. Raises Unmeasured with the package that has it; Debian keeps some where only root's PATH looks."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")
    if found is None:
        raise Unmeasured(f"{name} is not installed (Debian package {package})")
    return found


def environment(**more: str) -> dict[str, str]:
    """What a program gets of ours: no settings of other systems."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def listens(port: int) -> bool:
    """Whether somebody takes connections on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(argv: Sequence[object], *, timeout: float, cwd: Path | None = None, **more: str) -> str:
    """What a program printed. Raises Unmeasured with its last line when it fails."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words, capture_output=True, timeout=timeout, check=False, cwd=cwd, env=environment(**more), text=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unmeasured(f"{Path(words[0]).name}: {error}") from error
    if done.returncode != 0:
        raise Unmeasured(f"{Path(words[0]).name}: {_last_line(done.stderr or done.stdout)}")
    return done.stdout


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _DIRECTORY.sub("", lines[-1])[:200] if lines else "ended without a word"


class Server:
    """A program that serves until the block ends. Entering waits until it is ready."""

    def __init__(
        self,
        argv: Sequence[object],
        *,
        ready: Callable[[str], bool],
        log: Path,
        cwd: Path | None = None,
        patience: float = 60.0,
        new_session: bool = True,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """`ready` is asked with what the program has printed so far; `more` is added to its environment."""
        self._argv = [str(word) for word in argv]
        self._ready = ready
        self._log = log
        self._cwd = cwd
        self._patience = patience
        self._new_session = new_session
        self._environment = environment(**(more or {}))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise LookupError("the server is not running")
        return self._process.pid

    @property
    def said(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env=self._environment,
                start_new_session=self._new_session,
                preexec_fn=_end_with_us,  # noqa: PLW1509 - runs nothing but one system call
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self._patience
        while not self._ready(self.said):
            if process.poll() is not None:
                raise Unmeasured(f"{self._name}: {_last_line(self.said)}")
            if time.monotonic() > deadline:
                raise Unmeasured(f"{self._name} was not ready after {self._patience:g} s: {_last_line(self.said)}")
            time.sleep(0.05)

    @property
    def _name(self) -> str:
        return Path(self._argv[0]).name

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to whatever of its tree is left when patience ends."""
        if self._process is None:
            return
        process, self._process = self._process, None
        started = tree(process.pid, read_stats())
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        # Not everybody ends with its parent.
        for pid in started & set(read_stats()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)


class Watch:
    """Looks at the machine while its block runs."""

    def __init__(self) -> None:
        self.others = 0.0
        """Which share of the machine went to programs that this one did not start."""

    def __enter__(self) -> Self:
        self._began = time.monotonic(), busy_seconds(), cpu_seconds(os.getpid())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        began, busy, own = self._began
        others = busy_seconds() - busy - (cpu_seconds(os.getpid()) - own)
        machine = (time.monotonic() - began) * len(os.sched_getaffinity(0))
        self.others = min(1.0, max(0.0, others / machine))
