"""What certificates must do in every database, with their places in CRLs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain

import pytest

from ca.domain.certificates import CertificateStatus
from ca.domain.crl import CRLScope, crl_entry
from ca.domain.errors import InvalidTransition, NotFound
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing
from ca.ports import UnitOfWork, Work
from tests.builders import NOW, a_certificate

HOUR = timedelta(hours=1)
LARGEST_SERIAL = 2**159 - 1
FULL = CRLScope("issuing")


def listed(work: Work, scope: CRLScope = FULL) -> Sequence[bytes]:
    return [entry for piece in work.certificates.list_entries(scope, NOW) for entry in piece]


def changed(work: Work, issuer: str, after: int) -> Sequence[tuple[int, bytes | None]]:
    return [*chain(*work.certificates.list_changed(issuer, after, NOW))]


class CertificatesContract:
    def test_standings_are_found_by_serial_and_listed(self, unit_of_work: UnitOfWork) -> None:
        good = a_certificate(serial=1)
        held = a_certificate(serial=LARGEST_SERIAL, status=CertificateStatus.ACTIVE).suspend(at=NOW + HOUR)
        with unit_of_work() as work:
            for certificate in (good, held):
                work.certificates.add(certificate)
            work.commit()

        with unit_of_work() as work:
            expected = {1: Standing.of(good), LARGEST_SERIAL: Standing.of(held)}
            assert work.certificates.find_standings([1, 2, LARGEST_SERIAL]) == expected
            assert work.certificates.find_standings([]) == {}
            assert list(work.certificates.list_standings()) == sorted(expected.items())
            assert work.certificates.find_listed([1, 2, LARGEST_SERIAL]) == {
                1: (Standing.of(good), None),
                LARGEST_SERIAL: (Standing.of(held), crl_entry(held)),
            }

    def test_an_invalidity_date_reads_back_in_record_and_standing(self, unit_of_work: UnitOfWork) -> None:
        active = a_certificate(serial=1, status=CertificateStatus.ACTIVE)
        since = active.not_before + HOUR
        revoked = active.revoke(RevocationReason.KEY_COMPROMISE, at=since + HOUR, invalid_since=since)
        with unit_of_work() as work:
            work.certificates.add(active)
            work.certificates.save(revoked)
            work.commit()

        with unit_of_work() as work:
            assert work.certificates.get(1) == revoked
            assert work.certificates.find_listed([1]) == {1: (Standing.of(revoked), crl_entry(revoked))}

    def test_those_issued_under_a_profile_since_then_are_counted(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            for serial, hours in ((1, 0), (2, 1), (3, 2)):
                work.certificates.add(a_certificate(serial=serial, profile="p", issued_at=NOW + hours * HOUR))
            work.certificates.add(a_certificate(serial=4, profile="q", issued_at=NOW + HOUR))

            assert work.certificates.count_issued("issuing", "p", NOW + HOUR) == 2
            assert work.certificates.count_issued("root", "p", NOW) == 0

    def test_a_certificate_reads_back_the_same_with_the_largest_serial(self, unit_of_work: UnitOfWork) -> None:
        certificate = a_certificate(
            serial=LARGEST_SERIAL,
            predecessor=LARGEST_SERIAL - 1,
            confirmed_at=NOW + HOUR,
            status=CertificateStatus.REVOKED,
            revocation=Revocation(RevocationReason.UNSPECIFIED, NOW + HOUR),
        )

        with unit_of_work() as work:
            work.certificates.add(certificate)
            work.commit()

        with unit_of_work() as work:
            assert work.certificates.get(LARGEST_SERIAL) == certificate
            assert work.certificates.find(LARGEST_SERIAL) == certificate

    def test_an_unknown_certificate_is_not_found(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            assert work.certificates.find(0xA1) is None
            with pytest.raises(NotFound, match="a1"):
                work.certificates.get(0xA1)
            with pytest.raises(NotFound):
                work.certificates.save(a_certificate())

    def test_a_serial_is_used_once_and_the_transaction_goes_on(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.certificates.add(a_certificate())
            with pytest.raises(InvalidTransition, match="a1"):
                work.certificates.add(a_certificate(subject="CN=Somebody Else"))
            work.commit()

        with unit_of_work() as work:
            assert work.certificates.get(0xA1) == a_certificate()

    def test_a_hold_and_its_lifting_are_kept(self, unit_of_work: UnitOfWork) -> None:
        held = a_certificate().suspend(at=NOW + HOUR)

        with unit_of_work() as work:
            work.certificates.add(a_certificate())
            work.certificates.save(held)
            assert work.certificates.get(0xA1) == held
            work.certificates.save(held.resume())

            assert work.certificates.get(0xA1) == a_certificate()

    def test_the_newest_certificate_of_an_application_was_issued_last(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.certificates.add(a_certificate(serial=3, issued_at=NOW))
            work.certificates.add(a_certificate(serial=2, issued_at=NOW))
            work.certificates.add(a_certificate(serial=1, issued_at=NOW - HOUR))

            newest = work.certificates.find_by_application("application-1")

        assert newest == a_certificate(serial=2)

    def test_the_newest_certificate_of_a_profile_is_not_a_revoked_one(self, unit_of_work: UnitOfWork) -> None:
        first = a_certificate(serial=1, profile="ocsp-responder")
        revoked = a_certificate(serial=2, profile="ocsp-responder", issued_at=NOW + HOUR).revoke(
            RevocationReason.SUPERSEDED, at=NOW + HOUR
        )

        with unit_of_work() as work:
            work.certificates.add(first)
            work.certificates.add(revoked)
            work.certificates.add(a_certificate(serial=3, profile="ocsp-responder", issuer="root"))

            assert work.certificates.find_newest("issuing", "ocsp-responder") == first
            assert work.certificates.find_newest("issuing", "none") is None

    def test_certificates_are_found_by_their_public_key(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.certificates.add(a_certificate(serial=2))
            work.certificates.add(a_certificate(serial=1))
            work.certificates.add(a_certificate(serial=3, public_key="00" * 32))

            assert [each.serial for each in work.certificates.list_by_public_key("ef" * 32)] == [2, 1]

    def test_certificates_unconfirmed_for_too_long_are_listed(self, unit_of_work: UnitOfWork) -> None:
        late = a_certificate(serial=1, status=CertificateStatus.UNCONFIRMED, issued_at=NOW - timedelta(seconds=1))

        with unit_of_work() as work:
            work.certificates.add(late)
            work.certificates.add(a_certificate(serial=2, status=CertificateStatus.UNCONFIRMED, issued_at=NOW))
            work.certificates.add(a_certificate(serial=3, issued_at=NOW - HOUR))

            assert list(work.certificates.list_unconfirmed_since_before(NOW)) == [late]

    def test_what_does_not_hold_is_listed_for_the_crl_by_number_as_text(self, unit_of_work: UnitOfWork) -> None:
        unconfirmed = a_certificate(serial=0x100, status=CertificateStatus.UNCONFIRMED)
        held = a_certificate(serial=0x20).suspend(at=NOW)
        revoked = a_certificate(serial=0xF).revoke(RevocationReason.KEY_COMPROMISE, at=NOW)

        with unit_of_work() as work:
            for each in (revoked, held, unconfirmed, a_certificate(serial=7)):
                work.certificates.add(each)
            work.certificates.add(a_certificate(serial=8, issuer="root").suspend(at=NOW))
            work.commit()

        entries = [crl_entry(each) for each in (unconfirmed, held, revoked)]
        with unit_of_work.look() as work:
            assert listed(work) == entries
            assert work.certificates.measure_entries(FULL, NOW) == (3, sum(len(each or b"") for each in entries))

    def test_certificates_expired_before_the_given_time_stay_out_of_the_crl(self, unit_of_work: UnitOfWork) -> None:
        just_in = a_certificate(serial=1, not_after=NOW).suspend(at=NOW)
        out = a_certificate(serial=2, not_after=NOW - timedelta(seconds=1)).suspend(at=NOW)

        with unit_of_work() as work:
            work.certificates.add(just_in)
            work.certificates.add(out)

            assert listed(work) == [crl_entry(just_in)]
            assert [serial for serial, _ in changed(work, "issuing", 0)] == [1]

    def test_an_issuer_without_certificates_has_no_entries(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work.look() as work:
            assert listed(work) == []
            assert work.certificates.measure_entries(FULL, NOW) == (0, 0)

    def test_what_changed_after_a_crl_is_listed_with_what_left_it(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            for serial in (1, 2, 3, 4):
                work.certificates.add(a_certificate(serial=serial))
            for serial in (1, 2):
                work.certificates.save(a_certificate(serial=serial).suspend(at=NOW))
            assert work.crls.take_number("issuing", 0) == 1
            work.certificates.save(a_certificate(serial=2))
            revoked = a_certificate(serial=3).revoke(RevocationReason.SUPERSEDED, at=NOW)
            work.certificates.save(revoked)
            work.commit()

        with unit_of_work.look() as work:
            assert changed(work, "issuing", 1) == [
                (2, None),
                (3, crl_entry(revoked)),
            ]
            assert [serial for serial, _ in changed(work, "issuing", 0)] == [
                1,
                2,
                3,
            ]
            assert changed(work, "issuing", 2) == []
            assert changed(work, "root", 0) == []

    def test_a_partition_lists_its_own(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            for serial, partition in ((1, 1), (2, 2), (3, 2), (4, None)):
                work.certificates.add(a_certificate(serial=serial, crl_partition=partition).suspend(at=NOW))
            work.crls.take_number("issuing", 0)
            work.certificates.save(a_certificate(serial=3, crl_partition=2))

            assert listed(work, CRLScope("issuing", 2)) == [
                crl_entry(a_certificate(serial=2, crl_partition=2).suspend(at=NOW))
            ]
            assert work.certificates.measure_entries(CRLScope("issuing", 7), NOW) == (0, 0)
            assert len(listed(work)) == 3
            assert dict(work.certificates.changed_partitions("issuing", 0)) == {1: 1, 2: 2}
            assert dict(work.certificates.changed_partitions("issuing", 1)) == {2: 2}
            assert work.certificates.get(2).crl_partition == 2

    def test_saving_again_without_a_change_of_status_changes_no_crl(self, unit_of_work: UnitOfWork) -> None:
        held = a_certificate().suspend(at=NOW)
        with unit_of_work() as work:
            work.certificates.add(held)
            work.crls.take_number("issuing", 0)
            work.certificates.save(replace(held, subject="CN=Somebody Else"))

            assert changed(work, "issuing", 1) == []

    def test_successors_are_those_that_name_it(self, unit_of_work: UnitOfWork) -> None:
        successor = a_certificate(serial=LARGEST_SERIAL, predecessor=0xA1)

        with unit_of_work() as work:
            work.certificates.add(a_certificate())
            work.certificates.add(successor)

            assert list(work.certificates.list_successors(0xA1)) == [successor]
            assert list(work.certificates.list_successors(LARGEST_SERIAL)) == []
