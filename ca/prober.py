"""The prober process: asks as relying parties do, and tells the signer when each change of a status was seen.

It reads records and cannot write them; what it may ask of the signer is to record what it saw.
"""

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from ca.domain.errors import PKIError
from ca.domain.serials import serial_text
from ca.operations import RecordSightings, SightingMessage
from ca.signer_client import SignerClient
from ca.usecases.probe import Probe
from ca.usecases.receipts import Observation

log = logging.getLogger("vermilion.prober")
PAUSES = {"sqlite": 0.04, "postgresql": 0.2}
"""Seconds between two looks at the records: a local file, or a question over the network."""


def run_prober(probe: Probe, *, pause: float) -> None:
    """Until SIGTERM or SIGINT; `pause` in seconds. Records that cannot be read are tried again."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while not stop.wait(pause):
        try:
            probe.round()
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
