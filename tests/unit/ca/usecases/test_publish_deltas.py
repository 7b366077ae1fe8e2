"""ca/usecases/publish_crl.py: deltas (RFC 5280 section 5.2.4)."""

from datetime import timedelta

import pytest
from cryptography import x509

from ca.domain.certificates import CertificateStatus
from ca.domain.crl import CRLScope
from ca.domain.errors import NotReady, Tampered
from ca.domain.revocation import RevocationReason
from tests.fakes.status_world import DAY, StatusWorld

HOUR = timedelta(hours=1)
FULL, DELTA = CRLScope("issuing"), CRLScope("issuing", delta=True)


@pytest.fixture
def world() -> StatusWorld:
    """Two certificates, and a full CRL that lists nothing and counts as long."""
    world = StatusWorld()
    object.__setattr__(world.publish_crl, "short", 0)
    for serial in (0xA1, 0xB2):
        world.issue(serial)
    world.publish_crl("issuing")
    return world


def crl(world: StatusWorld, name: str = "issuing-delta") -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(world.publisher.crls[name])


def number_of(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def base_of(crl: x509.CertificateRevocationList) -> int:
    extension = crl.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert extension.critical
    return extension.value.crl_number


def said(crl: x509.CertificateRevocationList) -> dict[int, str]:
    """Reason by serial."""
    return {
        entry.serial_number: entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
        for entry in crl
    }


def an_hour_later(world: StatusWorld) -> None:
    """The full CRL that is made every hour."""
    world.clock.tick(HOUR)
    world.publish_crl("issuing")


def scopes_of(world: StatusWorld) -> list[CRLScope]:
    """What the changes so far make anew."""
    return [record.scope for record in world.publish_crl.publish_changes("issuing")]


def test_a_full_crl_comes_with_a_delta_of_the_same_number(world: StatusWorld) -> None:
    world.suspend(0xA1)
    world.publish_crl("issuing")
    assert (number_of(crl(world, "issuing")), number_of(crl(world))) == (2, 2)


def test_the_first_delta_is_empty_and_on_the_first_full_crl(world: StatusWorld) -> None:
    assert (number_of(crl(world)), base_of(crl(world)), said(crl(world))) == (1, 1, {})


def test_a_full_crl_says_where_its_deltas_are_and_a_delta_does_not(world: StatusWorld) -> None:
    freshest = crl(world, "issuing").extensions.get_extension_for_class(x509.FreshestCRL)
    (point,) = freshest.value
    assert not freshest.critical
    assert point.full_name == [x509.UniformResourceIdentifier("http://localhost:8080/crl/issuing-delta.crl")]
    with pytest.raises(x509.ExtensionNotFound):
        crl(world).extensions.get_extension_for_class(x509.FreshestCRL)


def test_a_change_makes_a_delta_and_no_full_crl(world: StatusWorld) -> None:
    before = world.publisher.crls["issuing"]
    world.revoke(0xA1, RevocationReason.SUPERSEDED)

    assert scopes_of(world) == [DELTA]

    assert said(crl(world)) == {0xA1: "superseded"}
    assert (number_of(crl(world)), base_of(crl(world))) == (2, 1)
    assert world.publisher.crls["issuing"] == before
    assert not world.publish_crl.is_due("issuing")


def test_a_short_full_crl_is_made_with_every_change(world: StatusWorld) -> None:
    object.__setattr__(world.publish_crl, "short", 2)
    world.suspend(0xA1)
    assert scopes_of(world) == [FULL, DELTA]
    world.suspend(0xB2)
    assert scopes_of(world) == [FULL, DELTA]
    world.resume(0xB2)
    assert scopes_of(world) == [DELTA]


def test_a_compromised_key_makes_a_full_crl_at_once(world: StatusWorld) -> None:
    world.revoke(0xA1, RevocationReason.KEY_COMPROMISE)
    assert scopes_of(world) == [FULL, DELTA]
    assert said(crl(world, "issuing")) == {0xA1: "keyCompromise"}
    world.suspend(0xB2)
    assert scopes_of(world) == [DELTA]


def test_nothing_is_made_when_nothing_is_due(world: StatusWorld) -> None:
    events = len(world.unit_of_work.events)
    assert scopes_of(world) == []
    assert len(world.unit_of_work.events) == events


def test_the_first_change_of_all_makes_everything() -> None:
    assert scopes_of(StatusWorld()) == [FULL, DELTA]


@pytest.mark.parametrize("name", ["issuing", "issuing-delta"])
def test_a_published_file_that_is_lost_is_made_anew(world: StatusWorld, name: str) -> None:
    del world.publisher.crls[name]
    assert world.publish_crl.is_due("issuing")
    assert DELTA in scopes_of(world)
    assert name in world.publisher.crls
    assert not world.publish_crl.is_due("issuing")


def test_a_hold_that_is_lifted_is_removed_by_the_delta(world: StatusWorld) -> None:
    world.suspend(0xA1)
    world.publish_crl("issuing")
    world.resume(0xA1)

    scopes_of(world)

    assert said(crl(world)) == {0xA1: "removeFromCRL"}
    assert base_of(crl(world)) == 1


def test_a_hold_that_only_a_delta_showed_is_removed_too(world: StatusWorld) -> None:
    world.suspend(0xA1)
    scopes_of(world)
    assert said(crl(world)) == {0xA1: "certificateHold"}
    world.resume(0xA1)
    scopes_of(world)
    assert said(crl(world)) == {0xA1: "removeFromCRL"}


def test_a_hold_that_nobody_saw_is_not_removed(world: StatusWorld) -> None:
    world.suspend(0xA1)
    world.resume(0xA1)
    scopes_of(world)
    assert said(crl(world)) == {}


def test_only_what_was_on_hold_is_ever_removed(world: StatusWorld) -> None:
    world.suspend(0xA1)
    world.issue(0xC3, CertificateStatus.UNCONFIRMED)
    world.revoke(0xB2)
    world.publish_crl("issuing")
    world.resume(0xA1)
    world.confirm(0xC3)
    world.issue(0xD4)

    scopes_of(world)

    removed = {serial for serial, reason in said(crl(world)).items() if reason == "removeFromCRL"}
    assert removed == {0xA1, 0xC3}


def test_a_hold_that_becomes_final_is_told_again(world: StatusWorld) -> None:
    world.suspend(0xA1)
    an_hour_later(world)
    an_hour_later(world)
    assert said(crl(world)) == {}
    world.revoke(0xA1, RevocationReason.SUPERSEDED)
    scopes_of(world)
    assert said(crl(world)) == {0xA1: "superseded"}


def test_a_removal_is_said_until_the_base_knows_it(world: StatusWorld) -> None:
    world.suspend(0xA1)
    an_hour_later(world)
    an_hour_later(world)
    world.resume(0xA1)
    seen = []
    for _ in range(3):
        an_hour_later(world)
        seen.append((base_of(crl(world)), said(crl(world))))
    assert seen == [(3, {0xA1: "removeFromCRL"}), (4, {}), (5, {})]


def test_the_base_is_an_hour_old(world: StatusWorld) -> None:
    for _ in range(3):
        an_hour_later(world)
    world.suspend(0xA1)
    scopes_of(world)
    assert (number_of(crl(world, "issuing")), number_of(crl(world)), base_of(crl(world))) == (4, 5, 3)


def test_the_base_was_really_published(world: StatusWorld) -> None:
    for _ in range(2):
        an_hour_later(world)
    world.publisher.refusal = OSError("the disk is full")
    for _ in range(3):
        with pytest.raises(OSError, match="full"):
            an_hour_later(world)
    world.publisher.refusal = None

    an_hour_later(world)

    assert (number_of(crl(world)), base_of(crl(world))) == (7, 3)


def test_a_delta_that_fails_leaves_its_full_crl_published_and_itself_due(world: StatusWorld) -> None:
    world.publish_crl("issuing")
    world.suspend(0xA1)
    world.publisher.fail_at = "publish issuing-delta"

    with pytest.raises(OSError, match="No space"):
        world.publish_crl("issuing")

    assert (number_of(crl(world, "issuing")), number_of(crl(world))) == (3, 2)
    assert world.unit_of_work.event_names[-2:] == ["crl.published", "crl.failed"]
    assert world.unit_of_work.events[-1].subject == "issuing-delta"
    world.publisher.fail_at = ""
    assert scopes_of(world) == [DELTA]
    assert said(crl(world)) == {0xA1: "certificateHold"}


def test_a_revocation_shortly_before_the_end_is_told_until_a_full_crl_had_it(world: StatusWorld) -> None:
    world.issue(0xC3, life=HOUR)
    world.suspend(0xC3)
    scopes_of(world)
    world.clock.tick(2 * HOUR)
    world.suspend(0xA1)

    scopes_of(world)
    assert set(said(crl(world))) == {0xA1, 0xC3}

    world.publish_crl("issuing")
    assert set(said(crl(world, "issuing"))) == {0xA1, 0xC3}


def test_what_expired_before_the_base_is_not_told(world: StatusWorld) -> None:
    world.issue(0xC3, life=HOUR)
    world.clock.tick(2 * HOUR)
    an_hour_later(world)
    an_hour_later(world)
    world.revoke(0xC3, RevocationReason.SUPERSEDED)
    scopes_of(world)
    assert said(crl(world)) == {}


def test_a_delta_refuses_to_lose_what_the_last_one_said(world: StatusWorld) -> None:
    world.revoke(0xA1, RevocationReason.SUPERSEDED)
    scopes_of(world)
    before = world.publisher.crls["issuing-delta"]
    world.forget(0xA1)
    world.suspend(0xB2)

    with pytest.raises(Tampered, match="a1 is revoked in CRL 2"):
        scopes_of(world)

    assert world.publisher.crls["issuing-delta"] == before
    assert world.unit_of_work.event_names[-1] == "crl.refused"
    assert world.publish_crl.is_due("issuing")


def test_a_delta_refuses_to_soften_what_the_last_one_said(world: StatusWorld) -> None:
    backup = world.unit_of_work.stored.copy()
    world.revoke(0xA1, RevocationReason.SUPERSEDED)
    scopes_of(world)
    world.unit_of_work.stored = backup
    world.suspend(0xA1)
    with pytest.raises(Tampered, match="another story"):
        scopes_of(world)


def test_a_delta_goes_back_neither_in_number_nor_in_time(world: StatusWorld) -> None:
    backup = world.unit_of_work.stored.copy()
    world.clock.tick(HOUR)
    for serial in (0xA1, 0xB2):
        world.suspend(serial)
        scopes_of(world)
    assert number_of(crl(world)) == 3
    world.unit_of_work.stored = backup
    for serial in (0xA1, 0xB2):
        world.suspend(serial)
    scopes_of(world)
    assert number_of(crl(world)) == 4
    world.clock.tick(timedelta(seconds=-1))
    world.resume(0xB2)
    with pytest.raises(NotReady, match="clock"):
        scopes_of(world)


def test_a_delta_lives_shorter_than_a_full_crl(world: StatusWorld) -> None:
    now = world.clock.now()
    assert crl(world, "issuing").next_update_utc == now + DAY
    assert crl(world).next_update_utc == now + world.publish_crl.delta_life


def test_of_many_changes_that_wait_one_delta_tells_all(world: StatusWorld) -> None:
    for serial in (0xA1, 0xB2):
        world.suspend(serial)
    assert [scopes_of(world) for _ in range(3)] == [[DELTA], [], []]
    assert set(said(crl(world))) == {0xA1, 0xB2}
