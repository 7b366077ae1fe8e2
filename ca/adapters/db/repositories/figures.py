"""Counting in the database: grouped in SQL, so that of a million rows only the numbers travel."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, delete, func, insert, select, type_coerce
from sqlalchemy.orm import Session

from ca.adapters.db.day_checks import differences, issued, unapproved
from ca.adapters.db.figure_rows import FigureRow
from ca.adapters.db.receipt_rows import ReceiptRow
from ca.adapters.db.rows import CertificateRow, DeviceRow
from ca.domain.certificates import CertificateStatus
from ca.domain.figures import EVERYWHERE, EXPIRED, Calendar, Figure, Subject
from ca.domain.revocation import RevocationReason

_DAY = 24 * 3600
# The CA's own certificates belong to no branch.
_OF_CUSTOMERS = CertificateRow.branch != ""
_HOLDING = (CertificateStatus.ACTIVE.value, CertificateStatus.ON_HOLD.value)


class SqlFigures:
    def __init__(self, session: Session) -> None:
        self._session = session

    def count(self, calendar: Calendar) -> Sequence[Figure]:
        counted: Counter[tuple[str, Subject, str]] = Counter()
        for each in (self._issued(calendar), self._revoked(calendar), self._standing(calendar), self._devices()):
            for figure in each:
                counted[figure.branch, figure.subject, figure.slot] += figure.value
        return [Figure(*key, value) for key, value in counted.items()]

    def check(self, calendar: Calendar) -> Sequence[Figure]:
        def covers(instant: Any) -> Any:
            return instant >= calendar.checked_since

        at = CertificateRow.issued_at.label("at")
        wanted = {
            "issued": select(at).where(issued(covers)),
            "renewed": select(at).where(issued(covers, is_renewal=True)),
            **differences(covers),
            "unapproved": unapproved(covers),
        }
        first, days = int(calendar.checked_since.timestamp()), calendar.checked_days
        # A day without a certificate was counted, too.
        counted = Counter({f"{day} issued": 0 for day in days})
        for check, query in wanted.items():
            found = query.order_by(None).subquery()
            place = ((type_coerce(found.c.at, BigInteger) - first) // _DAY).label("place")
            for number, count in self._grouped(select(place)):
                if number < len(days):
                    counted[f"{days[number]} {check}"] += count
        return [Figure(EVERYWHERE, Subject.CHECKED, slot, value) for slot, value in counted.items()]

    def keep(self, figures: Sequence[Figure], at: datetime) -> None:
        self._session.execute(delete(FigureRow))
        if figures:
            self._session.execute(insert(FigureRow), [_values(each, at) for each in figures])

    def _issued(self, calendar: Calendar) -> Iterator[Figure]:
        day = (type_coerce(CertificateRow.issued_at, BigInteger) - _seconds(calendar)) // _DAY
        follows = CertificateRow.predecessor.is_not(None)
        # An expression for the branch, or SQLite goes through all certificates by branch instead of the youngest.
        branch_text = (CertificateRow.branch + "").label("branch")
        wanted = select(branch_text, follows.label("follows"), day.label("day"))
        recent = wanted.where(CertificateRow.issued_at >= calendar.days[0], _OF_CUSTOMERS)
        for branch, is_renewal, place, count in self._grouped(recent):
            if place < len(calendar.days):
                subject = Subject.RENEWED if is_renewal else Subject.ISSUED
                yield Figure(branch, subject, calendar.day_slots[place], count)

    def _revoked(self, calendar: Calendar) -> Iterator[Figure]:
        # By receipts: they say when somebody revoked, a record that was on hold says since when it does not hold.
        first = _seconds(calendar) * 1000
        day = (ReceiptRow.changed_at - first) // (_DAY * 1000)
        wanted = select(CertificateRow.branch.label("branch"), day.label("day"))
        recent = wanted.join(ReceiptRow, ReceiptRow.serial == CertificateRow.serial).where(
            ReceiptRow.changed_at >= first,
            ReceiptRow.became == CertificateStatus.REVOKED.value,
            CertificateRow.reason != int(RevocationReason.SUPERSEDED),
            _OF_CUSTOMERS,
        )
        for branch, place, count in self._grouped(recent):
            if place < len(calendar.days):
                yield Figure(branch, Subject.REVOKED, calendar.day_slots[place], count)

    def _standing(self, calendar: Calendar) -> Iterator[Figure]:
        """By state, and by month what ends: read once, from the one index that has it all."""
        ends, status = CertificateRow.not_after, CertificateRow.status
        is_over = and_(status != CertificateStatus.REVOKED.value, ends < calendar.now)
        month = case(
            *((ends < until, place) for place, until in enumerate(calendar.months)), else_=len(calendar.months)
        )
        wanted = select(
            CertificateRow.branch.label("branch"),
            case((is_over, EXPIRED), else_=status).label("state"),
            month.label("month"),
        ).where(_OF_CUSTOMERS)
        for branch, state, place, count in self._grouped(wanted):
            yield Figure(branch, Subject.CERTIFICATES, state, count)
            if state in _HOLDING and place < len(calendar.months):
                yield Figure(branch, Subject.ENDING, calendar.month_slots[place - 1], count)

    def _devices(self) -> Iterator[Figure]:
        wanted = select(DeviceRow.branch.label("branch"), DeviceRow.state.label("state"))
        for branch, slot, count in self._grouped(wanted):
            yield Figure(branch, Subject.DEVICES, slot, count)

    def _grouped(self, wanted: Select[*tuple[Any, ...]]) -> Iterator[Any]:
        """Each combination of the columns with how often it is there."""
        # Grouped by names of columns: PostgreSQL does not see that two expressions with parameters are the same.
        inner = wanted.subquery()
        columns: list[ColumnElement[Any]] = list(inner.c)
        yield from self._session.execute(select(*columns, func.count()).group_by(*columns))


def _seconds(calendar: Calendar) -> int:
    return int(calendar.days[0].timestamp())


def _values(figure: Figure, at: datetime) -> dict[str, Any]:
    return {
        "branch": figure.branch,
        "subject": figure.subject.value,
        "slot": figure.slot,
        "value": figure.value,
        "counted_at": at,
    }
