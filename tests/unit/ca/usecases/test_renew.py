"""ca/usecases/renew.py: being known is not being entitled (RFC 7030 section 4.2.2; THREATS 2 and 27; E06)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ca.domain import der
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    KeyStoreUnavailable,
    NotAuthenticated,
    PKIError,
    ProfileViolation,
    SigningRefused,
)
from ca.domain.revocation import RevocationReason
from ca.domain.tbs import read_certificate
from tests.drafts import SoftKey, a_request
from tests.fakes.bank import HOTLINE, PAVEL, Bank, new_key, request_like
from tests.fakes.ceremony import ISSUING

DAY = timedelta(days=1)


@pytest.fixture
def key() -> SoftKey:
    return new_key()


@pytest.fixture
def current(bank: Bank) -> Certificate:
    """A certificate in use, thirty days before its end."""
    certificate = bank.active()
    bank.clock.set(certificate.not_after - 30 * DAY)
    return certificate


def renew(bank: Bank, current: Certificate, key: SoftKey) -> Certificate:
    return bank.re_enrol(current.der, request_like(current.der, key))


def refused(bank: Bank, current: Certificate, kind: type[PKIError], why: str) -> None:
    signed = len(bank.signatures)
    with pytest.raises(kind, match=why):
        renew(bank, current, new_key())
    assert len(bank.signatures) == signed


def test_the_names_stay_and_the_key_is_new(bank: Bank, current: Certificate, key: SoftKey) -> None:
    new = renew(bank, current, key)

    before, after = read_certificate(current.der), read_certificate(new.der)
    assert after.subject_der == before.subject_der
    assert after.spki_der == key.public.spki_der
    assert (new.predecessor, new.status) == (current.serial, CertificateStatus.UNCONFIRMED)
    assert (new.application, new.customer, new.branch) == (current.application, current.customer, current.branch)
    assert bank.event_names[-2:] == ["certificate.intended", "certificate.issued"]


def test_the_same_request_again_gets_the_same_certificate(bank: Bank, current: Certificate, key: SoftKey) -> None:
    request = request_like(current.der, key)
    first, signed = bank.re_enrol(current.der, request), len(bank.signatures)
    assert bank.re_enrol(current.der, request) == first
    assert len(bank.signatures) == signed


def test_a_profile_without_confirmation_renews_at_once(bank: Bank, key: SoftKey) -> None:
    machine = bank.active(profile="machine")
    assert renew(bank, machine, key).status is CertificateStatus.ACTIVE


def test_a_certificate_has_one_live_successor(bank: Bank, key: SoftKey) -> None:
    machine = bank.active(profile="machine")
    request = request_like(machine.der, key)
    successor = bank.re_enrol(machine.der, request)

    refused(bank, machine, InvalidTransition, f"renewed already, by {successor.serial:x}")

    assert bank.re_enrol(machine.der, request) == successor
    bank.revoked(successor, RevocationReason.SUPERSEDED)
    assert renew(bank, machine, new_key()).status is CertificateStatus.ACTIVE


def test_a_successor_that_is_not_signed_yet_is_the_one(bank: Bank, key: SoftKey) -> None:
    machine = bank.active(profile="machine")
    bank.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        renew(bank, machine, key)
    bank.key_store.away = False

    refused(bank, machine, InvalidTransition, "renewed already")


def test_an_expired_successor_stands_in_nobodys_way(bank: Bank, key: SoftKey) -> None:
    machine = bank.active(profile="machine")
    successor = renew(bank, machine, key)
    bank.stored.certificates[successor.serial] = replace(successor, not_after=bank.clock.now() - DAY)
    assert renew(bank, machine, new_key()).status is CertificateStatus.ACTIVE


# The certificate it is asked with


def test_before_the_window_it_is_too_early(bank: Bank, current: Certificate) -> None:
    bank.clock.set(current.not_after - timedelta(days=90, seconds=1))
    refused(bank, current, ProfileViolation, "renewal opens on")


def test_the_window_opens_to_the_second(bank: Bank, current: Certificate, key: SoftKey) -> None:
    bank.clock.set(current.not_after - timedelta(days=90))
    assert renew(bank, current, key).predecessor == current.serial


def test_the_last_second_is_not_too_late(bank: Bank, current: Certificate, key: SoftKey) -> None:
    bank.clock.set(current.not_after)
    assert renew(bank, current, key).predecessor == current.serial


def test_an_expired_certificate_is_renewed_for_some_days_and_then_says_what_to_bring(
    bank: Bank, current: Certificate, key: SoftKey
) -> None:
    closes = current.not_after + bank.profiles[current.profile].renewal_closes_after
    bank.clock.set(closes + timedelta(seconds=1))
    refused(bank, current, NotAuthenticated, "bring your identity document and your U-Shield to your branch")
    bank.clock.set(closes)
    assert renew(bank, current, key).predecessor == current.serial


def test_a_profile_without_days_of_grace_renews_nothing_that_has_ended(bank: Bank, current: Certificate) -> None:
    bank.amend("personal-signing", renewal_closes_after=timedelta(0))
    bank.clock.set(current.not_after + timedelta(seconds=1))
    refused(bank, current, NotAuthenticated, "ended on")


def test_a_revoked_certificate_renews_nothing(bank: Bank, current: Certificate) -> None:
    bank.revoked(current)
    refused(bank, current, NotAuthenticated, "does not hold")


def test_a_held_certificate_renews_nothing(bank: Bank, current: Certificate) -> None:
    bank.change_status.hold(bank.session(HOTLINE), current.serial)
    refused(bank, current, NotAuthenticated, "does not hold")


def test_an_unconfirmed_certificate_renews_nothing(bank: Bank) -> None:
    refused(bank, bank.issued(), NotAuthenticated, "does not hold")


def test_another_customers_certificate_renews_only_its_own(bank: Bank, current: Certificate) -> None:
    other = bank.active()
    bank.clock.set(other.not_after - 30 * DAY)
    with pytest.raises(InvalidRequest, match="subject must be"):
        bank.re_enrol(other.der, request_like(current.der, new_key()))


@pytest.mark.parametrize("what", ["issuing-ca", "ocsp-responder"])
def test_the_cas_own_certificates_are_not_renewed_here(bank: Bank, what: str) -> None:
    bank.responder(ISSUING)
    (own,) = [each for each in bank.stored.certificates.values() if each.profile == what]
    refused(bank, own, NotAuthenticated, "not one of ours")


@pytest.mark.parametrize("blob", [b"", b"junk", b"\x30\x00"], ids=str)
def test_what_is_no_certificate_renews_nothing(bank: Bank, blob: bytes) -> None:
    with pytest.raises(NotAuthenticated, match="not one of ours"):
        bank.re_enrol(blob, a_request())


def test_a_certificate_of_ours_that_we_do_not_know_raises_an_alarm(bank: Bank, current: Certificate) -> None:
    del bank.stored.certificates[current.serial]
    refused(bank, current, NotAuthenticated, "not one of ours")
    assert bank.event_names[-1] == "certificate.unknown-seen"


def self_made(serial: int, subject_der: bytes) -> bytes:
    """A certificate that nobody but its holder signed, with a serial and a subject of ours."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "placeholder")])
    start = read_certificate(Bank().stored.issuers[ISSUING].certificate_der).not_before
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), serial, start, start + 3000 * DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .sign(key, SHA256())
        .public_bytes(Encoding.DER)
    )
    tbs, algorithm, signature = der.parse(made).children()
    fields = [part.der for part in tbs.children()]
    fields[5] = subject_der
    return der.sequence(der.sequence(*fields), algorithm.der, signature.der)


