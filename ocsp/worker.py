"""A worker of the status process under gunicorn: it starts workers, watches over them and replaces the dead."""

import asyncio
import os
import signal

import uvloop
from gunicorn.workers.base import Worker


class StatusWorker(Worker):  # type: ignore[misc]  # gunicorn publishes no types
    """`gunicorn -k ocsp.worker.StatusWorker wsgi:status()`, whose application is a StatusServer."""

    def init_signals(self) -> None:
        super().init_signals()
        # The event loop has a file descriptor of its own for signals.
        signal.set_wakeup_fd(-1)

    def run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self.wsgi.serve([each.sock for each in self.sockets], tick=self._tick))

    def _tick(self) -> bool:
        self.notify()
        return bool(self.alive) and os.getppid() == self.ppid
