"""What counting for the home page must do in every database."""

from datetime import timedelta, timezone

from ca.domain.certificates import CertificateStatus
from ca.domain.devices import DeviceState
from ca.domain.figures import EXPIRED, Calendar, Subject
from ca.domain.receipts import Receipt
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.times import Millis
from ca.ports import UnitOfWork
from tests.builders import NOW, a_certificate, a_device

SHANGHAI = timezone(timedelta(hours=8))
CALENDAR = Calendar.around(NOW.astimezone(SHANGHAI))
DAY = timedelta(days=1)


def _counted(unit_of_work: UnitOfWork, subject: Subject) -> set[tuple[str, str, int]]:
    with unit_of_work.look() as work:
        found = work.figures.count(CALENDAR)
    return {(each.branch, each.slot, each.value) for each in found if each.subject is subject}


class FiguresContract:
    def test_every_day_of_a_quarter_is_checked_with_or_without_certificates(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            for serial, at in ((1, NOW), (2, NOW), (3, CALENDAR.checked_since)):
                work.certificates.add(a_certificate(serial=serial, issued_at=at))
            work.certificates.add(a_certificate(serial=4, issued_at=CALENDAR.checked_since - timedelta(seconds=1)))
            work.certificates.add(a_certificate(serial=5, application="", branch="", issued_at=NOW))
            work.commit()
        with unit_of_work.look() as work:
            found = {each.slot: each.value for each in work.figures.check(CALENDAR)}

        issued = [found[f"{day} issued"] for day in CALENDAR.checked_days]
        assert issued == [1, *[0] * (len(CALENDAR.checked_days) - 2), 2]

    def test_first_certificates_and_renewals_are_counted_by_branch_and_local_day(
        self, unit_of_work: UnitOfWork
    ) -> None:
        midnight = CALENDAR.days[-1]
        issued = [
            ("0001", midnight, None),
            ("0001", midnight, None),
            ("0001", midnight - timedelta(seconds=1), None),
            ("0002", CALENDAR.days[0], None),
            ("0002", CALENDAR.days[0] - timedelta(seconds=1), None),
            ("0001", NOW, 1),
        ]
        with unit_of_work() as work:
            for serial, (branch, at, predecessor) in enumerate(issued, 1):
                work.certificates.add(
                    a_certificate(serial=serial, branch=branch, issued_at=at, predecessor=predecessor)
                )
            work.certificates.add(a_certificate(serial=99, application="", branch="", issued_at=NOW))
            work.commit()

        assert _counted(unit_of_work, Subject.ISSUED) == {
            ("0001", "2026-11-23", 2),
            ("0001", "2026-11-22", 1),
            ("0002", "2026-11-10", 1),
        }
        assert _counted(unit_of_work, Subject.RENEWED) == {("0001", "2026-11-23", 1)}

    def test_revocations_are_counted_on_the_day_of_the_act_without_what_renewals_superseded(
        self, unit_of_work: UnitOfWork
    ) -> None:
        held_long_ago = NOW - 40 * DAY
        with unit_of_work() as work:
            for serial, reason in enumerate((RevocationReason.KEY_COMPROMISE, RevocationReason.SUPERSEDED), 1):
                revoked = a_certificate(
                    serial=serial, status=CertificateStatus.REVOKED, revocation=Revocation(reason, held_long_ago)
                )
                work.certificates.add(revoked)
                work.receipts.add(_receipt(serial, CertificateStatus.REVOKED))
            work.certificates.add(
                a_certificate(
                    serial=3,
                    status=CertificateStatus.ON_HOLD,
                    revocation=Revocation(RevocationReason.CERTIFICATE_HOLD, NOW),
                )
            )
            work.receipts.add(_receipt(3, CertificateStatus.ON_HOLD))
            work.commit()

        assert _counted(unit_of_work, Subject.REVOKED) == {("0001", "2026-11-23", 1)}

    def test_what_ends_is_counted_by_month_as_long_as_it_holds(self, unit_of_work: UnitOfWork) -> None:
        ends = {
            1: NOW,
            2: CALENDAR.months[1] - timedelta(seconds=1),
            3: CALENDAR.months[1],
            4: CALENDAR.months[-1],
            5: NOW - timedelta(seconds=1),
        }
        with unit_of_work() as work:
            for serial, not_after in ends.items():
                work.certificates.add(a_certificate(serial=serial, not_after=not_after))
            work.certificates.add(
                a_certificate(
                    serial=6,
                    not_after=NOW + DAY,
                    status=CertificateStatus.REVOKED,
                    revocation=Revocation(RevocationReason.UNSPECIFIED, NOW),
                )
            )
            work.commit()

        assert _counted(unit_of_work, Subject.ENDING) == {("0001", "2026-11", 2), ("0001", "2026-12", 1)}
        assert _counted(unit_of_work, Subject.CERTIFICATES) == {
            ("0001", "active", 4),
            ("0001", EXPIRED, 1),
            ("0001", "revoked", 1),
        }

    def test_u_shields_are_counted_by_branch_and_state(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.devices.save(a_device(id="1", serial="US1"))
            work.devices.save(a_device(id="2", serial="US2", branch="0002", state=DeviceState.LOST))
            work.devices.save(a_device(id="3", serial="US3", branch="0002", state=DeviceState.LOST))
            work.commit()

        assert _counted(unit_of_work, Subject.DEVICES) == {("0001", "in-stock", 1), ("0002", "lost", 2)}


def _receipt(serial: int, became: CertificateStatus) -> Receipt:
    at = Millis(int(NOW.timestamp()) * 1000)
    return Receipt(serial, at, "issuing", became, after_crl=1, sightings=())
