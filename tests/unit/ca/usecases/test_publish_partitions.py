"""CRLs of partitions: fixed at issuance, each with the name that its certificates point to (RFC 5280 section 5.2.5)."""

from datetime import timedelta

import pytest
from cryptography import x509

from ca.domain.crl import CRLScope, find_partition, partition_for, with_partition
from ca.domain.errors import Tampered
from ca.domain.revocation import RevocationReason
from ca.domain.tbs import read_certificate
from tests.fakes.bank import Bank, new_key
from tests.fakes.ceremony import ISSUING
from tests.fakes.status_world import DAY, StatusWorld

FULL, DELTA = CRLScope("issuing"), CRLScope("issuing", delta=True)
FIRST, SECOND = CRLScope("issuing", 1), CRLScope("issuing", 2)


@pytest.fixture
def world() -> StatusWorld:
    """A1 in partition 1, B2 in partition 2, C3 in none."""
    world = StatusWorld()
    object.__setattr__(world.publish_crl, "short", 0)
    world.issue(0xA1, partition=1)
    world.issue(0xB2, partition=2)
    world.issue(0xC3)
    world.publish_crl("issuing")
    return world


def crl(world: StatusWorld, scope: CRLScope) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(world.publisher.crls[scope.name])


def serials(world: StatusWorld, scope: CRLScope) -> set[int]:
    return {entry.serial_number for entry in crl(world, scope)}


def number_of(world: StatusWorld, scope: CRLScope) -> int:
    return crl(world, scope).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def changed_scopes(world: StatusWorld) -> list[CRLScope]:
    return [record.scope for record in world.publish_crl.publish_changes("issuing")]


def test_all_partitions_are_published_with_the_full_crl(world: StatusWorld) -> None:
    assert set(world.publisher.crls) == {"issuing", "issuing-delta", "issuing-p1", "issuing-p2"}
    assert {number_of(world, scope) for scope in (FULL, DELTA, FIRST, SECOND)} == {1}


def test_a_partition_lists_its_own_and_the_full_crl_lists_all(world: StatusWorld) -> None:
    for serial in (0xA1, 0xB2, 0xC3):
        world.suspend(serial)
    world.publish_crl("issuing")
    listed = [serials(world, scope) for scope in (FULL, FIRST, SECOND)]
    assert listed == [{0xA1, 0xB2, 0xC3}, {0xA1}, {0xB2}]


def test_the_name_of_a_partition_is_byte_for_byte_that_of_its_certificates(world: StatusWorld) -> None:
    certificate = x509.load_der_x509_certificate(world.unit_of_work.certificates[0xA1].der)
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value.public_bytes()
    issuing = crl(world, FIRST).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    # Both are a sequence of one DistributionPointName, in certificates inside one more sequence.
    assert issuing.critical
    assert points[2:] == issuing.value.public_bytes()


def test_only_partitions_have_a_scope_and_only_the_full_crl_has_deltas(world: StatusWorld) -> None:
    for scope in (FULL, DELTA):
        with pytest.raises(x509.ExtensionNotFound):
            crl(world, scope).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    with pytest.raises(x509.ExtensionNotFound):
        crl(world, FIRST).extensions.get_extension_for_class(x509.FreshestCRL)


def test_a_partition_has_every_address_that_certificates_ever_had(world: StatusWorld) -> None:
    with world.unit_of_work() as work:
        work.crls.add_partition("issuing", 1, "http://elsewhere.example/crl/issuing-p1.crl")
        work.commit()
    world.publish_crl("issuing")
    point = crl(world, FIRST).extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    assert [name.value for name in point.full_name or []] == [
        "http://elsewhere.example/crl/issuing-p1.crl",
        "http://localhost:8080/crl/issuing-p1.crl",
    ]


