"""ca/usecases/issuance.py and reconcile.py: record, sign, record (DESIGN invariant 1)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ca.domain.applications import ApplicationState
from ca.domain.certificates import Certificate, CertificateStatus, Intent
from ca.domain.codes import CodeState
from ca.domain.errors import (
    KeyStoreUnavailable,
    LintFailed,
    NotReady,
    SigningRefused,
    Tampered,
)
from ca.domain.keys import KeyAlgorithm
from ca.domain.tbs import split_certificate
from ca.ports import KeyId
from ca.usecases.issuance import Issuance
from tests.drafts import SoftKey, a_request, an_issuer
from tests.fakes.bank import ISSUING_KEY, Bank, Codes, new_key
from tests.fakes.ceremony import ISSUING
from tests.fakes.key_store import FakeKeyStore


def tbs_of(certificate: Certificate) -> bytes:
    return split_certificate(certificate.der)[0]


def test_what_was_recorded_and_linted_is_what_is_signed(bank: Bank) -> None:
    certificate = bank.issued()
    (intent,) = bank.stored.intents.values()
    assert bank.signatures == [intent.tbs_der] == [tbs_of(certificate)]
    assert split_certificate(bank.linter.seen[-1])[0] == intent.tbs_der
    assert intent.signed


def test_it_is_linted_whatever_key_the_issuer_has(bank: Bank) -> None:
    # The independent linter wants a whole certificate, with a signature of the right shape.
    rsa_key = SoftKey(rsa.generate_private_key(65537, 2048))
    issuer = replace(an_issuer(rsa_key), key_id=ISSUING_KEY)
    bank.stored.issuers[ISSUING] = issuer
    bank.key_store._keys[ISSUING_KEY] = KeyAlgorithm.RSA_2048, rsa_key.private
    bank._wire(bank.unit_of_work)  # the issuer is read when the signer starts
    bank.issued()
    assert split_certificate(bank.linter.seen[-1])[2] == bytes(256)


def test_what_the_linter_finds_stops_it_before_anything_is_recorded(bank: Bank) -> None:
    codes = bank.codes()
    bank.linter.findings = ["a rule is broken"]
    with pytest.raises(LintFailed, match="a rule is broken"):
        bank.download(codes, a_request())
    assert (bank.stored.intents, bank.signatures) == ({}, [])
    assert bank.pair(codes).state is CodeState.OPEN


def test_nothing_is_signed_when_the_intent_cannot_be_recorded(bank: Bank) -> None:
    codes, request = bank.codes(), a_request()
    bank.unit_of_work.refuse_commit()
    with pytest.raises(NotReady):
        bank.download(codes, request)
    assert (bank.stored.intents, bank.signatures) == ({}, [])
    bank.download(codes, request)


def crash_in_the_hsm(bank: Bank, codes: Codes, request: bytes) -> None:
    bank.key_store.signatures_left = 0
    with pytest.raises(KeyStoreUnavailable):
        bank.download(codes, request)
    bank.key_store.signatures_left = None


def crash_at_the_second_record(bank: Bank, codes: Codes, request: bytes) -> None:
    bank.unit_of_work.refuse_commit(2)
    with pytest.raises(NotReady):
        bank.download(codes, request)


CRASHES = [crash_in_the_hsm, crash_at_the_second_record]


@pytest.mark.parametrize("crash", CRASHES)
def test_reconcile_finishes_with_exactly_the_recorded_bytes(bank: Bank, crash) -> None:  # type: ignore[no-untyped-def]  # a table
    codes, request = bank.codes(), a_request()
    crash(bank, codes, request)
    assert bank.customer_certificates == []
    (intent,) = bank.stored.intents.values()

    finished = bank.reconcile()

    assert finished == [intent.serial]
    assert tbs_of(bank.certificate(intent.serial)) == intent.tbs_der
    assert set(bank.signatures) == {intent.tbs_der}
    assert bank.reconcile() == []
    assert bank.download(codes, request) == bank.certificate(intent.serial)


@pytest.mark.parametrize("crash", CRASHES)
def test_the_customer_who_tries_again_finishes_it(bank: Bank, crash) -> None:  # type: ignore[no-untyped-def]  # a table
    codes, request = bank.codes(), a_request()
    crash(bank, codes, request)
    (intent,) = bank.stored.intents.values()
    certificate = bank.download(codes, request)
    assert (certificate.serial, tbs_of(certificate)) == (intent.serial, intent.tbs_der)
    assert set(bank.signatures) == {intent.tbs_der}


def test_an_intent_outlives_its_profile(bank: Bank) -> None:
    codes, request = bank.codes(profile="machine"), a_request()
    crash_in_the_hsm(bank, codes, request)
    del bank.profile_files["machine"]

    (serial,) = bank.reconcile()

    assert bank.status(serial) is CertificateStatus.ACTIVE
    assert bank.state(codes.application) is ApplicationState.COMPLETED
    assert len(bank.signatures) == len(bank.customer_certificates) == 1


def test_a_profile_changed_after_the_intent_does_not_lift_confirmation(bank: Bank) -> None:
    codes = bank.codes()
    crash_in_the_hsm(bank, codes, a_request())
    bank.amend("personal-signing", needs_confirmation=False, version=9)

    (serial,) = bank.reconcile()

    assert bank.status(serial) is CertificateStatus.UNCONFIRMED
    assert bank.state(codes.application) is ApplicationState.CLAIMED


def test_that_confirmation_is_needed_cannot_be_edited_away(bank: Bank) -> None:
    crash_in_the_hsm(bank, bank.codes(), a_request())
    (honest,) = bank.stored.intents.values()
    bank.stored.intents[honest.serial] = replace(honest, needs_confirmation=False)
    with pytest.raises(Tampered):
        bank.reconcile()
    assert bank.signatures == []


def test_what_is_under_way_is_left_to_finish(bank: Bank) -> None:
    crash_in_the_hsm(bank, bank.codes(), a_request())
    bank.clock.tick(timedelta(minutes=1))
    assert bank.reconcile(grace=timedelta(minutes=2)) == []
    bank.clock.tick(timedelta(minutes=1))
    assert len(bank.reconcile(grace=timedelta(minutes=2))) == 1


def test_while_the_hsm_is_away_reconcile_says_so(bank: Bank) -> None:
    crash_in_the_hsm(bank, bank.codes(), a_request())
    bank.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        bank.reconcile()


def forged_intent(bank: Bank, **changes: object) -> Intent:
    """What a stranger writes beside an honest intent."""
    crash_in_the_hsm(bank, bank.codes(), a_request(new_key()))
    (honest,) = bank.stored.intents.values()
    forged = replace(honest, serial=0xBAD, **changes)  # type: ignore[arg-type]  # any field
    bank.stored.intents = {0xBAD: forged} | bank.stored.intents
    return forged


@pytest.mark.parametrize("changes", [{}, {"seal": b""}, {"issuer": "nobody"}, {"application": "another"}], ids=str)
def test_an_intent_a_stranger_wrote_is_never_signed_and_stops_no_other(bank: Bank, changes: dict[str, object]) -> None:
    forged = forged_intent(bank, **changes)

    with pytest.raises(Tampered, match="bad"):
        bank.reconcile()

    (certificate,) = bank.customer_certificates
    assert certificate.serial != forged.serial
    assert len(bank.signatures) == 1


def test_an_intent_that_was_edited_is_never_signed(bank: Bank) -> None:
    codes, request = bank.codes(), a_request()
    crash_in_the_hsm(bank, codes, request)
    (honest,) = bank.stored.intents.values()
    bank.stored.intents[honest.serial] = replace(
        honest, tbs_der=honest.tbs_der.replace("张伟".encode(), "马云".encode())
    )
    with pytest.raises(Tampered):
        bank.download(codes, request)
    assert bank.signatures == []


def test_a_wrong_key_in_the_hsm_is_found_out_before_anything_leaves(bank: Bank) -> None:
    codes = bank.codes()
    bank.key_store._keys[ISSUING_KEY] = KeyAlgorithm.EC_P256, ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(SigningRefused):
        bank.download(codes, a_request())
    assert bank.customer_certificates == []


def test_when_another_node_was_faster_its_certificate_is_the_one(bank: Bank) -> None:
    codes, request = bank.codes(), a_request()
    crash_in_the_hsm(bank, codes, request)
    (intent,) = bank.stored.intents.values()
    issuer = bank.stored.issuers[ISSUING]
    other_node = Issuance(bank.unit_of_work, bank.clock, bank.key_store, bank.seals, bank.linter)

    class SlowKeyStore(FakeKeyStore):
        def sign(self, key: KeyId, message: bytes) -> bytes:
            other_node.finish(intent, issuer, "other node")
            return bank.key_store.sign(key, message)

    slow = Issuance(bank.unit_of_work, bank.clock, SlowKeyStore(), bank.seals, bank.linter)
    certificate = slow.finish(intent, issuer, "this node")
    assert bank.customer_certificates == [certificate]
    assert [e.actor for e in bank.unit_of_work.events if e.name == "certificate.issued"] == ["other node"]


def test_no_event_means_no_certificate(bank: Bank) -> None:
    crash_at_the_second_record(bank, bank.codes(), a_request())
    assert bank.customer_certificates == []
    assert bank.event_names[-1] == "certificate.intended"
