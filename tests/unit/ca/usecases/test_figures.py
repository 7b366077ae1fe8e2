"""Counting for the home page: every branch, all together, and how long changes took to be seen."""

from datetime import UTC, timedelta

import pytest

from ca.domain.figures import EVERYWHERE, Calendar, Subject
from ca.domain.revocation import RevocationReason
from ca.domain.times import Millis
from ca.usecases.figures import CountFigures
from tests.builders import NOW, a_device
from tests.fakes.bank import MARIA, PAVEL, Bank


@pytest.fixture
def bank() -> Bank:
    return Bank()


def _value(bank: Bank, branch: str, subject: Subject, slot: str) -> int | None:
    found = [each for each in bank.stored.figures if (each.branch, each.subject, each.slot) == (branch, subject, slot)]
    return found[0].value if found else None


def _count(bank: Bank) -> int:
    return CountFigures(bank.unit_of_work, bank.clock, UTC)()


def test_all_branches_together_have_every_slot_even_at_the_first_start(bank: Bank) -> None:
    _count(bank)
    today = f"{bank.clock.now():%Y-%m-%d}"
    assert _value(bank, EVERYWHERE, Subject.ISSUED, today) == 0
    assert _value(bank, EVERYWHERE, Subject.DEVICES, "in-stock") == 0
    assert {each.branch for each in bank.stored.figures} == {EVERYWHERE}


def test_what_branches_have_adds_up(bank: Bank) -> None:
    certificate = bank.active()
    with bank.unit_of_work() as work:
        work.devices.save(a_device(branch="elsewhere", serial="US9"))
        work.commit()
    _count(bank)
    today = f"{bank.clock.now():%Y-%m-%d}"
    assert _value(bank, certificate.branch, Subject.ISSUED, today) == 1
    assert _value(bank, EVERYWHERE, Subject.ISSUED, today) == 1
    assert _value(bank, certificate.branch, Subject.CERTIFICATES, "active") == 1
    assert _value(bank, EVERYWHERE, Subject.CERTIFICATES, "active") == 1
    assert _value(bank, "elsewhere", Subject.DEVICES, "in-stock") == 1


def test_a_second_count_takes_the_place_of_the_first(bank: Bank) -> None:
    certificate = bank.active()
    _count(bank)
    bank.change_status.hold(bank.session(MARIA), certificate.serial)
    assert _count(bank) == len(bank.stored.figures)
    assert _value(bank, certificate.branch, Subject.CERTIFICATES, "active") is None
    assert _value(bank, EVERYWHERE, Subject.CERTIFICATES, "on-hold") == 1


def test_the_latency_stands_beside_its_promise(bank: Bank) -> None:
    certificate = bank.active()
    bank.change_status.revoke(bank.session(PAVEL), certificate.serial, RevocationReason.KEY_COMPROMISE)
    (receipt,) = [each for each in bank.stored.receipts.values() if each.serial == certificate.serial][-1:]
    with bank.unit_of_work() as work:
        work.receipts.save(receipt.see("ocsp", None, Millis(receipt.changed_at + 40), now=Millis(1 << 52)))
        work.commit()
    _count(bank)
    assert _value(bank, EVERYWHERE, Subject.SEEN, "ocsp") == 40
    assert _value(bank, EVERYWHERE, Subject.PROMISED, "ocsp") == 1000
    assert _value(bank, EVERYWHERE, Subject.LATE, "ocsp") == 0
    assert _value(bank, EVERYWHERE, Subject.SEEN, "delta-crl") == -1


def test_days_begin_at_local_midnight_and_months_at_their_first() -> None:
    calendar = Calendar.around(NOW.replace(month=12, day=31))
    assert calendar.day_slots[0] == "2026-12-18"
    assert calendar.day_slots[-1] == "2026-12-31"
    assert calendar.month_slots == ["2026-12", *(f"2027-{month:02}" for month in range(1, 12))]
    assert calendar.months[0] == calendar.now
    assert calendar.months[-1] - calendar.days[-1] == timedelta(days=335)
