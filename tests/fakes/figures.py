"""counting.Figures over the dictionaries of a fake database."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.figures import EVERYWHERE, EXPIRED, Calendar, Figure, Subject
from ca.domain.revocation import RevocationReason

if TYPE_CHECKING:
    from tests.fakes.work import Stored

_Counted = Iterator[tuple[str, Subject, str]]


class FakeFigures:
    def __init__(self, kept: list[Figure], stored: "Stored") -> None:
        self._kept = kept
        self._stored = stored

    def count(self, calendar: Calendar) -> Sequence[Figure]:
        counted = Counter([*self._certificates(calendar), *self._revoked(calendar), *self._devices()])
        return [Figure(*key, value) for key, value in counted.items()]

    def check(self, calendar: Calendar) -> Sequence[Figure]:
        issued = Counter({f"{day} issued": 0 for day in calendar.checked_days})
        for each in self._of_customers():
            if each.issued_at >= calendar.checked_since:
                issued[f"{each.issued_at.astimezone(calendar.now.tzinfo):%Y-%m-%d} issued"] += 1
        return [Figure(EVERYWHERE, Subject.CHECKED, slot, value) for slot, value in issued.items()]

    def keep(self, figures: Sequence[Figure], at: datetime) -> None:
        assert at.tzinfo is not None
        self._kept[:] = figures

    def _certificates(self, calendar: Calendar) -> _Counted:
        for each in self._of_customers():
            if each.issued_at >= calendar.days[0]:
                subject = Subject.ISSUED if each.predecessor is None else Subject.RENEWED
                yield each.branch, subject, _day(each.issued_at, calendar)
            is_over = each.not_after < calendar.now
            is_holding = each.status in {CertificateStatus.ACTIVE, CertificateStatus.ON_HOLD}
            if is_holding and not is_over and each.not_after < calendar.months[-1]:
                yield each.branch, Subject.ENDING, f"{each.not_after.astimezone(calendar.now.tzinfo):%Y-%m}"
            is_revoked = each.status is CertificateStatus.REVOKED
            state = EXPIRED if is_over and not is_revoked else each.status.value
            yield each.branch, Subject.CERTIFICATES, state

    def _revoked(self, calendar: Calendar) -> _Counted:
        certificates = {each.serial: each for each in self._of_customers()}
        for receipt in self._stored.receipts.values():
            certificate = certificates.get(receipt.serial)
            at = datetime.fromtimestamp(receipt.changed_at / 1000, UTC)
            if certificate is None or receipt.became is not CertificateStatus.REVOKED or at < calendar.days[0]:
                continue
            if certificate.revocation and certificate.revocation.reason is not RevocationReason.SUPERSEDED:
                yield certificate.branch, Subject.REVOKED, _day(at, calendar)

    def _devices(self) -> _Counted:
        for device in self._stored.devices.values():
            yield device.branch, Subject.DEVICES, device.state.value

    def _of_customers(self) -> list[Certificate]:
        return [each for each in self._stored.certificates.values() if each.branch]


def _day(at: datetime, calendar: Calendar) -> str:
    return f"{at.astimezone(calendar.now.tzinfo):%Y-%m-%d}"
