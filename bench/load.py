"""Load by wrk: a bounded number of connections for a bounded time, and what the server's processes used meanwhile."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.experiment import Unmeasured
from bench.machine import busy_seconds
from bench.processes import cpu_seconds, environment, find_program

LUA = Path(__file__).parent / "lua"
THREADS = 2
CONNECTIONS = 16
_MARK = "vermilion-bench "
_GRACE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is asked, and how."""

    name: str
    url: str
    pid: int
    """Root of the process tree that answers: its processor time is counted."""
    answer_size: int
    """Octets of the right answer's body. Errors are shorter: an average below this gives them away."""
    script: str = "get.lua"
    requests: Path | None = None
    """What the script posts."""
    within: tuple[str, ...] = ()
    """A command before wrk's, for a server that is in a network of its own."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What wrk says of a run."""

    requests: int
    seconds: float
    octets: int
    p50_ms: float
    p99_ms: float
    failed: int
    """Connections that broke or timed out."""
    refused: int
    """Answers whose status is not 2xx or 3xx."""


@dataclass(frozen=True, slots=True)
class Load:
    """A run with its costs."""

    counted: Counted
    cpu_seconds: float
    others_share: float
    """Which share of the machine went to neither wrk nor the server."""

    @property
    def rate(self) -> float:
        return self.counted.requests / self.counted.seconds

    @property
    def cpu_per_request(self) -> float:
        return self.cpu_seconds / self.counted.requests


def counted_in(output: str) -> Counted:
    """Parse what `lua/report.lua` printed. Raises Unmeasured when nothing was answered."""
    lines = [line for line in output.splitlines() if line.startswith(_MARK)]
    if not lines:
        raise Unmeasured(f"wrk: {output.strip()[-200:] or 'said nothing'}")
    told = json.loads(lines[-1].removeprefix(_MARK))
    if not told["requests"]:
        raise Unmeasured("no request was answered")
    return Counted(
        requests=told["requests"],
        seconds=told["microseconds"] / 1e6,
        octets=told["bytes"],
        p50_ms=told["p50"] / 1e3,
        p99_ms=told["p99"] / 1e3,
        failed=told["failed"],
        refused=told["refused"],
    )


def require_right_answers(subject: Subject, counted: Counted) -> None:
    """Raise Unmeasured when errors are among the answers: fast refusals are no speed."""
    bad = counted.failed + counted.refused
    if bad > counted.requests / 1000:
        raise Unmeasured(f"{subject.name}: {bad} of {counted.requests} requests failed")
    if counted.octets / counted.requests < subject.answer_size:
        raise Unmeasured(f"{subject.name}: answers are shorter than the right one, so errors are among them")


def run_load(subject: Subject, seconds: float, *, connections: int = CONNECTIONS) -> Load:
    """Ask for `seconds`. Raises Unmeasured."""
    wrk = find_program("wrk", "wrk")
    argv = [
        *subject.within,
        wrk,
        f"-t{min(THREADS, connections)}",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        "--timeout=5s",
    ]
    argv += ["-s", str(LUA / subject.script), subject.url]
    before, busy_before, wrk_before, began = cpu_seconds(subject.pid), busy_seconds(), _wrk_seconds(), time.monotonic()
    output = _run(argv, seconds, subject.requests)
    used, busy, by_wrk = cpu_seconds(subject.pid) - before, busy_seconds() - busy_before, _wrk_seconds() - wrk_before
    all_there_was = (os.cpu_count() or 1) * (time.monotonic() - began)
    counted = counted_in(output)
    require_right_answers(subject, counted)
    return Load(counted, used, max(0.0, busy - used - by_wrk) / all_there_was)


def _wrk_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _run(argv: Sequence[str], seconds: float, requests: Path | None) -> str:
    more = {"BENCH_LUA": str(LUA)} | ({"BENCH_REQUESTS": str(requests)} if requests else {})
    try:
        done = subprocess.run(
            argv, capture_output=True, timeout=seconds + _GRACE_SECONDS, check=False, env=environment(**more), text=True
        )
    except subprocess.TimeoutExpired as error:
        raise Unmeasured("wrk did not end") from error
    return done.stdout + done.stderr
