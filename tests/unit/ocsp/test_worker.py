"""ocsp/worker.py: gunicorn's master sees that the worker lives, and can end it."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from ocsp import gunicorn_settings
from ocsp.worker import StatusWorker


class Served:
    """An application that is served for as long as it may be."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.ticks = 0

    async def serve(self, sockets: Sequence[socket.socket], *, tick: Callable[[], bool]) -> None:
        self.sockets = list(sockets)
        while tick():
            self.ticks += 1
            await asyncio.sleep(0)
            if self.ticks == 3:
                os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def a_worker(parent: int) -> Iterator[Any]:
    """As gunicorn's master makes it, without a fork; signals are as before afterwards."""
    worker: Any = StatusWorker(0, parent, [SimpleNamespace(sock=socket.socket())], None, 30, Config(), None)
    worker.PIPE = os.pipe()
    os.set_blocking(worker.PIPE[1], False)
    before = {number: signal.getsignal(number) for number in StatusWorker.SIGNALS}
    try:
        yield worker
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for end in worker.PIPE:
            os.close(end)
        worker.tmp.close()
        worker.sockets[0].sock.close()


@pytest.mark.socket
def test_it_serves_until_it_is_told_to_stop_and_says_that_it_lives() -> None:
    with a_worker(os.getppid()) as worker:
        worker.wsgi = served = Served()
        worker.init_signals()
        os.utime(worker.tmp.fileno(), (1, 1))
        worker.run()

        assert served.sockets == [worker.sockets[0].sock]
        assert served.ticks >= 3
        assert worker.tmp.last_update() > 1
        assert not worker.alive


@pytest.mark.socket
def test_it_ends_when_its_master_is_gone() -> None:
    with a_worker(os.getppid() + 1) as worker:
        assert not worker._tick()


def test_gunicorn_reads_the_settings_as_they_are_meant() -> None:
    config = Config()
    for name, value in vars(gunicorn_settings).items():
        if name in config.settings:
            config.set(name, value)
    assert config.worker_class is StatusWorker
    assert config.control_socket_disable


@pytest.mark.socket
def test_a_second_one_at_the_same_address_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second: Any = SimpleNamespace(cfg=SimpleNamespace(address=[taken.getsockname()]))
        with pytest.raises(SystemExit) as ended:
            gunicorn_settings.on_starting(second)
    assert ended.value.code == 4
    assert "error: 127.0.0.1:" in capsys.readouterr().err
    gunicorn_settings.on_starting(second)
