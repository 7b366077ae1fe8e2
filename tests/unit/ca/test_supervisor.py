"""What the supervisor promises, with real processes that do next to nothing."""

import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ca.domain.errors import NotReady
from ca.supervisor import CONFIGURATION_ERROR, Pace, Program, StateLock, Supervisor, require_free_port
from tests.fakes.ports import free_port

PATIENCE = 120
QUICK = Pace(start=PATIENCE, stop=PATIENCE, first_restart=0.01, longest_restart=0.02)

READY_THEN_WAIT = "open(READY, 'w').close(); import signal; signal.pause()"
ORDERLY = """
import signal, sys
def end(*_):
    print('ending NAME', file=open(ORDER, 'a'))
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
open(READY, 'w').close()
while True: signal.pause()
"""
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(READY, 'w').close()\nwhile True: signal.pause()"
)
WITH_A_WORKER = """
import os, signal
worker = os.fork()
if worker:
    with open(WORKER + '.tmp', 'w') as file: file.write(str(worker))
    os.rename(WORKER + '.tmp', WORKER)
    open(READY, 'w').close()
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True: signal.pause()
"""


class World:
    """A directory in which programs leave traces, and a supervisor over it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[str] = []
        self.supervisor = self.another(QUICK)

    def another(self, pace: Pace) -> Supervisor:
        return Supervisor(log=self.directory / "log", run=self.directory / "run", say=self.said.append, pace=pace)

    def ready(self, name: str) -> Path:
        return self.directory / f"{name}.ready"

    def program(self, name: str, code: str) -> Program:
        places = {"READY": str(self.ready(name)), "ORDER": str(self.directory / "order"), "WORKER": str(self.worker)}
        header = "".join(f"{key} = {value!r}\n" for key, value in places.items())
        argv = (sys.executable, "-I", "-S", "-c", header + textwrap.dedent(code).replace("NAME", name))
        return Program(name, argv, {}, self.ready(name).exists)

    @property
    def worker(self) -> Path:
        return self.directory / "worker"

    def pid(self, name: str) -> int:
        return int((self.directory / "run" / f"{name}.pid").read_text("ascii"))

    def watch_until(self, happened: Callable[[], bool]) -> None:
        """Watch as the command does, asking to stop once something has happened."""
        over = threading.Event()

        def look() -> None:
            while not happened() and not over.wait(0.01):
                pass
            os.kill(os.getpid(), signal.SIGTERM)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            self.supervisor.watch()
        finally:
            over.set()
            thread.join()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_the_end_of(descriptor: int) -> None:
    """Return once the process has ended; a process that does not end shows as a test that hangs."""
    select.select([descriptor], [], [])
    os.close(descriptor)


def test_start_returns_once_every_program_is_healthy(world: World) -> None:
    with world.supervisor as supervisor:
        supervisor.start([world.program("signer", READY_THEN_WAIT), world.program("console", READY_THEN_WAIT)])

        assert world.ready("signer").exists()
        assert world.ready("console").exists()
        assert is_running(world.pid("console"))


def test_leaving_stops_every_program_and_forgets_its_pid(world: World) -> None:
    with world.supervisor as supervisor:
        supervisor.start([world.program("signer", READY_THEN_WAIT)])
        pid = world.pid("signer")

    assert not is_running(pid)
    assert list((world.directory / "run").iterdir()) == []


def test_programs_stop_in_the_reverse_of_their_order(world: World) -> None:
    with world.supervisor as supervisor:
        supervisor.start([world.program("signer", ORDERLY), world.program("console", ORDERLY)])

    assert (world.directory / "order").read_text("ascii").split() == ["ending", "console", "ending", "signer"]


def test_a_program_that_ignores_the_request_to_stop_is_killed(world: World) -> None:
    with world.another(Pace(start=PATIENCE, stop=0.1)) as supervisor:
        supervisor.start([world.program("deaf", DEAF)])
        pid = world.pid("deaf")

    assert not is_running(pid)


def test_a_second_request_to_stop_kills_without_patience(world: World) -> None:
    with world.another(Pace(start=PATIENCE, stop=3600)) as supervisor:
        supervisor.start([world.program("deaf", DEAF)])
        pid = world.pid("deaf")
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    assert not is_running(pid)


def test_workers_of_a_program_do_not_outlive_it(world: World) -> None:
    with world.supervisor as supervisor:
        supervisor.start([world.program("server", WITH_A_WORKER)])
        worker = os.pidfd_open(int(world.worker.read_text("ascii")))

    wait_for_the_end_of(worker)


def test_a_program_that_dies_is_started_again_while_the_others_go_on(world: World) -> None:
    with world.supervisor as supervisor:
        supervisor.start([world.program("signer", READY_THEN_WAIT), world.program("console", READY_THEN_WAIT)])
        signer, dead = world.pid("signer"), world.pid("console")
        os.kill(dead, signal.SIGKILL)

        world.watch_until(lambda: world.pid("console") != dead)

        assert is_running(world.pid("console"))
        assert world.pid("signer") == signer
        assert world.said == [
            f"console ended (signal SIGKILL) and starts again in 0.01 s; see {world.directory}/log/console.log"
        ]


def test_a_configuration_error_stops_everything_with_the_sentence_the_program_left(world: World) -> None:
    wrong = f"print('loading\\nerror: the PIN is wrong\\nbye', flush=True); raise SystemExit({CONFIGURATION_ERROR})"

    with pytest.raises(NotReady, match=r"^signer cannot come up: the PIN is wrong$"), world.supervisor as supervisor:
        supervisor.start([world.program("console", READY_THEN_WAIT), world.program("signer", wrong)])

    assert list((world.directory / "run").iterdir()) == []


def test_a_configuration_error_without_a_marked_sentence_shows_the_last_line_of_this_start(world: World) -> None:
    log = world.directory / "log" / "signer.log"
    log.parent.mkdir()
    log.write_text("error: of last week\n", "ascii")
    wrong = f"print('no such token', flush=True); raise SystemExit({CONFIGURATION_ERROR})"

    sentence = r"^signer cannot come up: no such token \(see .*signer.log\)$"
    with pytest.raises(NotReady, match=sentence), world.supervisor as supervisor:
        supervisor.start([world.program("signer", wrong)])


def test_a_program_that_keeps_dying_before_it_is_healthy_is_given_up(world: World) -> None:
    with (
        pytest.raises(NotReady, match=r"^jobs ended 3 times while starting; it said: boom"),
        world.supervisor as supervisor,
    ):
        supervisor.start([world.program("jobs", "print('boom', flush=True); raise SystemExit(1)")])


def test_a_program_that_never_answers_is_given_up_at_the_deadline(world: World) -> None:
    sentence = r"^mute did not answer in 0 s; see .*mute.log$"
    with pytest.raises(NotReady, match=sentence), world.another(Pace(start=0)) as supervisor:
        supervisor.start([world.program("mute", "import signal; signal.pause()")])


def test_a_program_that_does_not_exist_is_named(world: World) -> None:
    with pytest.raises(NotReady, match=r"^ghost cannot be started:"), world.supervisor as supervisor:
        supervisor.start([Program("ghost", ("/nonexistent/program",), {}, lambda: True)])


def test_a_request_to_stop_ends_the_wait_for_health(world: World) -> None:
    def stop_when_asked_for_health() -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return False

    slow = Program(
        "slow", (sys.executable, "-I", "-c", "import signal; signal.pause()"), {}, stop_when_asked_for_health
    )

    with world.another(Pace(start=3600)) as supervisor:
        supervisor.start([slow])

        assert supervisor.stopping


def test_programs_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from ca.supervisor import Program, Supervisor
here = Path({str(tmp_path)!r})
code = "import signal, sys; open(" + repr(str(here / 'ready')) + ", 'w').close(); signal.pause()"
with Supervisor(log=here, run=here, say=print) as supervisor:
    supervisor.start([Program("signer", (sys.executable, "-I", "-c", code), {{}}, (here / "ready").exists)])
    print((here / "signer.pid").read_text(), flush=True)
    supervisor.watch()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env={"PYTHONPATH": str(Path.cwd())}
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        descriptor = os.pidfd_open(pid)
        parent.kill()

    wait_for_the_end_of(descriptor)


def test_a_state_directory_has_one_holder(tmp_path: Path) -> None:
    sentence = f"already in use by process {os.getpid()}: .* --state"
    with StateLock(tmp_path), pytest.raises(NotReady, match=sentence), StateLock(tmp_path):
        pass

    with StateLock(tmp_path) as again:
        assert again.descriptor >= 0


def test_a_process_that_outlives_its_supervisor_keeps_the_state_directory_taken(tmp_path: Path) -> None:
    with StateLock(tmp_path) as lock:
        orphan = subprocess.Popen(["sleep", "infinity"], pass_fds=[lock.descriptor])
    try:
        with pytest.raises(NotReady, match="already in use"), StateLock(tmp_path):
            pass
    finally:
        orphan.kill()
        orphan.wait()


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="cannot be used as state directory"), StateLock(tmp_path / "missing"):
        pass


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.socket
def test_a_port_in_use_is_refused_with_the_option_to_change(taken: int) -> None:
    with pytest.raises(NotReady, match=f"port {taken} on 127.0.0.1 is in use by another program; .* --https-port"):
        require_free_port("127.0.0.1", taken, option="--https-port")


@pytest.mark.socket
def test_a_free_port_is_left_free() -> None:
    free = free_port()

    require_free_port("127.0.0.1", free, option="--http-port")
    require_free_port("127.0.0.1", free, option="--http-port")


@pytest.mark.socket
def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(NotReady, match=r"port 8443 on 192\.0\.2\.1 cannot be used"):
        require_free_port("192.0.2.1", 8443, option="--https-port")
