"""ca/domain/crl.py, judged by cryptography's parser; and what may leave a list."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from ca.domain import der
from ca.domain.algorithms import SIGNATURE_OF
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl import (
    CRLFrame,
    Listing,
    crl_entry,
    is_final,
    is_removal,
    removal_entry,
    says_key_compromise,
    signed_around,
)
from ca.domain.revocation import RevocationReason
from tests.fakes.clock import NOON
from tests.fakes.status_world import DAY, StatusWorld


@pytest.fixture
def world() -> StatusWorld:
    return StatusWorld()


STAND_IN = der.sequence(der.integer(1), der.integer(1))


def crl_of(world: StatusWorld, *entries: bytes, this_update: datetime = NOON, **more: Any) -> bytes:
    """A CRL with a signature that is none."""
    frame = CRLFrame(world.issuing, 7, this_update, this_update + DAY, **more)
    tbs = frame.drafted(b"".join(entries))
    before, after = signed_around(len(tbs), SIGNATURE_OF[world.issuing.algorithm], STAND_IN)
    return before + tbs + after


def entry_of(certificate: Certificate) -> bytes:
    entry = crl_entry(certificate)
    assert entry is not None
    return entry


def test_the_head_is_version_2_with_the_issuers_own_name(world: StatusWorld) -> None:
    crl = x509.load_der_x509_crl(crl_of(world))
    certificate = x509.load_der_x509_certificate(world.issuing.certificate_der)
    assert crl.issuer.public_bytes() == certificate.subject.public_bytes()
    assert der.parse(crl.tbs_certlist_bytes).children()[0].der == der.integer(1)
    assert (crl.last_update_utc, crl.next_update_utc) == (NOON, NOON + DAY)


def test_extensions_are_key_identifier_and_number_and_nothing_else(world: StatusWorld) -> None:
    extensions = list(x509.load_der_x509_crl(crl_of(world)).extensions)
    certificate = x509.load_der_x509_certificate(world.issuing.certificate_der)
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert [each.value for each in extensions] == [
        x509.AuthorityKeyIdentifier(identifier, None, None),
        x509.CRLNumber(7),
    ]
    assert not any(each.critical for each in extensions)


def test_an_empty_list_is_absent(world: StatusWorld) -> None:
    crl = crl_of(world)
    assert len(list(x509.load_der_x509_crl(crl))) == 0
    assert der.explicit(0, b"")[:1] == der.parse(crl).children()[0].children()[5].der[:1]


def test_an_entry_has_serial_time_and_reason(world: StatusWorld) -> None:
    world.issue(0xA1)
    (entry,) = x509.load_der_x509_crl(crl_of(world, entry_of(world.revoke(0xA1))))
    assert (entry.serial_number, entry.revocation_date_utc) == (0xA1, NOON)
    assert [each.value for each in entry.extensions] == [x509.CRLReason(x509.ReasonFlags.key_compromise)]
    assert not any(each.critical for each in entry.extensions)


def test_unspecified_is_said_by_saying_nothing(world: StatusWorld) -> None:
    world.issue(0xA1)
    (entry,) = x509.load_der_x509_crl(crl_of(world, entry_of(world.revoke(0xA1, RevocationReason.UNSPECIFIED))))
    assert len(entry.extensions) == 0


@pytest.mark.parametrize("reason", [each for each in RevocationReason if each is not RevocationReason.CERTIFICATE_HOLD])
def test_an_invalidity_date_stands_in_the_entry_and_leaves_it_final(
    world: StatusWorld, reason: RevocationReason
) -> None:
    world.issue(0xA1)
    since = world.clock.tick(timedelta(hours=1))
    world.clock.tick(timedelta(hours=1))
    entry = entry_of(world.revoke(0xA1, reason, invalid_since=since))
    (read,) = x509.load_der_x509_crl(crl_of(world, entry))
    extension = read.extensions.get_extension_for_class(x509.InvalidityDate)
    assert (extension.value.invalidity_date_utc, extension.critical) == (since, False)
    assert (is_final(entry), says_key_compromise(entry)) == (True, reason is RevocationReason.KEY_COMPROMISE)


def test_an_unconfirmed_certificate_is_on_hold(world: StatusWorld) -> None:
    unconfirmed = world.issue(0xA1, CertificateStatus.UNCONFIRMED)
    (entry,) = x509.load_der_x509_crl(crl_of(world, entry_of(unconfirmed)))
    assert [each.value for each in entry.extensions] == [x509.CRLReason(x509.ReasonFlags.certificate_hold)]


def test_a_certificate_that_holds_has_no_entry(world: StatusWorld) -> None:
    assert crl_entry(world.issue(0xA1)) is None


def test_only_a_hold_is_not_final(world: StatusWorld) -> None:
    for reason in RevocationReason:
        if reason is not RevocationReason.CERTIFICATE_HOLD:
            world.issue(0x100 + reason)
            assert is_final(entry_of(world.revoke(0x100 + reason, reason)))
    world.issue(0xB2)
    assert not is_final(entry_of(world.suspend(0xB2)))


def test_the_lifting_of_a_hold_is_an_entry_of_deltas(world: StatusWorld) -> None:
    entry = removal_entry(0xA1, NOON)
    (read,) = x509.load_der_x509_crl(crl_of(world, entry, base=3))
    assert (read.serial_number, read.revocation_date_utc) == (0xA1, NOON)
    assert [each.value for each in read.extensions] == [x509.CRLReason(x509.ReasonFlags.remove_from_crl)]
    assert (is_removal(entry), is_final(entry)) == (True, False)


def test_a_signed_list_is_what_der_says_of_it(world: StatusWorld) -> None:
    tbs = CRLFrame(world.issuing, 7, NOON, NOON + DAY).drafted(b"")
    algorithm = SIGNATURE_OF[world.issuing.algorithm]
    before, after = signed_around(len(tbs), algorithm, STAND_IN)
    assert before + tbs + after == der.signed(tbs, algorithm, STAND_IN)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 65_535, 70_000])
def test_the_length_is_right_before_the_entries_are_there(world: StatusWorld, length: int) -> None:
    frame = CRLFrame(world.issuing, 7, NOON, NOON + DAY)
    before, after = frame.around(length)
    (tbs,) = der.elements(before + bytes(length) + after, "the list")
    assert len(tbs.der) == len(before) + length + len(after)


def test_a_place_in_crls_follows_the_entry() -> None:
    hold, final = b"hold", b"final"
    held = Listing().become(hold, 5)
    assert held == Listing(hold, 5, 5)
    assert held.become(hold, 9) is held
    assert held.become(final, 6) == Listing(final, 5, 6)
    released = held.become(None, 6)
    assert released == Listing(None, 5, 6)
    assert released.become(hold, 6) == Listing(hold, 5, 6)
    assert released.become(hold, 6).become(None, 6) == Listing(None, 5, 6)


def test_a_hold_that_no_crl_showed_leaves_no_trace() -> None:
    assert Listing().become(b"hold", 5).become(None, 5) == Listing()
