"""The jobs process: a clock that asks the signer, every few seconds, to do what is due.

It has no power of its own: the signer decides what is due and which node leads, and does the work.
"""

import logging
import os
import signal
import socket
import threading
from types import FrameType

from ca.domain.errors import PKIError
from ca.domain.jobs import JOB_NAMES
from ca.operations import RunJob
from ca.signer_client import SignerClient

log = logging.getLogger("vermilion.jobs")
_TICK_SECONDS = 3.0


def run_jobs(client: SignerClient) -> None:
    """Until SIGTERM or SIGINT. A signer that is away is asked again at the next tick."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    holder = f"{socket.gethostname()[:40]}-{os.getpid()}"
    while True:
        for name in JOB_NAMES:
            if stop.is_set():
                return
            _run(client, name, holder)
        if stop.wait(_TICK_SECONDS):
            return


def _run(client: SignerClient, name: str, holder: str) -> None:
    try:
        answer = client.call(RunJob(name=name, holder=holder))
    except PKIError as error:
        log.warning("%s: %s", name, error)
        return
    if answer["ran"] and not answer["ok"]:
        log.warning("%s: %s", name, answer["result"])
