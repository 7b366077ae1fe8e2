"""ca/domain/crl.py, judged by cryptography's parser; and what may leave a list."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from ca.domain import der
from ca.domain.algorithms import SIGNATURE_OF
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl import ParsedCRL, crl_entry, draft_crl, gone, is_final, verify_nothing_lost
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.revocation import RevocationReason
from tests.fakes.clock import NOON
from tests.fakes.status_world import DAY, StatusWorld


@pytest.fixture
def world() -> StatusWorld:
    return StatusWorld()


def crl_of(world: StatusWorld, *entries: bytes, number: int = 7, this_update: datetime = NOON) -> bytes:
    """A CRL with a signature that is none."""
    tbs = draft_crl(
        issuer=world.issuing, number=number, this_update=this_update, next_update=this_update + DAY, entries=entries
    )
    return der.signed(tbs, SIGNATURE_OF[world.issuing.algorithm], der.sequence(der.integer(1), der.integer(1)))


def entries_of(*certificates: Certificate) -> dict[int, bytes]:
    return {each.serial: crl_entry(each) for each in certificates}


def parsed(world: StatusWorld, *certificates: Certificate, this_update: datetime = NOON) -> ParsedCRL:
    return ParsedCRL.parse(crl_of(world, *entries_of(*certificates).values(), this_update=this_update))


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
    (entry,) = x509.load_der_x509_crl(crl_of(world, crl_entry(world.revoke(0xA1))))
    assert (entry.serial_number, entry.revocation_date_utc) == (0xA1, NOON)
    assert [each.value for each in entry.extensions] == [x509.CRLReason(x509.ReasonFlags.key_compromise)]
    assert not any(each.critical for each in entry.extensions)


def test_unspecified_is_said_by_saying_nothing(world: StatusWorld) -> None:
    world.issue(0xA1)
    (entry,) = x509.load_der_x509_crl(crl_of(world, crl_entry(world.revoke(0xA1, RevocationReason.UNSPECIFIED))))
    assert len(entry.extensions) == 0


def test_an_unconfirmed_certificate_is_on_hold(world: StatusWorld) -> None:
    unconfirmed = world.issue(0xA1, CertificateStatus.UNCONFIRMED)
    (entry,) = x509.load_der_x509_crl(crl_of(world, crl_entry(unconfirmed)))
    assert [each.value for each in entry.extensions] == [x509.CRLReason(x509.ReasonFlags.certificate_hold)]


def test_a_certificate_that_holds_has_no_entry(world: StatusWorld) -> None:
    with pytest.raises(InvalidRequest, match="holds"):
        crl_entry(world.issue(0xA1))


def test_what_is_written_is_read_back(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.issue(0xB2)
    certificates = world.revoke(0xA1), world.suspend(0xB2)
    crl = parsed(world, *certificates)
    assert (crl.number, crl.this_update, crl.next_update) == (7, NOON, NOON + DAY)
    assert crl.entries() == entries_of(*certificates)
    assert der.parse(crl.tbs_der).der == crl.tbs_der
    assert parsed(world).entries() == {}


@pytest.mark.parametrize("year", [1999, 2049, 2050, 2060])
def test_times_are_read_back_in_either_form(world: StatusWorld, year: int) -> None:
    at = datetime(year, 6, 1, tzinfo=UTC)
    assert parsed(world, this_update=at).this_update == at


@pytest.mark.parametrize("blob", [b"", b"junk", der.sequence(), der.sequence(der.sequence(), der.null(), der.null())])
def test_what_is_no_crl_is_refused(blob: bytes) -> None:
    with pytest.raises(InvalidRequest):
        ParsedCRL.parse(blob)


def test_a_crl_without_number_is_not_ours(world: StatusWorld) -> None:
    outer = der.parse(crl_of(world)).children()
    fields = [each.der for each in outer[0].children()[:-1]]
    tbs = der.sequence(*fields, der.explicit(0, der.sequence()))
    with pytest.raises(InvalidRequest):
        ParsedCRL.parse(der.sequence(tbs, outer[1].der, outer[2].der))


def test_an_entry_without_serial_is_refused(world: StatusWorld) -> None:
    with pytest.raises(InvalidRequest, match="entry"):
        ParsedCRL.parse(crl_of(world, der.sequence())).entries()


def test_only_a_hold_is_not_final(world: StatusWorld) -> None:
    for reason in RevocationReason:
        if reason is not RevocationReason.CERTIFICATE_HOLD:
            world.issue(0x100 + reason)
            assert is_final(crl_entry(world.revoke(0x100 + reason, reason)))
    world.issue(0xB2)
    assert not is_final(crl_entry(world.suspend(0xB2)))


def verify(world: StatusWorld, before: ParsedCRL, *after: Certificate) -> None:
    entries = entries_of(*after)
    missing = {serial: world.unit_of_work.certificates.get(serial) for serial in gone(before.entries(), entries)}
    verify_nothing_lost(before, entries, missing)


def test_the_same_list_has_lost_nothing(world: StatusWorld) -> None:
    world.issue(0xA1)
    revoked = world.revoke(0xA1)
    verify(world, parsed(world, revoked), revoked)


def test_a_released_hold_and_a_confirmed_certificate_may_leave(world: StatusWorld) -> None:
    world.issue(0xA1)
    before = parsed(world, world.suspend(0xA1), world.issue(0xA2, CertificateStatus.UNCONFIRMED))
    world.resume(0xA1)
    world.confirm(0xA2)
    verify(world, before)


def test_a_hold_may_become_final(world: StatusWorld) -> None:
    world.issue(0xA1)
    before = parsed(world, world.suspend(0xA1))
    verify(world, before, world.revoke(0xA1))


def test_a_hold_that_still_stands_may_not_leave(world: StatusWorld) -> None:
    world.issue(0xA1)
    before = parsed(world, world.suspend(0xA1))
    with pytest.raises(Tampered, match="a1 is revoked in CRL 7"):
        verify(world, before)


def test_a_final_revocation_may_not_leave_whatever_the_records_say(world: StatusWorld) -> None:
    before = parsed(world, _revoked(world, 0xA1))
    world.forget(0xA1)
    with pytest.raises(Tampered):
        verify(world, before)
    world.issue(0xA1)
    with pytest.raises(Tampered):
        verify(world, before)


def test_a_final_revocation_may_not_be_told_differently(world: StatusWorld) -> None:
    before = parsed(world, _revoked(world, 0xA1))
    world.forget(0xA1)
    world.issue(0xA1)
    with pytest.raises(Tampered, match="another story"):
        verify(world, before, world.suspend(0xA1))


def test_an_expired_certificate_leaves_after_one_list_more(world: StatusWorld) -> None:
    world.issue(0xA1, life=DAY)
    revoked = world.revoke(0xA1)
    at_the_end = parsed(world, revoked, this_update=revoked.not_after)
    with pytest.raises(Tampered):
        verify(world, at_the_end)
    verify(world, parsed(world, revoked, this_update=revoked.not_after + timedelta(seconds=1)))


def _revoked(world: StatusWorld, serial: int) -> Certificate:
    world.issue(serial)
    return world.revoke(serial)
