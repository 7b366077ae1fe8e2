"""ca/usecases/look_back.py, ca/domain/history.py: how a certificate stood at any instant, by the log alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from ca.domain.audit import Head
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.history import PublishedCRL, history, moment_at
from ca.domain.journal import chained
from ca.domain.revocation import Revocation, RevocationReason
from ca.telling import as_json
from ca.usecases.look_back import LookBack, LookedBack
from tests.builders import NOW, an_event
from tests.fakes.bank import ISSUING, MARIA, PAVEL, SUPERVISOR, Bank
from tests.fakes.clock import RestlessClock

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def look_back(bank: Bank, serial: int, *, ago: timedelta = timedelta(0)) -> LookedBack:
    return LookBack(bank.unit_of_work, bank.clock)(serial, bank.clock.now() - ago)


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
    bank.clock.set(certificate.not_after + SECOND)
    assert look_back(bank, certificate.serial).is_expired
    assert not look_back(bank, certificate.serial, ago=SECOND).is_expired


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


def test_of_an_instant_to_come_nothing_is_told(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="not come yet"):
        look_back(bank, bank.active().serial, ago=-SECOND)


def test_an_older_answer_may_have_been_about_for_as_long_as_answers_live(bank: Bank) -> None:
    certificate = bank.active()
    bank.clock.tick(HOUR)
    bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)
    held_at = bank.clock.now()
    bank.clock.tick(HOUR)
    before, then, last, after = (
        look_back(bank, certificate.serial, ago=ago).older_until for ago in (HOUR + SECOND, HOUR, SECOND, 0 * SECOND)
    )
    assert (before, then, last, after) == (held_at - HOUR + HOUR, held_at + HOUR, held_at + HOUR, None)


def test_a_crl_is_silent_about_what_expired_before_the_one_before_it(bank: Bank) -> None:
    certificate = bank.active()
    bank.revoked(certificate)
    told, listed = [], []
    for instant in (
        bank.clock.now(),
        certificate.not_after,
        *(certificate.not_after + hours * HOUR for hours in (1, 2)),
    ):
        bank.clock.set(instant)
        bank.publish_crl(ISSUING)
        told.append(look_back(bank, certificate.serial).crls[0].revocation is not None)
        crl = x509.load_der_x509_crl(bank.publisher.crls[ISSUING])
        listed.append(crl.get_revoked_certificate_by_serial_number(certificate.serial) is not None)
    # One more CRL after the last one of its life shows it (RFC 5280 section 3.3).
    assert told == listed == [True, True, True, False]


def test_the_proof_leads_to_the_checkpoint_and_shows_nobody(bank: Bank) -> None:
    certificate = bank.active()
    bank.publish_crl(ISSUING)
    bank.customer(name="Somebody Else")
    bank.checkpoint()
    looked = look_back(bank, certificate.serial)
    assert [proof.event.event.name for proof in looked.proofs] == [
        "certificate.confirmed",
        "crl.published",
        "crl.published",
    ]
    assert looked.unproven == []
    told = json.dumps(as_json(looked))
    for secret in ("Somebody", certificate.subject, MARIA, PAVEL, "customer", certificate.application, "personal"):
        assert secret not in told


def test_what_is_too_far_from_its_checkpoint_or_before_the_first_is_named(bank: Bank) -> None:
    certificate = bank.active()
    event = look_back(bank, certificate.serial).unproven[0]
    for _ in range(3):
        bank.customer()
    made = bank.checkpoint()
    assert made is not None
    far = made.number - event.number
    ask = LookBack(bank.unit_of_work, bank.clock)
    assert ask(certificate.serial, bank.clock.now(), longest=far).unproven == []
    assert ask(certificate.serial, bank.clock.now(), longest=far - 1).unproven == [event]


def test_an_event_that_somebody_edited_is_no_history(bank: Bank) -> None:
    certificate = bank.active()
    bank.revoked(certificate, RevocationReason.SUPERSEDED)
    bank.checkpoint()
    log = bank.stored.audit
    (place,) = [place for place, each in enumerate(log) if each.event.name == "certificate.revoked"]
    earlier = replace(log[place].event, at=log[place].event.at - HOUR)
    log[place] = replace(log[place], event=earlier)
    with pytest.raises(Tampered):
        look_back(bank, certificate.serial)


def test_an_event_that_somebody_edited_between_is_found_too(bank: Bank) -> None:
    certificate = bank.active()
    bank.customer()
    bank.checkpoint()
    bank.stored.audit[-1] = replace(bank.stored.audit[-1], event=an_event("customer.registered"))
    with pytest.raises(Tampered, match="was altered"):
        look_back(bank, certificate.serial)


def _hold(bank: Bank, serial: int) -> None:
    bank.change_status.hold(bank.session(SUPERVISOR), serial)


def _release(bank: Bank, serial: int) -> None:
    _hold(bank, serial)
    bank.change_status.release(bank.session(SUPERVISOR), serial)


def _revoke(bank: Bank, serial: int) -> None:
    bank.change_status.revoke(bank.session(PAVEL), serial, RevocationReason.KEY_COMPROMISE)


def _revoke_held(bank: Bank, serial: int) -> None:
    _hold(bank, serial)
    _revoke(bank, serial)


ACTS = {"hold": _hold, "release": _release, "revoke": _revoke, "revoke what is on hold": _revoke_held}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_act_that_takes_its_time_has_one_instant_in_log_and_record(act: Callable[[Bank, int], None]) -> None:
    bank = Bank(clock=RestlessClock())
    certificate = bank.active()
    act(bank, certificate.serial)

    looked = look_back(bank, certificate.serial)

    assert looked.certificate is not None
    assert status_of(looked) is looked.certificate.status


@pytest.mark.parametrize("lost", ["event", "record"])
def test_a_record_and_a_log_that_contradict_each_other_tell_nothing(bank: Bank, lost: str) -> None:
    certificate = bank.active()
    bank.revoked(certificate)
    if lost == "event":
        log = bank.stored.audit
        log[:] = [each for each in log if each.event.name != "certificate.revoked"]
    else:
        bank.stored.certificates[certificate.serial] = certificate
    with pytest.raises(Tampered, match="contradict"):
        look_back(bank, certificate.serial)


def test_an_event_of_publication_that_does_not_tell_enough_is_tampering() -> None:
    (event,) = chained(Head(), [an_event("crl.published", details={"number": "1"})], ()).events
    with pytest.raises(Tampered, match="does not tell of a CRL"):
        PublishedCRL.of(event)
