"""ca/usecases/enrol.py: one code, one certificate, and the profile decides (DESIGN invariants 3 and 4)."""

import threading
from dataclasses import replace
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ca.domain.applications import ApplicationState
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.codes import CodeState
from ca.domain.devices import DeviceState
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    KeyStoreUnavailable,
    NotAuthenticated,
    ProfileViolation,
)
from ca.domain.keys import KeyAlgorithm
from ca.domain.revocation import RevocationReason
from ca.domain.serials import serial_text
from tests.drafts import P384, SoftKey, a_request, an_issuer
from tests.fakes.bank import SUPERVISOR, Bank, new_key
from tests.fakes.ceremony import ISSUING


def test_two_codes_and_a_request_become_a_certificate(bank: Bank) -> None:
    codes, key = bank.codes(), new_key()

    certificate = bank.download(codes, a_request(key))

    parsed = x509.load_der_x509_certificate(certificate.der)
    issuer = x509.load_der_x509_certificate(bank.stored.issuers[ISSUING].certificate_der)
    parsed.verify_directly_issued_by(issuer)
    assert certificate == bank.certificate(parsed.serial_number)
    assert (certificate.status, certificate.public_key) == (CertificateStatus.UNCONFIRMED, key.public.fingerprint)
    assert bank.state(codes.application) is ApplicationState.CLAIMED
    assert bank.pair(codes).state is CodeState.CLAIMED
    assert bank.event_names[-2:] == ["certificate.intended", "certificate.issued"]
    assert {event.subject for event in bank.unit_of_work.events[-2:]} == {serial_text(certificate.serial)}


def test_a_profile_without_confirmation_is_complete_at_once(bank: Bank) -> None:
    codes = bank.codes(profile="machine")
    certificate = bank.download(codes, a_request())
    assert certificate.status is CertificateStatus.ACTIVE
    assert bank.state(codes.application) is ApplicationState.COMPLETED


def test_the_u_shield_is_in_use_once_the_certificate_is(bank: Bank) -> None:
    certificate = bank.active()
    (device,) = bank.stored.devices.values()
    assert (device.serial, device.state) == (certificate.device_serial, DeviceState.IN_USE)


def test_hints_tell_what_key_to_make_and_use_nothing_up(bank: Bank) -> None:
    codes = bank.codes()
    hints = bank.enrol.hints(codes.reference, codes.code)
    assert hints.profile.name == "personal-signing"
    assert hints.application.id == codes.application
    assert hints.token_serial == hints.application.case.device_serial
    assert bank.pair(codes).state is CodeState.OPEN


def test_hints_without_a_u_shield_name_none(bank: Bank) -> None:
    codes = bank.codes(profile="machine")
    assert bank.enrol.hints(codes.reference, codes.code).token_serial == ""


# One code, one certificate


def test_the_same_request_again_gets_the_same_certificate_and_no_second_signature(bank: Bank) -> None:
    codes, request = bank.codes(), a_request()
    first = bank.download(codes, request)
    again = [bank.download(codes, request) for _ in range(3)]
    assert again == [first] * 3
    assert len(bank.signatures) == 1


def test_the_same_request_finds_its_certificate_as_it_stands_now(bank: Bank) -> None:
    codes, key = bank.codes(), new_key()
    request = a_request(key)
    certificate = bank.download(codes, request)
    bank.confirmed(certificate, key)
    assert bank.download(codes, request).status is CertificateStatus.ACTIVE


def test_another_request_is_refused_for_used_codes(bank: Bank) -> None:
    codes = bank.codes()
    bank.download(codes, a_request(new_key()))
    with pytest.raises(InvalidTransition, match="used already"):
        bank.download(codes, a_request(new_key()))
    assert len(bank.signatures) == 1


def test_another_request_for_the_same_key_is_refused_too(bank: Bank) -> None:
    codes, key = bank.codes(), new_key()
    bank.download(codes, a_request(key))
    with pytest.raises(InvalidTransition, match="used already"):
        bank.download(codes, a_request(key))


def test_used_codes_that_name_another_request_in_the_database_are_refused(bank: Bank) -> None:
    codes, request = bank.codes(), a_request()
    bank.download(codes, request)
    bank.stored.codes[codes.reference] = replace(bank.pair(codes), request="0" * 64)
    with pytest.raises(InvalidTransition, match="used already"):
        bank.download(codes, request)