def test_a_certificate_of_our_serial_but_another_content_renews_nothing(bank: Bank, current: Certificate) -> None:
    forged = self_made(current.serial, read_certificate(current.der).subject_der)
    with pytest.raises(NotAuthenticated, match="not one of ours"):
        bank.re_enrol(forged, request_like(current.der, new_key()))


def test_a_certificate_that_somebody_put_into_the_records_renews_nothing(bank: Bank, current: Certificate) -> None:
    # Mallory can write to the database: their own certificate beside the victim's approved application.
    forged = self_made(0xBAD, read_certificate(current.der).subject_der)
    bank.stored.certificates[0xBAD] = replace(current, serial=0xBAD, der=forged)
    signed = len(bank.signatures)

    with pytest.raises(NotAuthenticated, match="not one of ours"):
        bank.re_enrol(forged, request_like(current.der, new_key()))

    assert len(bank.signatures) == signed


def test_a_certificate_moved_to_another_application_renews_nothing(bank: Bank, current: Certificate) -> None:
    # Mallory is a customer too and can write to the database: their certificate names the victim's application.
    mallory = bank.active()
    bank.clock.set(mallory.not_after - 30 * DAY)
    bank.stored.certificates[mallory.serial] = replace(mallory, application=current.application)
    refused(bank, bank.certificate(mallory.serial), SigningRefused, "another application")


# The approval behind it


def test_a_renewal_outlives_its_approver(bank: Bank, current: Certificate) -> None:
    bank.suspend(PAVEL)
    assert bank.re_enrol(current.der, request_like(current.der, new_key())).predecessor == current.serial


def test_the_approval_is_checked_again(bank: Bank, current: Certificate) -> None:
    bank.stored.evidence.clear()
    refused(bank, current, SigningRefused, "no valid approval")


def test_an_edited_case_renews_nothing(bank: Bank, current: Certificate) -> None:
    bank.rewrite_case(current.application, customer_name="Mallory")
    refused(bank, current, SigningRefused, "edited")


def test_a_profile_that_closed_renewal_renews_nothing(bank: Bank, current: Certificate) -> None:
    bank.amend("personal-signing", renewal_opens_before=None)
    refused(bank, current, ProfileViolation, "not renewed")


def test_a_profile_that_is_gone_renews_nothing(bank: Bank, current: Certificate) -> None:
    del bank.profile_files["personal-signing"]
    refused(bank, current, ProfileViolation, "not renewed")


