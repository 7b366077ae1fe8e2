"""ca/usecases/answer_ocsp.py: what the signer tells relying parties."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp as judge

from ca.domain import der
from ca.domain.audit import AuditEvent
from ca.domain.certificates import CertificateStatus, Intent
from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotFound, NotReady, PKIError, SigningRefused, Tampered
from ca.domain.keys import KeyAlgorithm
from ca.domain.ocsp import Question
from ca.domain.revocation import RevocationReason
from ca.usecases.answer_ocsp import responder_key
from ocsp.request import parse_request
from tests.fakes.clock import NOON
from tests.fakes.standings import FakeStandings
from tests.fakes.status_world import DAY, StatusWorld

SHA1 = hashes.SHA1()  # noqa: S303 - what most clients send
SECOND = timedelta(seconds=1)


@pytest.fixture
def world() -> StatusWorld:
    return StatusWorld()


def cert_id(world: StatusWorld, serial: int) -> bytes:
    return parse_request(world.asked(serial)).cert_ids[0].der


def ask(world: StatusWorld, *serials: int, nonce: bytes | None = None) -> judge.OCSPResponse:
    return judge.load_der_ocsp_response(world.answer_ocsp([cert_id(world, serial) for serial in serials], nonce))


def test_a_certificate_that_holds_is_good(world: StatusWorld) -> None:
    world.issue(0xA1)
    assert ask(world, 0xA1).certificate_status is judge.OCSPCertStatus.GOOD


def test_a_revoked_certificate_says_since_when_and_why(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.clock.tick(DAY)
    world.revoke(0xA1)
    world.clock.tick(DAY)

    answer = ask(world, 0xA1)

    assert answer.certificate_status is judge.OCSPCertStatus.REVOKED
    assert answer.revocation_time_utc == NOON + DAY
    assert answer.revocation_reason is x509.ReasonFlags.key_compromise


def test_an_unconfirmed_certificate_is_on_hold(world: StatusWorld) -> None:
    world.issue(0xA1, CertificateStatus.UNCONFIRMED)
    assert ask(world, 0xA1).revocation_reason is x509.ReasonFlags.certificate_hold
    world.confirm(0xA1)
    assert ask(world, 0xA1).certificate_status is judge.OCSPCertStatus.GOOD


def test_a_released_hold_is_good_again(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.suspend(0xA1)
    assert ask(world, 0xA1).revocation_reason is x509.ReasonFlags.certificate_hold
    world.resume(0xA1)
    assert ask(world, 0xA1).certificate_status is judge.OCSPCertStatus.GOOD


def test_a_revocation_outlives_the_certificate(world: StatusWorld) -> None:
    world.issue(0xA1, life=DAY)
    world.revoke(0xA1, RevocationReason.SUPERSEDED)
    world.clock.tick(5 * DAY)
    assert ask(world, 0xA1).certificate_status is judge.OCSPCertStatus.REVOKED


@pytest.mark.parametrize("serial", [0xFFFF, 0, -1, 2**159 - 1])
def test_a_serial_that_was_never_issued_is_unknown(world: StatusWorld, serial: int) -> None:
    head = [part.der for part in der.parse(cert_id(world, 1)).children()[:3]]
    response = judge.load_der_ocsp_response(world.answer_ocsp([der.sequence(*head, der.integer(serial))]))
    assert response.certificate_status is judge.OCSPCertStatus.UNKNOWN


def test_an_intended_certificate_is_unknown_until_it_is_recorded(world: StatusWorld) -> None:
    intent = Intent(
        0xA1, "issuing", "individual", "application", b"tbs", "", "request", None, NOON, needs_confirmation=True
    )
    with world.unit_of_work() as work:
        work.intents.add(intent)
        work.commit()
    assert ask(world, 0xA1).certificate_status is judge.OCSPCertStatus.UNKNOWN


def test_a_certificate_of_another_issuer_is_unknown_here(world: StatusWorld) -> None:
    world.issue(0xA1, issuer="root")
    assert ask(world, 0xA1).certificate_status is judge.OCSPCertStatus.UNKNOWN


def test_certificates_of_the_root_are_not_answered_for(world: StatusWorld) -> None:
    asked = parse_request(world.asked(0xA1, issuer=world.root)).cert_ids[0].der
    with pytest.raises(NotFound):
        world.answer_ocsp([asked])
    with pytest.raises(NotFound):
        world.answer_ocsp([cert_id(world, 1), asked])


def test_a_foreign_issuer_costs_no_signature(world: StatusWorld) -> None:
    stranger = StatusWorld(algorithm=KeyAlgorithm.EC_P256)
    before = len(world.key_store.signed)
    with pytest.raises(NotFound):
        world.answer_ocsp([cert_id(stranger, 1)])
    assert len(world.key_store.signed) == before


def test_several_are_answered_in_order_with_the_nonce(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.issue(0xA2)
    world.revoke(0xA2)

    answer = ask(world, 0xA2, 0xA1, 0xA3, nonce=b"n" * 32)

    assert [(each.serial_number, each.certificate_status.name) for each in answer.responses] == [
        (0xA2, "REVOKED"),
        (0xA1, "GOOD"),
        (0xA3, "UNKNOWN"),
    ]
    assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32


@pytest.mark.parametrize("algorithm", [SHA1, hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_the_cert_id_is_echoed_in_its_hash(world: StatusWorld, algorithm: hashes.HashAlgorithm) -> None:
    world.issue(0xA1)
    asked = parse_request(world.asked(0xA1, algorithm)).cert_ids[0].der
    response = world.answer_ocsp([asked])
    assert asked in response
    assert judge.load_der_ocsp_response(response).certificate_status is judge.OCSPCertStatus.GOOD


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048])
def test_the_responder_signs_for_every_kind_of_key(algorithm: KeyAlgorithm) -> None:
    world = StatusWorld(algorithm=algorithm)
    answer = ask(world, 1)
    (certificate,) = answer.certificates
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(world.issuing.certificate_der))
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        assert answer.signature_hash_algorithm
        key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(answer.signature_hash_algorithm))


def test_an_answer_holds_from_now_for_its_life(world: StatusWorld) -> None:
    answer = ask(world, 1)
    assert answer.this_update_utc == answer.produced_at_utc == NOON
    assert answer.next_update_utc == NOON + timedelta(hours=1)


def test_an_answer_never_outlives_the_responders_certificate(world: StatusWorld) -> None:
    world.clock.set(world.responder.not_after - timedelta(minutes=10))
    assert ask(world, 1).next_update_utc == world.responder.not_after


@pytest.mark.parametrize("left", [timedelta(seconds=59), -SECOND])
def test_a_responder_certificate_in_its_last_minute_answers_nothing(world: StatusWorld, left: timedelta) -> None:
    world.clock.set(world.responder.not_after - left)
    with pytest.raises(NotReady, match="run out"):
        ask(world, 1)


def test_a_renewed_responder_certificate_takes_over(world: StatusWorld) -> None:
    world.clock.tick(29 * DAY)
    renewed = world.certify_responder(serial=0x05CA)
    assert renewed.der in world.answer_ocsp([cert_id(world, 1)])


def test_without_a_responder_certificate_nothing_is_answered(world: StatusWorld) -> None:
    world.forget(world.responder.serial)
    with pytest.raises(NotReady, match="no certificate"):
        ask(world, 1)


def test_a_responder_certificate_that_does_not_hold_answers_nothing(world: StatusWorld) -> None:
    world.suspend(world.responder.serial)
    with pytest.raises(NotReady, match="does not hold"):
        ask(world, 1)
    world.revoke(world.responder.serial)
    with pytest.raises(NotReady, match="no certificate"):
        ask(world, 1)


def test_before_the_responders_certificate_begins_nothing_is_answered(world: StatusWorld) -> None:
    world.clock.tick(-SECOND)
    with pytest.raises(NotReady, match="behind"):
        ask(world, 1)


def test_a_clock_that_goes_back_a_minute_is_forgiven_and_more_is_not(world: StatusWorld) -> None:
    world.clock.tick(DAY)
    ask(world, 1)
    world.clock.tick(timedelta(seconds=-60))
    ask(world, 1)
    world.clock.tick(-SECOND)
    with pytest.raises(NotReady, match="backwards"):
        ask(world, 1)


def test_a_key_that_is_not_the_certificates_is_found_out(world: StatusWorld) -> None:
    del world.key_store._keys[responder_key("issuing")]
    world.key_store.generate(responder_key("issuing"), "another", KeyAlgorithm.EC_P256)
    with pytest.raises(SigningRefused):
        ask(world, 1)


def test_an_hsm_that_is_away_is_said(world: StatusWorld) -> None:
    world.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        ask(world, 1)


@pytest.mark.parametrize("nonce", [b"", bytes(129)])
def test_a_nonce_out_of_bounds_is_refused(world: StatusWorld, nonce: bytes) -> None:
    with pytest.raises(InvalidRequest):
        ask(world, 1, nonce=nonce)


def test_none_and_twenty_one_are_refused(world: StatusWorld) -> None:
    with pytest.raises(InvalidRequest):
        ask(world)
    with pytest.raises(InvalidRequest):
        ask(world, *range(1, 22))


def test_each_question_gets_its_own_answer_or_its_own_error(world: StatusWorld) -> None:
    world.issue(0xA1)
    stranger = StatusWorld()
    questions = [
        Question.parse([cert_id(world, 0xA1)], b"1" * 16),
        Question.parse([cert_id(stranger, 1)]),
        Question.parse([cert_id(world, 0xA2)], b"2" * 16),
    ]

    first, second, third = world.answer_ocsp.each(questions)

    assert isinstance(first, bytes)
    assert b"1" * 16 in first
    assert isinstance(second, NotFound)
    assert isinstance(third, bytes)
    assert b"2" * 16 in third


def take_back(world: StatusWorld, serial: int) -> None:
    """What somebody does who writes into the database behind the signer's back."""
    tampered = replace(world.unit_of_work.stored.certificates[serial], status=CertificateStatus.ACTIVE, revocation=None)
    world.unit_of_work.stored.certificates[serial] = tampered


