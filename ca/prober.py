"""The prober process: asks as relying parties do, and tells the signer when each change of a status was seen.

It reads records and cannot write them; what it may ask of the signer is to record what it saw.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

from ca.domain.errors import PKIError
from ca.domain.serials import serial_text
from ca.operations import RecordSightings, SightingMessage
from ca.signer_client import SignerClient
from ca.usecases.probe import Probe
from ca.usecases.receipts import Observation

log = logging.getLogger("vermilion.prober")
_IDLE_SECONDS = 2.0
PAUSES = {"sqlite": 0.04, "postgresql": 0.2}
"""Seconds between two looks at the records: a local file, or a question over the network."""


def run_prober(probe: Probe, changed: Callable[[], bool], *, pause: float) -> None:
    """Until SIGTERM or SIGINT; `pause` in seconds. Records that cannot be read are tried again.

    While nothing is waited for and nothing `changed`, it only looks now and then for what waits for the hourly CRL.
    """
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    waiting, look_at = True, 0.0
    while not stop.wait(pause):
        # Asked each time: the answer is about what happened since.
        if not (changed() or waiting or time.monotonic() >= look_at):
            continue
        try:
            waiting, look_at = probe.round(), time.monotonic() + _IDLE_SECONDS
        except PKIError as error:
            log.warning("%s", error)
            stop.wait(1)


def reporter(client: SignerClient) -> Callable[[Sequence[Observation]], None]:
    """What hands observations to the signer."""

    def report(observations: Sequence[Observation]) -> None:
        client.call(RecordSightings(sightings=[_message(one) for one in observations]))

    return report


def _message(one: Observation) -> SightingMessage:
    return SightingMessage(
        serial=serial_text(one.serial),
        changed_at=one.changed_at,
        channel=one.channel,
        not_before=one.not_before,
        seen_at=one.seen_at,
    )