def test_a_profile_changed_since_renews_nothing(bank: Bank, current: Certificate) -> None:
    bank.amend("personal-signing", validity=timedelta(days=700))
    refused(bank, current, SigningRefused, "profile was changed")


# The key


def test_the_old_key_is_not_certified_again(bank: Bank, key: SoftKey) -> None:
    current = bank.active(key=key)
    bank.clock.set(current.not_after - 30 * DAY)
    with pytest.raises(ProfileViolation, match="certified before"):
        renew(bank, current, key)


def test_the_old_key_may_stay_where_the_profile_says_so(bank: Bank, key: SoftKey) -> None:
    bank.amend("personal-signing", same_key_on_renewal=True)
    current = bank.active(key=key)
    bank.clock.set(current.not_after - 30 * DAY)
    assert renew(bank, current, key).public_key == current.public_key


def test_another_customers_key_is_refused_even_where_keys_may_stay(bank: Bank, key: SoftKey) -> None:
    bank.amend("personal-signing", same_key_on_renewal=True)
    bank.active(key=key)
    current = bank.active()
    bank.clock.set(current.not_after - 30 * DAY)
    with pytest.raises(ProfileViolation, match="certified before"):
        renew(bank, current, key)


def test_a_key_shared_by_two_customers_in_the_records_is_not_renewed(bank: Bank, key: SoftKey) -> None:
    bank.amend("personal-signing", same_key_on_renewal=True)
    current, other = bank.active(key=key), bank.active()
    bank.stored.certificates[other.serial] = replace(other, public_key=key.public.fingerprint)
    bank.clock.set(current.not_after - 30 * DAY)
    with pytest.raises(ProfileViolation, match="certified before"):
        renew(bank, current, key)


# The names it asks for (E06)


def asked(
    current: Certificate, key: SoftKey, *extensions: x509.ExtensionType, subject: x509.Name | None = None
) -> bytes:
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    name = subject or x509.load_der_x509_certificate(current.der).subject
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key.private, SHA256()).public_bytes(Encoding.DER)


def dns(*hosts: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])


def test_another_subject_is_refused(bank: Bank, current: Certificate, key: SoftKey) -> None:
    mallory = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mallory")])
    with pytest.raises(InvalidRequest, match="subject must be"):
        bank.re_enrol(current.der, asked(current, key, subject=mallory))


def test_an_empty_subject_is_another_one(bank: Bank, current: Certificate) -> None:
    with pytest.raises(InvalidRequest, match="subject must be"):
        bank.re_enrol(current.der, a_request(new_key()))


def test_names_where_there_were_none_are_refused(bank: Bank, current: Certificate, key: SoftKey) -> None:
    with pytest.raises(InvalidRequest, match="alternative names"):
        bank.re_enrol(current.der, asked(current, key, dns("bank.example")))


@pytest.mark.parametrize("hosts", [("host.example", "evil.example"), ("evil.example",)], ids=["more", "others"])
def test_other_host_names_are_refused(bank: Bank, key: SoftKey, hosts: tuple[str, ...]) -> None:
    machine = bank.active(profile="machine")
    with pytest.raises(InvalidRequest, match="alternative names"):
        bank.re_enrol(machine.der, asked(machine, key, dns(*hosts)))


def test_the_same_host_names_are_welcome(bank: Bank, key: SoftKey) -> None:
    machine = bank.active(profile="machine")
    assert bank.re_enrol(machine.der, asked(machine, key, dns("host.example"))).predecessor == machine.serial


def with_attributes(current: Certificate, key: SoftKey, extensions: bytes) -> bytes:
    """A request whose extensionRequest holds these bytes."""
    attribute = der.sequence(der.oid("1.2.840.113549.1.9.14"), der.set_of(extensions))
    return a_request(key, attributes=der.tlv(0xA0, attribute), subject=read_certificate(current.der).subject_der)


_SAN = der.sequence(der.oid("2.5.29.17"), der.octet_string(der.sequence(der.tlv(0x82, b"host.example"))))
_ODD = {
    "twice": der.sequence(_SAN, _SAN),
    "junk inside": der.sequence(der.sequence(der.oid("2.5.29.17"), der.octet_string(b"junk"))),
    "unknown kind of name": der.sequence(
        der.sequence(der.oid("2.5.29.17"), der.octet_string(der.sequence(der.tlv(0xA3, der.sequence()))))
    ),
    "no extensions": der.integer(1),
}


@pytest.mark.parametrize("extensions", _ODD.values(), ids=_ODD)
def test_extensions_that_cannot_be_read_are_refused(bank: Bank, key: SoftKey, extensions: bytes) -> None:
    machine = bank.active(profile="machine")
    with pytest.raises(InvalidRequest):
        bank.re_enrol(machine.der, with_attributes(machine, key, extensions))


def test_a_broken_request_is_refused(bank: Bank, current: Certificate) -> None:
    with pytest.raises(InvalidRequest):
        bank.re_enrol(current.der, b"junk")