def alarms(world: StatusWorld) -> list[AuditEvent]:
    return [event for event in world.unit_of_work.events if event.name == "certificate.contradicted"]


def test_a_revocation_taken_back_in_the_database_is_never_signed_good(
    world: StatusWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.issue(0xA1)
    world.revoke(0xA1)
    take_back(world, 0xA1)

    with pytest.raises(Tampered):
        ask(world, 0xA1)

    (alarm,) = alarms(world)
    assert (alarm.subject, dict(alarm.details)) == ("a1", {"recorded": "active", "acted": "revoked"})
    assert "a1" in caplog.text


def test_a_certificate_written_into_the_database_alone_is_never_signed_good(world: StatusWorld) -> None:
    certificate = world.issue(0xA1)
    world.unit_of_work.stored.certificates[0xA2] = replace(certificate, serial=0xA2)

    with pytest.raises(Tampered):
        ask(world, 0xA2)


def test_a_contradiction_hurts_nobody_else_and_alarms_once_an_hour(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.issue(0xA2)
    world.revoke(0xA1)
    take_back(world, 0xA1)
    questions = [Question.parse([cert_id(world, serial)]) for serial in (0xA1, 0xA2)]

    for _ in range(3):
        refused, answered = world.answer_ocsp.each(questions)
        assert isinstance(refused, Tampered)
        assert isinstance(answered, bytes)
    assert len(alarms(world)) == 1

    world.clock.tick(timedelta(hours=1))
    world.answer_ocsp.each(questions)
    assert len(alarms(world)) == 2


def test_an_alarm_that_could_not_be_recorded_is_told_by_the_next_question(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.revoke(0xA1)
    take_back(world, 0xA1)

    world.unit_of_work.refuse_commit()
    with pytest.raises(PKIError):
        ask(world, 0xA1)
    assert alarms(world) == []

    with pytest.raises(Tampered):
        ask(world, 0xA1)
    assert len(alarms(world)) == 1


def test_a_map_that_lags_behind_follows_before_anything_is_signed(world: StatusWorld) -> None:
    world.issue(0xA1)
    with world.unit_of_work() as work:
        work.audit.append(AuditEvent("certificate.issued", "a1", "signer", NOON))
        work.commit()
    world.unit_of_work.standings = FakeStandings()
    lagging = replace(world.answer_ocsp, standings=world.unit_of_work.standings)

    response = judge.load_der_ocsp_response(lagging([cert_id(world, 0xA1)]))

    assert response.certificate_status is judge.OCSPCertStatus.GOOD
    assert alarms(world) == []


def test_a_map_that_never_comes_to_rest_answers_nothing(world: StatusWorld) -> None:
    class Restless(FakeStandings):
        def find(self, serial: int) -> None:
            """Always of before."""

        def applied(self) -> int:
            with world.unit_of_work() as work:
                work.audit.append(AuditEvent("certificate.issued", "a1", "signer", NOON))
                work.commit()
            return len(world.unit_of_work.events) - 1

    world.issue(0xA1)
    restless = replace(world.answer_ocsp, standings=Restless())

    with pytest.raises(NotReady, match="faster"):
        restless([cert_id(world, 0xA1)])


def test_without_a_map_nothing_is_answered(world: StatusWorld) -> None:
    world.standings.lost = True
    with pytest.raises(NotReady):
        ask(world, 1)
