"""What whoever decides on a case should know beyond the case itself: what comes out of it, and what is unusual."""

from collections.abc import Sequence
from dataclasses import dataclass

from ca.domain.applications import ON_ITS_WAY, Application, Case
from ca.domain.case_contents import Change, FormerCase, changes, contents, unusual
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.devices import DeviceState
from ca.domain.officers import Officer
from ca.domain.profiles import Profile
from ca.domain.serials import serial_text
from ca.ports import Seals, Work
from ca.usecases.cases import CASE_SEAL, require_sealed

_HOLDING = frozenset({CertificateStatus.ACTIVE, CertificateStatus.ON_HOLD, CertificateStatus.UNCONFIRMED})
_OUT_OF_HAND = frozenset({DeviceState.LOST, DeviceState.BLOCKED, DeviceState.RETURNED, DeviceState.DESTROYED})


@dataclass(frozen=True, slots=True)
class Previous:
    """The customer's certificate before, and what will be different from it."""

    serial: str
    status: CertificateStatus
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """A case, what will stand in its certificate, and what to look at twice."""

    case: Case
    contents: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    previous: Previous | None
    former: tuple[FormerCase, ...]
    """Versions that were returned, the first one first."""
    corrected: tuple[Change, ...]
    """What is different from the version before."""


def outlook(work: Work, seals: Seals, case: Case, profile: Profile | None, officer: Officer) -> Outlook:
    """As it is now. `profile` is the one that the case names, None when there is none such any more.

    Raises Tampered when a case that it is compared with is not as the signer sealed it.
    """
    certificates = work.certificates.list_by_customer(case.customer)
    former = _former(work, seals, case)
    earlier = [one for one in former if one.case.version < case.version]
    return Outlook(
        case,
        contents(case, profile) if profile else (),
        (*unusual(case), *_doubts(work, case, certificates, officer)),
        _previous(work, seals, case, certificates),
        former,
        changes(earlier[-1].case, case) if earlier else (),
    )


def _previous(work: Work, seals: Seals, case: Case, certificates: Sequence[Certificate]) -> Previous | None:
    of_profile = [one for one in certificates if one.profile == case.profile and one.application != case.application]
    if not of_profile:
        return None
    last = of_profile[-1]
    before, seal = work.applications.get(last.application)
    require_sealed(seals, before, seal)
    return Previous(serial_text(last.serial), last.status, changes(before.case, case))


def _former(work: Work, seals: Seals, case: Case) -> tuple[FormerCase, ...]:
    found = work.applications.list_former(case.application)
    for former, seal in found:
        seals.require(CASE_SEAL, former.case.sealed_fields(), seal)
    return tuple(former for former, _seal in found)


def _doubts(work: Work, case: Case, certificates: Sequence[Certificate], officer: Officer) -> list[str]:
    found = []
    if _alike(case.customer_name, officer.name):
        found.append("the customer has your name: nobody decides on a certificate of their own")
    if _alike(case.customer_name, case.maker_name):
        found.append("the customer has the name of the officer who entered the case")
    if any(one.profile == case.profile and one.status in _HOLDING for one in certificates):
        found.append("the customer has a certificate of this profile that has not ended")
    others = [one for one in work.applications.list_by_customer(case.customer) if one.id != case.application]
    if any(_asks_the_same(one, case) for one in others):
        found.append("another application of this customer for this profile is on its way")
    device = work.devices.find(case.device_serial) if case.device_serial else None
    if device is not None and device.state in _OUT_OF_HAND:
        found.append(f"the U-Shield is {device.state.value}")
    return found


def _alike(one: str, other: str) -> bool:
    return "".join(one.casefold().split()) == "".join(other.casefold().split())


def _asks_the_same(other: Application, case: Case) -> bool:
    return other.state in ON_ITS_WAY and other.case.profile == case.profile
