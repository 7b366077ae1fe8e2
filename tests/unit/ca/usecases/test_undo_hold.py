"""ca/usecases/revoke.py: a hold by mistake is undone, soon, by who did it; and invalidity dates (CPS section 4.9)."""

from datetime import timedelta

import pytest

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.history import history
from ca.domain.policy import USUAL
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.serials import serial_text
from ca.domain.times import Millis, timestamp
from ca.usecases.receipts import Observation
from tests.fakes.bank import AUDITOR, HOTLINE, MARIA, PAVEL, STRANGER, SUPERVISOR, Bank
from tests.fakes.ceremony import ISSUING

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def certificate(bank: Bank) -> Certificate:
    return bank.active()


def _hold(bank: Bank, certificate: Certificate, person: str) -> None:
    bank.change_status.hold(bank.session(person), certificate.serial)


def _undo(bank: Bank, certificate: Certificate, person: str) -> Certificate:
    return bank.change_status.undo_hold(bank.session(person), certificate.serial)


@pytest.mark.parametrize("person", [MARIA, PAVEL, SUPERVISOR, HOTLINE])
def test_who_held_it_takes_the_hold_back(bank: Bank, certificate: Certificate, person: str) -> None:
    _hold(bank, certificate, person)
    bank.clock.tick(USUAL.hold_undo)
    undone = _undo(bank, certificate, person)
    assert undone == bank.certificate(certificate.serial)
    assert (undone.status, undone.revocation) == (CertificateStatus.ACTIVE, None)
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.actor, event.details) == ("certificate.released", person, {"why": "undo"})
    assert bank.stored.crl_due[ISSUING]
    assert bank.published[-1] == ISSUING


def test_after_the_window_only_a_supervisor_releases(bank: Bank, certificate: Certificate) -> None:
    _hold(bank, certificate, HOTLINE)
    bank.clock.tick(USUAL.hold_undo + SECOND)
    with pytest.raises(InvalidTransition, match="supervisor"):
        _undo(bank, certificate, HOTLINE)
    assert bank.certificate(certificate.serial).status is CertificateStatus.ON_HOLD


@pytest.mark.parametrize("person", [MARIA, SUPERVISOR])
def test_nobody_undoes_what_another_did(bank: Bank, certificate: Certificate, person: str) -> None:
    _hold(bank, certificate, HOTLINE)
    with pytest.raises(NotAllowed):
        _undo(bank, certificate, person)


def test_what_was_never_held_is_not_undone(bank: Bank, certificate: Certificate) -> None:
    with pytest.raises(NotAllowed):
        _undo(bank, certificate, MARIA)


def test_a_hold_is_undone_once(bank: Bank, certificate: Certificate) -> None:
    _hold(bank, certificate, MARIA)
    _undo(bank, certificate, MARIA)
    with pytest.raises(NotAllowed):
        _undo(bank, certificate, MARIA)


def test_a_hold_that_became_final_stays(bank: Bank, certificate: Certificate) -> None:
    _hold(bank, certificate, MARIA)
    bank.change_status.revoke(bank.session(PAVEL), certificate.serial, RevocationReason.SUPERSEDED)
    with pytest.raises(NotAllowed):
        _undo(bank, certificate, MARIA)
    assert bank.certificate(certificate.serial).status is CertificateStatus.REVOKED


def test_what_the_prober_saw_meanwhile_is_in_nobodys_way(bank: Bank, certificate: Certificate) -> None:
    _hold(bank, certificate, MARIA)
    (receipt,) = [each for each in bank.stored.receipts.values() if each.became is CertificateStatus.ON_HOLD]
    seen = Millis(receipt.changed_at + 1)
    use_cases = bank.use_cases
    use_cases.record_sightings([Observation(receipt.serial, receipt.changed_at, "ocsp", None, seen)])
    assert bank.event_names[-1] == "receipt.seen"
    assert _undo(bank, certificate, MARIA).status is CertificateStatus.ACTIVE


@pytest.mark.parametrize("person", [STRANGER, AUDITOR])
def test_who_could_not_hold_it_cannot_undo_it(bank: Bank, certificate: Certificate, person: str) -> None:
    _hold(bank, certificate, MARIA)
    with pytest.raises((NotAllowed, NotFound)):
        _undo(bank, certificate, person)


# Invalidity dates (RFC 5280 section 5.3.2)


def _revoke(bank: Bank, certificate: Certificate, since: timedelta) -> Certificate:
    invalid_since = bank.clock.now() - since
    return bank.change_status.revoke(
        bank.session(PAVEL), certificate.serial, RevocationReason.KEY_COMPROMISE, invalid_since
    )


def test_an_invalidity_date_is_recorded_in_row_event_and_history(bank: Bank, certificate: Certificate) -> None:
    bank.clock.tick(2 * HOUR)
    revoked = _revoke(bank, certificate, HOUR)
    at = bank.clock.now()
    expected = Revocation(RevocationReason.KEY_COMPROMISE, at, at - HOUR)
    assert bank.certificate(certificate.serial).revocation == revoked.revocation == expected
    assert bank.unit_of_work.events[-1].details["invalid_since"] == timestamp(at - HOUR)
    with bank.unit_of_work() as work:
        moments = history(work.audit.about(serial_text(certificate.serial)))
    assert moments[-1].told == expected


@pytest.mark.parametrize("since", [-SECOND, -HOUR, timedelta(days=5000)])
def test_it_is_neither_in_the_future_nor_before_the_certificate(
    bank: Bank, certificate: Certificate, since: timedelta
) -> None:
    with pytest.raises(InvalidRequest, match="invalid since"):
        _revoke(bank, certificate, since)
    assert bank.certificate(certificate.serial) == certificate


def test_it_may_be_the_first_second_and_the_last(bank: Bank, certificate: Certificate) -> None:
    first = bank.clock.now() - certificate.not_before
    assert _revoke(bank, certificate, first).revocation is not None
    other = bank.active()
    assert _revoke(bank, other, timedelta()).revocation is not None


def test_after_a_hold_it_is_not_later_than_the_hold(bank: Bank, certificate: Certificate) -> None:
    _hold(bank, certificate, MARIA)
    bank.clock.tick(HOUR)
    with pytest.raises(InvalidRequest):
        _revoke(bank, certificate, HOUR - SECOND)
    assert _revoke(bank, certificate, HOUR).revocation is not None
