"""What /proc says of processes, and of trees of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.experiment import Unmeasured
from bench.processes import (
    Resident,
    Server,
    Stat,
    cpu_seconds,
    find_program,
    read_stats,
    resident_in,
    run,
    stat_in,
    ticks_of,
    tree,
    wait_until_quiet,
)

NGINX = "4242 (nginx: worker) S 4000 4242 4242 0 -1 4194624 100 0 0 0 150 50 7 3 20 0 1 0 12345"
FAMILY = {pid: Stat(pid, parent, ticks) for pid, parent, ticks in [(1, 0, 5), (10, 1, 7), (11, 10, 20), (12, 11, 3)]}
FAMILY[99] = Stat(99, 1, 1000)


def test_the_time_of_children_that_ended_counts() -> None:
    assert stat_in(NGINX) == Stat(pid=4242, parent=4000, ticks=150 + 50 + 7 + 3)


def test_a_name_may_hold_brackets_and_blanks() -> None:
    assert stat_in(NGINX.replace("(nginx: worker)", "(a) S 1 (b)")) == stat_in(NGINX)


def test_a_tree_is_a_process_and_all_its_descendants() -> None:
    assert tree(10, FAMILY) == {10, 11, 12}


def test_a_tree_costs_the_sum_of_its_processes() -> None:
    assert ticks_of(10, FAMILY) == 30


def test_a_process_that_is_gone_has_no_tree() -> None:
    assert ticks_of(77, FAMILY) == 0


def test_we_are_in_the_tree_of_our_parent() -> None:
    assert os.getpid() in tree(os.getppid(), read_stats())


def test_our_own_processor_time_is_read() -> None:
    assert 0 < cpu_seconds(os.getpid()) < 3600


@pytest.mark.parametrize(("work", "quiet"), [("time.sleep(60)", True), ("any(iter(int, 1))", False)])
def test_who_works_is_not_at_rest(work: str, quiet: bool) -> None:
    program = [sys.executable, "-c", f"import time; print('started', flush=True); {work}"]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"started\n"  # the interpreter's own start is work, too
            assert wait_until_quiet(process.pid, at_most=1.0, look=0.5) is quiet
        finally:
            process.kill()


def test_memory_that_files_back_is_told_apart() -> None:
    status = (
        "Name:\tpython\nVmRSS:\t  204800 kB\nRssAnon:\t  102400 kB\nRssFile:\t   51200 kB\nRssShmem:\t   51200 kB\n"
    )

    assert resident_in(status) == Resident(total=200.0, of_files=100.0)


def test_a_program_that_is_missing_is_named_with_its_package() -> None:
    with pytest.raises(Unmeasured, match=r"no-such-program is not installed \(Debian package some-package\)"):
        find_program("no-such-program", "some-package")


def test_a_program_that_fails_is_reported_with_its_last_words() -> None:
    with pytest.raises(Unmeasured, match="it broke"):
        run([sys.executable, "-c", "import sys; sys.exit('first\\nit broke')"], timeout=30)


def test_a_server_lives_as_long_as_its_block(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]

    with Server(argv, ready=lambda said: "ready" in said, log=tmp_path / "log") as server:
        pid = server.pid
        assert pid in read_stats()

    assert pid not in read_stats()


def test_a_server_that_ends_at_once_is_reported(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "print('no room')"]

    with pytest.raises(Unmeasured, match="no room"), Server(argv, ready=lambda _said: False, log=tmp_path / "log"):
        pass
