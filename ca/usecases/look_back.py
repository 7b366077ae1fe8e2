"""What a certificate was worth on a certain day: for courts and auditors, years later."""

from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import Checkpoint
from ca.domain.certificates import Certificate
from ca.domain.history import Moment, history, moment_at
from ca.domain.serials import serial_text
from ca.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class LookedBack:
    """How a certificate stood at an instant, and what proves it."""

    at: datetime
    certificate: Certificate | None
    """None: no certificate of ours has this serial number, now or then."""
    moment: Moment | None
    """The change of status that held at that instant; None before it was issued."""
    checkpoint: Checkpoint | None
    """The first signed end of the log behind that change: it proves the event's place. None while it is too young."""

    @property
    def is_expired(self) -> bool:
        return self.certificate is not None and self.certificate.is_expired(self.at)


@dataclass(frozen=True)
class LookBack:
    """Ask the log, not the rows: rows only know today (DESIGN invariant 8)."""

    unit_of_work: UnitOfWork

    def __call__(self, serial: int, at: datetime) -> LookedBack:
        """Raises Tampered when the events about the certificate make no sense."""
        with self.unit_of_work() as work:
            certificate = work.certificates.find(serial)
            moment = moment_at(history(work.audit.about(serial_text(serial))), at)
            checkpoints = work.audit.list_checkpoints() if moment else []
        behind = [one for one in checkpoints if moment and one.number >= moment.event.number]
        return LookedBack(at, certificate, moment, min(behind, key=lambda one: one.number, default=None))