def test_a_change_makes_its_own_partition_anew_and_no_other(world: StatusWorld) -> None:
    world.revoke(0xB2, RevocationReason.SUPERSEDED)
    assert changed_scopes(world) == [DELTA, SECOND]
    world.suspend(0xC3)
    assert changed_scopes(world) == [DELTA]
    assert [number_of(world, scope) for scope in (FULL, DELTA, FIRST, SECOND)] == [1, 3, 1, 2]
    world.revoke(0xA1, RevocationReason.KEY_COMPROMISE)
    assert changed_scopes(world) == [FULL, DELTA, FIRST]


def test_a_hold_leaves_its_partition_when_it_is_lifted(world: StatusWorld) -> None:
    world.suspend(0xA1)
    changed_scopes(world)
    assert serials(world, FIRST) == {0xA1}
    world.resume(0xA1)
    assert changed_scopes(world) == [DELTA, FIRST]
    assert serials(world, FIRST) == set()


def test_the_first_certificate_of_a_partition_makes_its_crl_due(world: StatusWorld) -> None:
    world.issue(0xD4, partition=3)
    assert world.publish_crl.is_due("issuing")
    assert CRLScope("issuing", 3) in changed_scopes(world)


def test_a_partition_keeps_the_expired_one_list_longer(world: StatusWorld) -> None:
    world.issue(0xD4, life=DAY, partition=2)
    world.revoke(0xD4)
    world.publish_crl("issuing")
    world.clock.tick(DAY + timedelta(seconds=1))
    world.publish_crl("issuing")
    assert serials(world, SECOND) == {0xD4}
    world.clock.tick(timedelta(hours=1))
    world.publish_crl("issuing")
    assert serials(world, SECOND) == set()


def test_a_record_moved_to_another_partition_is_found_out(world: StatusWorld) -> None:
    world.suspend(0xA1)
    changed_scopes(world)
    moved = world.unit_of_work.stored.certificates[0xA1]
    object.__setattr__(moved, "crl_partition", 2)
    with pytest.raises(Tampered, match="a1 is revoked in CRL 2"):
        world.publish_crl("issuing")


def test_serials_are_spread_over_all_partitions() -> None:
    assert [partition_for(serial, 3) for serial in (3, 4, 5, 6)] == [1, 2, 3, 1]


def test_whoever_points_elsewhere_is_in_no_partition(world: StatusWorld) -> None:
    assert find_partition(read_certificate(world.unit_of_work.certificates[0xC3].der), "issuing") is None
    assert find_partition(read_certificate(world.unit_of_work.certificates[0xA1].der), "other") is None


# At issuance


@pytest.fixture
def bank() -> Bank:
    bank = Bank()
    object.__setattr__(bank.drafter, "crl_partitions", 4)
    return bank


def test_a_new_certificate_points_to_its_partition_and_stays_there(bank: Bank) -> None:
    key = new_key()
    certificate = bank.issued(key=key)

    partition, url = find_partition(read_certificate(certificate.der), ISSUING) or (0, "")

    assert partition == partition_for(certificate.serial, 4) == certificate.crl_partition
    assert url == with_partition(bank.drafter.issuer, partition).crl_url
    assert list(bank.stored.crl_partitions) == [(ISSUING, partition, url)]
    object.__setattr__(bank.drafter, "crl_partitions", 0)
    bank.confirmed(certificate, key)
    assert bank.stored.certificates[certificate.serial].crl_partition == partition


def test_an_issuance_that_is_finished_later_keeps_its_partition(bank: Bank) -> None:
    bank.key_store.away = True
    with pytest.raises(Exception, match="away"):
        bank.issued()
    bank.key_store.away = False
    object.__setattr__(bank.drafter, "crl_partitions", 9)

    (serial,) = bank.reconcile()

    assert bank.stored.certificates[serial].crl_partition == partition_for(serial, 4)


def test_without_partitions_certificates_point_to_the_full_crl(bank: Bank) -> None:
    object.__setattr__(bank.drafter, "crl_partitions", 0)
    certificate = bank.issued()
    assert certificate.crl_partition is None
    assert bank.drafter.issuer.crl_url.encode() in certificate.der