def test_codes_made_new_in_the_database_issue_no_second_certificate(bank: Bank) -> None:
    codes = bank.codes()
    bank.download(codes, a_request(new_key()))
    bank.stored.codes[codes.reference] = replace(bank.pair(codes), state=CodeState.OPEN, request="")
    bank.rewrite_state(codes.application, ApplicationState.CODES_ISSUED)

    with pytest.raises(InvalidTransition, match="used already"):
        bank.download(codes, a_request(new_key()))

    assert len(bank.signatures) == 1


def test_two_threads_at_once_make_one_certificate_and_one_signature(bank: Bank) -> None:
    codes, request = bank.codes(), a_request()
    start = threading.Barrier(4)
    got: list[Certificate] = []

    def download() -> None:
        start.wait()
        got.append(bank.download(codes, request))

    threads = [threading.Thread(target=download) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 4
    assert len(set(got)) == 1
    assert len(bank.signatures) == 1


def test_two_threads_with_two_keys_make_one_certificate(bank: Bank) -> None:
    codes = bank.codes()
    start = threading.Barrier(2)
    got: list[str] = []

    def download() -> None:
        request = a_request(new_key())
        start.wait()
        try:
            bank.download(codes, request)
            got.append("issued")
        except InvalidTransition:
            got.append("refused")

    threads = [threading.Thread(target=download) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == ["issued", "refused"]
    assert len(bank.signatures) == 1


def test_codes_voided_between_check_and_claim_are_refused(bank: Bank) -> None:
    codes = bank.codes()
    honest = bank.check_codes

    class Slow(type(honest)):  # type: ignore[misc]  # a subclass of what the bank has
        def require(self, reference: str, code: str):  # type: ignore[no-untyped-def]  # as its base
            pair = honest.require(reference, code)
            bank.codes(codes.application, by=SUPERVISOR)
            return pair

    enrol = replace(bank.enrol, check_codes=Slow(bank.unit_of_work, bank.clock, bank.seals))
    with pytest.raises(NotAuthenticated):
        enrol(codes.reference, codes.code, a_request())
    assert bank.signatures == []


# The request


_WHOLE = a_request()
BROKEN = {
    "empty": b"", "junk": b"junk", "cut": _WHOLE[:-1], "bad proof": _WHOLE[:-1] + bytes([_WHOLE[-1] ^ 1]),
}  # fmt: skip


@pytest.mark.parametrize("request_der", BROKEN.values(), ids=BROKEN)
def test_a_broken_request_counts_an_attempt_and_leaves_the_codes(bank: Bank, request_der: bytes) -> None:
    codes = bank.codes()

    with pytest.raises(InvalidRequest):
        bank.download(codes, request_der)

    assert (bank.pair(codes).state, bank.pair(codes).attempts_left) == (CodeState.OPEN, 4)
    assert bank.event_names[-1] == "request.refused"
    bank.download(codes, a_request())


def test_five_broken_requests_lock(bank: Bank) -> None:
    codes = bank.codes()
    for _ in range(5):
        with pytest.raises(InvalidRequest):
            bank.download(codes, b"junk")
    assert bank.pair(codes).state is CodeState.LOCKED
    with pytest.raises(NotAuthenticated):
        bank.download(codes, a_request())


def test_a_request_signed_with_another_key_proves_nothing(bank: Bank) -> None:
    thief, victim = new_key(), new_key()
    forged = a_request(SoftKey(thief.private)).replace(thief.public.spki_der, victim.public.spki_der)
    with pytest.raises(InvalidRequest):
        bank.download(bank.codes(), forged)


def test_a_broken_request_for_codes_that_vanished_is_refused_all_the_same(bank: Bank) -> None:
    codes = bank.codes()
    pair = bank.pair(codes)
    del bank.stored.codes[codes.reference]
    with pytest.raises(InvalidRequest):
        bank.enrol._parse(pair, b"junk")
    assert bank.event_names[-1] == "request.refused"


def greedy_request(key: SoftKey) -> bytes:
    """It asks to be a CA, an OCSP responder and somebody else, for thirty years."""
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    everything = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=True,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    purposes = [ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]
    names = [
        x509.DNSName("*.bank.example"),
        x509.UniformResourceIdentifier("https://bank.example"),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x05admin"),
    ]
    lasting = x509.PrivateKeyUsagePeriod(datetime(2026, 1, 1), datetime(2056, 1, 1))  # noqa: DTZ001  naive by its API
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mallory")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(everything, critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(lasting, critical=False)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), critical=True)
        .sign(key.private, SHA256())
        .public_bytes(Encoding.DER)
    )


def test_of_a_greedy_request_only_the_key_is_taken(bank: Bank) -> None:
    greedy, modest = new_key(), new_key()

    asked_for_all = x509.load_der_x509_certificate(bank.download(bank.codes(), greedy_request(greedy)).der)
    asked_for_nothing = x509.load_der_x509_certificate(bank.download(bank.codes(), a_request(modest)).der)

    own = {x509.SubjectKeyIdentifier.oid}
    assert [e for e in asked_for_all.extensions if e.oid not in own] == [
        e for e in asked_for_nothing.extensions if e.oid not in own
    ]
    assert asked_for_all.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "张伟"
    assert asked_for_all.not_valid_after_utc == asked_for_nothing.not_valid_after_utc
    assert SoftKey(greedy.private).public.spki_der in asked_for_all.tbs_certificate_bytes


# Keys


def test_a_kind_of_key_the_profile_does_not_take_is_refused(bank: Bank) -> None:
    bank.amend("personal-signing", key_algorithms=frozenset({KeyAlgorithm.EC_P384}))
    codes = bank.codes()
    with pytest.raises(ProfileViolation, match="accepted are ec-p384"):
        bank.download(codes, a_request())
    bank.download(codes, a_request(P384))


def test_a_key_is_certified_once(bank: Bank) -> None:
    key = new_key()
    bank.issued(key=key)
    with pytest.raises(ProfileViolation, match="certified before"):
        bank.issued(key=key)


def test_a_key_about_to_be_certified_for_another_is_refused(bank: Bank) -> None:
    # The HSM was away when the first one claimed: nothing is signed yet, but it will be.
    key, first = new_key(), bank.codes()
    bank.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        bank.download(first, a_request(key))
    bank.key_store.away = False
    with pytest.raises(ProfileViolation, match="certified before"):
        bank.download(bank.codes(), a_request(key))


def test_a_compromised_key_is_refused_forever(bank: Bank) -> None:
    key = new_key()
    bank.revoked(bank.active(key=key), RevocationReason.KEY_COMPROMISE)
    assert bank.stored.blocked_keys[key.public.fingerprint].startswith("key compromise of")
    bank.stored.certificates.clear()
    with pytest.raises(ProfileViolation, match="blocked"):
        bank.issued(key=key)


def test_a_blocked_key_is_refused_before_it_was_ever_certified(bank: Bank) -> None:
    key = new_key()
    with bank.unit_of_work() as work:
        work.blocked_keys.add(key.public.fingerprint, "found on a public server", bank.clock.now())
        work.commit()
    with pytest.raises(ProfileViolation, match="blocked"):
        bank.issued(key=key)


def test_a_cas_own_key_is_refused(bank: Bank) -> None:
    # Nobody but an HSM can sign such a request; here the private key of another CA of ours has leaked.
    leaked = new_key()
    bank.stored.issuers["leaked"] = replace(an_issuer(leaked), name="leaked")
    with pytest.raises(ProfileViolation, match="certificate authority"):
        bank.issued(key=leaked)


def test_refused_keys_leave_the_codes_whole(bank: Bank) -> None:
    key, codes = new_key(), bank.codes()
    bank.issued(key=key)
    with pytest.raises(ProfileViolation):
        bank.download(codes, a_request(key))
    assert (bank.pair(codes).state, bank.pair(codes).attempts_left) == (CodeState.OPEN, 5)
    assert bank.state(codes.application) is ApplicationState.CODES_ISSUED
    bank.download(codes, a_request(new_key()))


# Serial numbers


def test_a_serial_that_is_taken_is_drawn_again(bank: Bank) -> None:
    taken = bank.issued().serial.to_bytes(17, "big")[1:]
    codes = bank.codes()
    bank.random.plan(taken, taken)
    assert bank.download(codes, a_request()).serial.to_bytes(17, "big")[1:] != taken


def test_three_serials_taken_in_a_row_stop_the_issuance(bank: Bank) -> None:
    taken = bank.issued().serial.to_bytes(17, "big")[1:]
    codes = bank.codes()
    bank.random.plan(taken, taken, taken)
    with pytest.raises(InvalidTransition, match="random source is broken"):
        bank.download(codes, a_request())
    assert len(bank.signatures) == 1
    assert bank.pair(codes).state is CodeState.OPEN


def test_the_serial_of_an_unfinished_issuance_is_taken_too(bank: Bank) -> None:
    first = bank.codes()
    bank.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        bank.download(first, a_request(new_key()))
    bank.key_store.away = False
    (intent,) = bank.stored.intents.values()
    codes = bank.codes()
    bank.random.plan(intent.serial.to_bytes(17, "big")[1:])
    with pytest.raises(InvalidTransition):
        bank.download(codes, a_request(new_key()))
    assert bank.signatures == []
