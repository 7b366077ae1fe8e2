"""ca/usecases/look_back.py, ca/domain/history.py: how a certificate stood at any instant, by the log alone."""

from datetime import timedelta

import pytest

from ca.domain.audit import Head
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import Tampered
from ca.domain.history import history, moment_at
from ca.domain.journal import chained
from ca.domain.revocation import Revocation, RevocationReason
from ca.usecases.look_back import LookBack, LookedBack
from tests.builders import NOW, an_event
from tests.fakes.bank import SUPERVISOR, Bank

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def look_back(bank: Bank, serial: int, *, ago: timedelta = timedelta(0)) -> LookedBack:
    return LookBack(bank.unit_of_work)(serial, bank.clock.now() - ago)


def status_of(looked: LookedBack) -> CertificateStatus | None:
    return looked.moment.status if looked.moment else None


def test_every_day_of_a_life_is_told_as_it_was(bank: Bank) -> None:
    certificate = bank.active()
    bank.clock.tick(HOUR)
    bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)
    bank.clock.tick(HOUR)
    bank.change_status.release(bank.session(SUPERVISOR), certificate.serial)
    bank.clock.tick(HOUR)
    bank.revoked(certificate)
    bank.clock.tick(HOUR)

    told = [status_of(look_back(bank, certificate.serial, ago=hours * HOUR)) for hours in (4, 3, 2, 1, 0)]

    assert told == [
        CertificateStatus.ACTIVE,
        CertificateStatus.ON_HOLD,
        CertificateStatus.ACTIVE,
        CertificateStatus.REVOKED,
        CertificateStatus.REVOKED,
    ]


def test_the_last_answer_is_what_the_records_say(bank: Bank) -> None:
    certificate = bank.active()
    bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)
    bank.clock.tick(HOUR)
    bank.revoked(certificate)

    looked = look_back(bank, certificate.serial)

    recorded = bank.stored.certificates[certificate.serial]
    assert looked.moment is not None
    assert looked.moment.told == recorded.seen_by_relying_parties()
    assert looked.certificate == recorded


def test_before_it_was_issued_nothing_is_known(bank: Bank) -> None:
    certificate = bank.active()
    looked = look_back(bank, certificate.serial, ago=timedelta(days=30))
    assert (looked.moment, looked.checkpoint) == (None, None)


def test_a_serial_nobody_issued_is_unknown(bank: Bank) -> None:
    looked = look_back(bank, 0xDEAD)
    assert (looked.certificate, looked.moment, looked.is_expired) == (None, None, False)


def test_an_expired_certificate_says_so(bank: Bank) -> None:
    certificate = bank.active()
    looked = LookBack(bank.unit_of_work)
    assert looked(certificate.serial, certificate.not_after + SECOND).is_expired
    assert not looked(certificate.serial, certificate.not_after).is_expired


def test_the_first_checkpoint_behind_a_change_proves_it(bank: Bank) -> None:
    certificate = bank.active()
    assert look_back(bank, certificate.serial).checkpoint is None
    first = bank.checkpoint()
    bank.customer()
    bank.checkpoint()
    assert look_back(bank, certificate.serial).checkpoint == first


def test_what_was_never_confirmed_was_never_good() -> None:
    events = chained(
        Head(),
        [
            an_event("certificate.issued", subject="a1", details={"status": "unconfirmed"}),
            an_event("certificate.revoked", subject="a1", at=NOW + HOUR, details={"reason": "cessationOfOperation"}),
        ],
        (),
    ).events
    issued, revoked = history(events)
    assert issued.told == Revocation(RevocationReason.CERTIFICATE_HOLD, NOW)
    assert revoked.told == Revocation(RevocationReason.CESSATION_OF_OPERATION, NOW)
    assert moment_at([issued, revoked], NOW - SECOND) is None
    assert moment_at([issued, revoked], NOW + HOUR - SECOND) == issued
    assert moment_at([issued, revoked], NOW + HOUR) == revoked


def test_events_that_change_nothing_are_passed_over() -> None:
    names = ("certificate.intended", "certificate.issued", "certificate.unknown-seen")
    events = chained(Head(), [an_event(name, details={"status": "active"}) for name in names], ()).events
    assert [moment.event.number for moment in history(events)] == [2]


def test_a_change_before_the_issuance_is_tampering() -> None:
    events = chained(Head(), [an_event("certificate.released")], ()).events
    with pytest.raises(Tampered, match="audit event 1 changes a certificate that was never issued"):
        history(events)
