"""ca/usecases/confirm.py: it holds once its key has proved itself, and then the old one is retired (invariant 5)."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import product

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from ca.domain.applications import ApplicationState
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl import CRLScope
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound, NotReady
from ca.domain.keys import Message
from ca.domain.revocation import Revocation, RevocationReason
from ca.ports import KeyId
from ca.usecases.confirm import proof_message
from tests.builders import a_crl
from tests.drafts import P384, SoftKey
from tests.fakes.bank import HOTLINE, SUPERVISOR, Bank, new_key, prove, request_like
from tests.fakes.ceremony import ISSUING

KEYS = {"P-256": new_key(), "P-384": P384, "RSA": SoftKey(rsa.generate_private_key(65537, 2048))}


@pytest.fixture
def key() -> SoftKey:
    return new_key()


@pytest.fixture
def certificate(bank: Bank, key: SoftKey) -> Certificate:
    return bank.issued(key=key)


def renewed(bank: Bank, current: Certificate, key: SoftKey) -> Certificate:
    """A successor, not yet confirmed; its predecessor is in its window."""
    bank.clock.set(current.not_after - timedelta(days=30))
    return bank.re_enrol(current.der, request_like(current.der, key))


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_the_new_key_makes_it_active(bank: Bank, key: SoftKey) -> None:
    certificate = bank.issued(key=key)

    active = bank.confirmed(certificate, key)

    assert active == bank.certificate(certificate.serial)
    assert (active.status, active.confirmed_at) == (CertificateStatus.ACTIVE, bank.clock.now())
    assert bank.state(certificate.application) is ApplicationState.COMPLETED
    assert bank.event_names[-1] == "certificate.confirmed"
    assert bank.published == [ISSUING]


def test_until_then_relying_parties_see_a_hold(certificate: Certificate) -> None:
    assert certificate.seen_by_relying_parties() == Revocation(RevocationReason.CERTIFICATE_HOLD, certificate.issued_at)


def test_confirming_twice_is_no_mistake(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    first = bank.confirmed(certificate, key)
    bank.clock.tick()
    assert bank.confirmed(certificate, key) == first
    assert bank.event_names.count("certificate.confirmed") == 1


def refused(bank: Bank, certificate: Certificate, nonce: bytes, signature: bytes) -> None:
    with pytest.raises(InvalidRequest):
        bank.confirm(certificate.serial, nonce, signature)
    assert bank.status(certificate.serial) is CertificateStatus.UNCONFIRMED


def test_another_key_confirms_nothing(bank: Bank, certificate: Certificate) -> None:
    nonce = bank.confirm.challenge(certificate.serial)
    refused(bank, certificate, nonce, prove(new_key(), nonce, certificate))


def test_a_proof_for_another_certificate_confirms_nothing(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    other = bank.issued()
    nonce = bank.confirm.challenge(certificate.serial)
    refused(bank, certificate, nonce, prove(key, nonce, other))


@pytest.mark.parametrize("nonce", [b"", bytes(32)])
def test_a_nonce_of_the_callers_own_confirms_nothing(
    bank: Bank, certificate: Certificate, key: SoftKey, nonce: bytes
) -> None:
    refused(bank, certificate, nonce, prove(key, nonce, certificate))


def test_a_nonce_given_for_another_certificate_confirms_nothing(
    bank: Bank, certificate: Certificate, key: SoftKey
) -> None:
    nonce = bank.confirm.challenge(bank.issued().serial)
    refused(bank, certificate, nonce, prove(key, nonce, certificate))


def test_a_nonce_works_once_even_when_the_proof_was_wrong(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    nonce = bank.confirm.challenge(certificate.serial)
    refused(bank, certificate, nonce, b"no signature")
    refused(bank, certificate, nonce, prove(key, nonce, certificate))


def test_a_nonce_is_good_for_five_minutes(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    nonce = bank.confirm.challenge(certificate.serial)
    bank.clock.tick(timedelta(minutes=5, seconds=1))
    refused(bank, certificate, nonce, prove(key, nonce, certificate))


def test_at_the_fifth_minute_it_still_works(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    nonce = bank.confirm.challenge(certificate.serial)
    bank.clock.tick(timedelta(minutes=5))
    assert bank.confirm(certificate.serial, nonce, prove(key, nonce, certificate)).status is CertificateStatus.ACTIVE


def test_an_unknown_certificate_gets_no_nonce(bank: Bank) -> None:
    with pytest.raises(NotFound):
        bank.confirm.challenge(0xDEAD)


def test_a_held_or_revoked_certificate_gets_no_nonce(bank: Bank) -> None:
    held, revoked = bank.active(), bank.issued()
    bank.change_status.hold(bank.session(HOTLINE), held.serial)
    bank.revoked(revoked)
    for certificate in (held, revoked):
        with pytest.raises(InvalidTransition, match="cannot be confirmed"):
            bank.confirm.challenge(certificate.serial)


def test_a_certificate_revoked_after_the_nonce_was_given_stays_revoked(
    bank: Bank, certificate: Certificate, key: SoftKey
) -> None:
    nonce = bank.confirm.challenge(certificate.serial)
    bank.revoked(certificate)
    with pytest.raises(InvalidTransition):
        bank.confirm(certificate.serial, nonce, prove(key, nonce, certificate))
    assert bank.status(certificate.serial) is CertificateStatus.REVOKED


def test_what_another_origin_had_signed_confirms_nothing(
    bank: Bank, certificate: Certificate, key: SoftKey
) -> None:  # T-44: a page that passes our challenge on to somebody's U-Shield gains nothing
    nonce = bank.confirm.challenge(certificate.serial)
    refused(bank, certificate, nonce, prove(key, nonce, certificate, origin="https://evil.example"))


def test_a_proof_without_our_origin_confirms_nothing(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    nonce = bank.confirm.challenge(certificate.serial)
    refused(bank, certificate, nonce, key.sign(b"vermilion confirm v1\x00" + nonce + sha256(certificate.der).digest()))


def test_the_proof_covers_origin_nonce_and_certificate() -> None:
    parts = product(("https://a", "https://b"), (bytes(32), b"\x01" * 32), (b"one", b"other"))
    assert len({proof_message(*each) for each in parts}) == 8


def test_a_crl_that_shows_it_on_hold_is_made_anew(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    bank.publish_crl(ISSUING)
    assert not bank.stored.crl_due[ISSUING]
    bank.confirmed(certificate, key)
    assert bank.stored.crl_due[ISSUING]


def test_a_crl_that_never_showed_it_can_stay(bank: Bank) -> None:
    bank.publish_crl(ISSUING)
    bank.clock.tick()
    bank.active()
    assert not bank.stored.crl_due[ISSUING]


def test_confirmed_while_a_crl_is_signed_makes_the_next_one_due(bank: Bank, key: SoftKey) -> None:
    bank.publish_crl(ISSUING)
    bank.clock.tick()
    certificate = bank.issued(key=key)
    bank.clock.tick()
    honest = bank.key_store.sign
    # Who confirms would publish too, and has to wait for who publishes now.
    bank.confirm = replace(bank.confirm, publish_changes=lambda _issuer: None)

    def sign(key_id: KeyId, message: Message) -> bytes:
        bank.key_store.sign = honest  # type: ignore[method-assign]  # once
        bank.clock.tick()
        bank.confirmed(certificate, key)
        return honest(key_id, message)

    bank.key_store.sign = sign  # type: ignore[method-assign]

    bank.publish_crl(ISSUING)

    published = x509.load_der_x509_crl(bank.publisher.crls[ISSUING])
    assert published.get_revoked_certificate_by_serial_number(certificate.serial) is not None
    assert bank.publish_crl.is_due(ISSUING)


def test_confirmed_while_the_first_crl_is_signed_makes_another_due(
    bank: Bank, certificate: Certificate, key: SoftKey
) -> None:
    with bank.unit_of_work() as work:
        work.crls.take_number(ISSUING, 0)
        work.commit()
    bank.confirmed(certificate, key)
    assert bank.stored.crl_due[ISSUING]


def test_a_failed_record_leaves_it_unconfirmed(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    nonce = bank.confirm.challenge(certificate.serial)
    bank.unit_of_work.refuse_commit(2)
    with pytest.raises(NotReady):
        bank.confirm(certificate.serial, nonce, prove(key, nonce, certificate))
    assert bank.status(certificate.serial) is CertificateStatus.UNCONFIRMED
    assert "certificate.confirmed" not in bank.event_names


# Predecessors


def test_the_predecessor_is_retired_only_when_the_successor_is_confirmed(bank: Bank, key: SoftKey) -> None:
    old = bank.active()

    new = renewed(bank, old, key)
    assert bank.status(old.serial) is CertificateStatus.ACTIVE

    bank.confirmed(new, key)
    assert bank.certificate(old.serial).revocation == Revocation(RevocationReason.SUPERSEDED, bank.clock.now())
    assert bank.event_names[-2:] == ["certificate.confirmed", "certificate.revoked"]
    assert bank.unit_of_work.events[-1].details["reason"] == "superseded"
    assert bank.stored.crl_due[ISSUING]


def test_a_wrong_proof_retires_nothing(bank: Bank, key: SoftKey) -> None:
    old = bank.active()
    new = renewed(bank, old, key)
    nonce = bank.confirm.challenge(new.serial)
    refused(bank, new, nonce, prove(new_key(), nonce, new))
    assert bank.status(old.serial) is CertificateStatus.ACTIVE


@pytest.mark.parametrize("by_old", [None, b"", "another key"])
def test_a_renewal_without_the_old_keys_word_is_not_confirmed(bank: Bank, key: SoftKey, by_old: object) -> None:
    # The web tier was taken over: it says that TLS saw the old certificate, and has only that certificate.
    old = bank.active()
    new = renewed(bank, old, key)
    nonce = bank.confirm.challenge(new.serial)
    word = prove(new_key(), nonce, new) if by_old == "another key" else by_old
    with pytest.raises(InvalidRequest, match="the key of the certificate it follows"):
        bank.confirm(new.serial, nonce, prove(key, nonce, new), predecessor_signature=word)
    assert bank.status(new.serial) is CertificateStatus.UNCONFIRMED
    assert bank.status(old.serial) is CertificateStatus.ACTIVE


def test_a_predecessor_that_has_expired_meanwhile_is_no_hindrance(bank: Bank, key: SoftKey) -> None:
    old = bank.active()
    new = renewed(bank, old, key)
    bank.clock.set(old.not_after + timedelta(seconds=1))
    assert bank.confirmed(new, key).status is CertificateStatus.ACTIVE


@pytest.mark.parametrize("spoil", ["hold", "revoke"])
def test_what_was_renewed_with_a_stolen_certificate_is_not_confirmed(bank: Bank, key: SoftKey, spoil: str) -> None:
    # The thief renews, the customer reports the theft, the thief confirms.
    old = bank.active()
    new = renewed(bank, old, key)
    if spoil == "hold":
        bank.change_status.hold(bank.session(HOTLINE), old.serial)
    else:
        bank.revoked(old, RevocationReason.CESSATION_OF_OPERATION)

    with pytest.raises(InvalidTransition, match="it follows"):
        bank.confirmed(new, key)

    assert bank.status(new.serial) is CertificateStatus.UNCONFIRMED


def test_a_compromise_takes_the_renewal_that_waits_with_it(bank: Bank, key: SoftKey) -> None:
    old = bank.active()
    new = renewed(bank, old, key)
    bank.revoked(old, RevocationReason.KEY_COMPROMISE)

    with pytest.raises(InvalidTransition, match="revoked"):
        bank.confirmed(new, key)

    assert bank.certificate(new.serial).revocation == Revocation(RevocationReason.KEY_COMPROMISE, new.issued_at)


def test_once_the_hold_is_lifted_the_renewal_goes_on(bank: Bank, key: SoftKey) -> None:
    old = bank.active()
    new = renewed(bank, old, key)
    bank.change_status.hold(bank.session(HOTLINE), old.serial)
    bank.change_status.release(bank.session(SUPERVISOR), old.serial)
    assert bank.confirmed(new, key).status is CertificateStatus.ACTIVE


def test_of_two_renewals_one_is_confirmed(bank: Bank, key: SoftKey) -> None:
    old, other_key = bank.active(), new_key()
    first, second = renewed(bank, old, key), renewed(bank, old, other_key)
    bank.confirmed(second, other_key)
    with pytest.raises(InvalidTransition, match="it follows"):
        bank.confirmed(first, key)
    assert [c.serial for c in bank.customer_certificates if c.status is CertificateStatus.ACTIVE] == [second.serial]


def test_a_successor_of_nothing_we_know_is_not_confirmed(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    bank.stored.certificates[certificate.serial] = replace(certificate, predecessor=0xDEAD)
    with pytest.raises(NotFound):
        bank.confirmed(certificate, key)


def test_crl_records_of_others_do_not_matter(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    bank.stored.crls.append(a_crl(scope=CRLScope("root"), number=9, this_update=bank.clock.now()))
    bank.confirmed(certificate, key)
    assert not bank.stored.crl_due.get(ISSUING)


def test_confirming_asks_the_hsm_for_nothing(bank: Bank, certificate: Certificate, key: SoftKey) -> None:
    before = len(bank.key_store.signed)
    bank.confirmed(certificate, key)
    assert len(bank.key_store.signed) == before
