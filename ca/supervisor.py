"""Keeps the processes of one machine alive: starts them, waits for their health, restarts the dead, stops them all.

One process dying does not stop the others: status must answer while the console is being restarted. A process that
ends with `CONFIGURATION_ERROR` says that it will not come up until a person changes something: then all of them stop
and its own sentence is what the person reads. Linux only (process groups, parent-death signal).
"""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from errno import EACCES, EADDRINUSE
from pathlib import Path
from types import FrameType
from typing import Self

from ca.domain.errors import NotReady

CONFIGURATION_ERROR = 4
"""Exit code of a process that cannot come up as things are configured (gunicorn's own code for an app that fails)."""

ERROR_MARK = "error: "
"""A log line that begins with this is a sentence for the person at the terminal."""

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl  # looked up before any fork: between fork and exec the child must not load anything
_POLL_SECONDS = 0.05
_DEATHS_BEFORE_GIVING_UP = 3


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep alive. `is_healthy` returns within some seconds and does not raise."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    is_healthy: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the supervisor is, in seconds."""

    start: float = 180.0
    """Only a program that hangs uses it up: one that cannot come up ends by itself."""
    stop: float = 10.0
    first_restart: float = 1.0
    longest_restart: float = 30.0
    forgiven: float = 60.0
    """After this long alive, earlier deaths no longer slow a restart down."""


@dataclass(slots=True)
class _Child:
    program: Program
    log: Path
    process: subprocess.Popen[bytes]
    log_start: int
    started_at: float
    healthy: bool = False
    deaths: int = 0
    restart_at: float | None = None


@dataclass(slots=True)
class _Request:
    """What signals have asked for so far."""

    stop: threading.Event = field(default_factory=threading.Event)
    times: int = 0


class Supervisor:
    """Use as a context manager from the main thread: signals are its own inside, and leaving stops every process."""

    def __init__(
        self, *, log: Path, run: Path, say: Callable[[str], None], pace: Pace = Pace(), keep_open: tuple[int, ...] = ()
    ) -> None:
        self._log = log
        self._run = run
        self._say = say
        self._pace = pace
        self._keep_open = keep_open
        self._children: list[_Child] = []
        self._request = _Request()
        self._previous: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> Self:
        for directory in (self._log, self._run):
            try:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise NotReady(f"{directory} cannot be made: {error.strerror}") from error
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._previous[number] = signal.signal(number, self._asked)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._request.times += 1
        self._request.stop.set()
        if self._request.times > 1:
            for child in self._children:
                _kill_group(child.process)

    @property
    def stopping(self) -> bool:
        """Whether a signal has asked to stop."""
        return self._request.stop.is_set()

    def start(self, programs: Iterable[Program]) -> None:
        """Start them together and wait until each is healthy; returns early when a signal asks to stop.

        Raises NotReady, in words for the person at the terminal, when one will not come up.
        """
        started = [self._launch(program) for program in programs]
        deadline = time.monotonic() + self._pace.start
        while not self.stopping:
            self._tend()
            for child in started:
                child.healthy = child.healthy or (child.restart_at is None and child.program.is_healthy())
            waiting = [child for child in started if not child.healthy]
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise NotReady(
                    f"{waiting[0].program.name} did not answer in {self._pace.start:g} s; {_trail(waiting[0])}"
                )
            self._request.stop.wait(_POLL_SECONDS)

    def watch(self) -> None:
        """Restart what dies, until a signal asks to stop. Raises NotReady when a process cannot come up any more."""
        while not self.stopping:
            self._tend()
            self._request.stop.wait(_POLL_SECONDS)

    def _launch(self, program: Program) -> _Child:
        log = self._log / f"{program.name}.log"
        start = log.stat().st_size if log.exists() else 0
        child = _Child(program, log, self._spawn(program, log), start, time.monotonic())
        self._children.append(child)
        self._note_pid(child)
        return child

    def _note_pid(self, child: _Child) -> None:
        file = self._run / f"{child.program.name}.pid"
        try:
            # By renaming: whoever reads it while a program starts again finds the old number or the new one.
            (new := file.with_suffix(".new")).write_text(f"{child.process.pid}\n", "ascii")
            new.replace(file)
        except OSError as error:
            raise NotReady(f"{self._run} cannot be written: {error.strerror}") from error

    def _spawn(self, program: Program, log: Path) -> subprocess.Popen[bytes]:
        supervisor = os.getpid()

        def follow_the_supervisor() -> None:
            # SIGTERM, so that a server still ends its own workers when the supervisor was killed outright.
            _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != supervisor:
                os._exit(1)

        try:
            with log.open("ab") as output:
                process = subprocess.Popen(  # noqa: S603  argv comes from our own command line, never from input
                    program.argv,
                    env=dict(program.env),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                    pass_fds=self._keep_open,
                    preexec_fn=follow_the_supervisor,  # noqa: PLW1509  runs nothing but two system calls
                )
        except OSError as error:
            raise NotReady(f"{program.name} cannot be started: {error}") from error
        return process

    def _tend(self) -> None:
        """Notice deaths, and start again what has waited long enough."""
        for child in self._children:
            if child.restart_at is not None:
                if time.monotonic() >= child.restart_at:
                    child.log_start = child.log.stat().st_size
                    child.process = self._spawn(child.program, child.log)
                    self._note_pid(child)
                    child.restart_at, child.started_at = None, time.monotonic()
            elif (code := _ended(child.process)) is not None:
                self._bury(child, code)

    def _bury(self, child: _Child, code: int) -> None:
        name = child.program.name
        if code == CONFIGURATION_ERROR:
            raise NotReady(f"{name} cannot come up: {_last_words(child)}")
        if time.monotonic() - child.started_at > self._pace.forgiven:
            child.deaths = 0
        child.deaths += 1
        if not child.healthy and child.deaths >= _DEATHS_BEFORE_GIVING_UP:
            raise NotReady(f"{name} ended {child.deaths} times while starting; {_trail(child)}")
        delay = min(self._pace.first_restart * 2 ** (child.deaths - 1), self._pace.longest_restart)
        child.restart_at = time.monotonic() + delay
        self._say(f"{name} ended ({_cause(code)}) and starts again in {delay:g} s; see {child.log}")

    def _stop(self) -> None:
        first, others = self._children[:1], self._children[1:]
        # Together, but for the first one, which the others need to their end.
        for child in others:
            _ask_to_end(child.process)
        for child in [*others, *first]:
            _end(child.process, patience=self._pace.stop)
            (self._run / f"{child.program.name}.pid").unlink(missing_ok=True)
        self._children.clear()


