"""A key that was not born on its U-Shield is not certified; one of which nothing is said is an alarm (ADR 0043)."""

from dataclasses import dataclass
from datetime import datetime

from ca.domain.applications import Case
from ca.domain.errors import KeyNotBornOnDevice
from ca.domain.requests import CertificationRequest
from ca.domain.stock import AlarmKind
from ca.ports import Random, UnitOfWork, Work
from ca.usecases.custody import RaiseAlarm

_CUSTOMER = "customer"


def require_born_on_device(request: CertificationRequest, application: str) -> None:
    """Raise KeyNotBornOnDevice when the request says that its key was made elsewhere or could leave."""
    birth = request.birth
    flaws = birth.flaws(request.public_key.algorithm) if birth else []
    if birth and flaws:
        raise KeyNotBornOnDevice(
            f"the U-Shield says of this key: {'; '.join(flaws)}. No certificate was issued, and the codes are still "
            "good. Bring the U-Shield to your branch, which exchanges it",
            application,
            birth.text,
        )


@dataclass(frozen=True)
class KeyBirthAlarms:
    """Raised at the branch that answers for the U-Shield."""

    random: Random

    def unsaid(self, work: Work, request: CertificationRequest, case: Case, *, at: datetime) -> None:
        """When a key is to be certified for a U-Shield and nothing is said of how it was made."""
        if request.birth is None and case.device_serial:
            told = (
                "nothing was said of where the key was made, by an older tool or another program; "
                f"application {case.application}"
            )
            self._raise(work, case, told, at)

    def refused(self, unit_of_work: UnitOfWork, error: KeyNotBornOnDevice, *, at: datetime) -> None:
        """The refusal undid its transaction: the alarm has one of its own."""
        with unit_of_work() as work:
            case = work.applications.get(error.application)[0].case
            told = (
                f"no certificate was issued, because of what the U-Shield says of the key: {error.said}; "
                f"application {case.application}"
            )
            self._raise(work, case, told, at)
            work.commit()

    def _raise(self, work: Work, case: Case, told: str, at: datetime) -> None:
        device = work.devices.find(case.device_serial) if case.device_serial else None
        RaiseAlarm(self.random)(
            work,
            AlarmKind.NOT_BORN_HERE,
            branch=device.branch if device else case.branch,
            subject=case.device_serial or case.application,
            told=told,
            by=_CUSTOMER,
            at=at,
        )