def _ended(process: subprocess.Popen[bytes]) -> int | None:
    """The exit code once the process has ended (negative: by that signal), after sweeping the rest of its group."""
    if process.returncode is None:
        # WNOWAIT keeps the dead leader's number ours, so the sweep cannot hit a stranger's group.
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        _kill_group(process)
        process.wait()
    return process.returncode


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    if _ended(process) is None:
        # Not Popen.terminate(), which reaps a dead leader before its group is swept.
        os.kill(process.pid, signal.SIGTERM)


def _end(process: subprocess.Popen[bytes], *, patience: float) -> None:
    _ask_to_end(process)
    deadline = time.monotonic() + patience
    while _ended(process) is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _kill_group(process)
    process.wait()


def _lines(child: _Child) -> list[str]:
    with child.log.open("rb") as log:
        log.seek(child.log_start)
        return [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]


def _last_words(child: _Child) -> str:
    """The sentence the process left: its last marked line, or else its last line, of this start."""
    lines = _lines(child)
    marked = [line for line in lines if line.startswith(ERROR_MARK)]
    if marked:
        return marked[-1].removeprefix(ERROR_MARK)
    return f"{lines[-1] if lines else 'it said nothing'} (see {child.log})"


def _trail(child: _Child) -> str:
    return f"it said: {_last_words(child)}" if _lines(child) else f"see {child.log}"


def _cause(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


class StateLock:
    """One set of processes to a state directory: held by the supervisor and, inherited, by every process it starts.

    So a process that outlived its supervisor still keeps a second one away from its HSM token and database.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / "lock"
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NotReady(f"{self._directory} cannot be used as state directory: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._descriptor, 20).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise NotReady(
                f"{self._directory} is already in use by process {holder or 'unknown'}: "
                "stop that one, or choose another directory with --state"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode("ascii"))
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._descriptor)

    @property
    def descriptor(self) -> int:
        """What to hand to `Supervisor(keep_open=...)`."""
        return self._descriptor


def require_free_port(host: str, port: int, *, option: str) -> None:
    """Raise NotReady, naming the option to change, unless this process could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            why = {EADDRINUSE: "is in use by another program", EACCES: "needs privileges this user lacks"}
            reason = why.get(error.errno or 0, f"cannot be used ({error.strerror})")
            raise NotReady(f"port {port} on {host} {reason}; choose another with {option}") from error
