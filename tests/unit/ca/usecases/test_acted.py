"""ca/usecases/acted.py: what was acted on is in the next CRL whatever a row says, and the doctor sees what differs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl import Listing
from ca.domain.errors import NotReady, Tampered
from ca.domain.revocation import RevocationReason
from ca.domain.standings import Standing
from ca.usecases.acted import Acted
from tests.fakes.standings import FakeStandings
from tests.fakes.status_world import StatusWorld


@pytest.fixture
def world() -> StatusWorld:
    return StatusWorld()


def take_back(world: StatusWorld, serial: int) -> None:
    """The row becomes what it was, without an act."""
    stored = world.unit_of_work.stored
    row = stored.certificates[serial]
    stored.certificates[serial] = replace(row, status=CertificateStatus.ACTIVE, revocation=None)
    stored.listings[serial] = Listing()


def require_refused(world: StatusWorld, words: str) -> None:
    with pytest.raises(Tampered, match=words):
        world.publish_crl("issuing")
    assert world.unit_of_work.events[-1].name == "crl.refused"
    assert words in world.unit_of_work.events[-1].details["reason"]


def test_a_revocation_taken_back_before_the_first_crl_that_would_list_it_is_refused(world: StatusWorld) -> None:
    world.publish_crl("issuing")
    world.issue_revoked(0xA1)
    take_back(world, 0xA1)

    require_refused(world, "certificate a1 does not hold by the journal")


def test_before_the_first_crl_of_all_too(world: StatusWorld) -> None:
    world.issue_revoked(0xA1)
    world.clock.tick(timedelta(days=3))
    take_back(world, 0xA1)

    require_refused(world, "certificate a1 does not hold by the journal")


def test_an_entry_alone_that_was_taken_out_is_missed(world: StatusWorld) -> None:
    world.issue_revoked(0xA1)
    world.unit_of_work.stored.listings[0xA1] = Listing()

    require_refused(world, "certificate a1 does not hold by the journal")


def test_a_row_that_is_gone_is_missed(world: StatusWorld) -> None:
    world.issue_revoked(0xA1)
    del world.unit_of_work.stored.certificates[0xA1]

    require_refused(world, "certificate a1 does not hold by the journal")


@pytest.mark.parametrize("listed", [True, False])
def test_a_hold_taken_back_is_refused_however_old_it_is(world: StatusWorld, listed: bool) -> None:
    world.issue(0xA1)
    world.suspend(0xA1)
    if listed:
        world.publish_crl("issuing")
        world.clock.tick(timedelta(days=3))
        world.publish_crl("issuing")
    take_back(world, 0xA1)

    require_refused(world, "certificate a1 does not hold by the journal")


def test_a_revocation_since_an_old_hold_does_not_leave_as_a_lifted_hold(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.suspend(0xA1)
    world.clock.tick(timedelta(days=3))
    world.publish_crl("issuing")
    world.revoke(0xA1, RevocationReason.SUPERSEDED)
    take_back(world, 0xA1)

    require_refused(world, "certificate a1 is revoked by the journal")


def test_one_that_has_expired_may_leave(world: StatusWorld) -> None:
    world.issue_revoked(0xA1, life=timedelta(days=2))
    world.publish_crl("issuing")
    world.clock.tick(timedelta(days=3))
    for _ in range(2):
        record = world.publish_crl("issuing")

    assert record.entries == 0


class Lagging(FakeStandings):
    """A map into which the last act is on its way, until somebody lets it in."""

    def __init__(self, world: StatusWorld, serial: int, before: Certificate) -> None:
        super().__init__()
        self.kept = {**world.standings.kept, serial: Standing.of(before)}
        self._applied = len(world.unit_of_work.events) - 1


def test_an_act_that_is_on_its_way_into_the_map_is_waited_for(world: StatusWorld) -> None:
    world.issue(0xA1)
    held = world.suspend(0xA1)
    world.resume(0xA1)
    with world.unit_of_work() as work:
        work.audit.append(AuditEvent("certificate.released", "a1", "maker", world.clock.now()))
        work.commit()
    lagging = world.unit_of_work.standings = Lagging(world, 0xA1, held)

    replace(world.publish_crl, standings=lagging)("issuing")

    assert lagging.find(0xA1) == Standing.of(world.unit_of_work.certificates[0xA1])


def test_records_that_change_too_fast_are_not_ready(world: StatusWorld) -> None:
    class NeverThere(Lagging):
        def applied(self) -> int:
            return 1

    world.issue(0xA1)
    held = world.suspend(0xA1)
    world.resume(0xA1)
    for _ in range(2):
        with world.unit_of_work() as work:
            work.audit.append(AuditEvent("certificate.released", "a1", "maker", world.clock.now()))
            work.commit()
    behind = NeverThere(world, 0xA1, held)

    with pytest.raises(NotReady, match="faster"):
        Acted(world.unit_of_work, behind).require_recorded([0xA1])


def test_every_difference_is_found_in_order(world: StatusWorld) -> None:
    for serial in (0xA1, 0xA2, 0xA3, 0xA5):
        world.issue(serial)
    world.revoke(0xA2)
    acted = Acted(world.unit_of_work, world.standings)
    assert list(acted.contradictions()) == []

    take_back(world, 0xA2)
    stored = world.unit_of_work.stored.certificates
    del stored[0xA3]
    stored[0xA4] = replace(stored[0xA1], serial=0xA4)
    world.unit_of_work.stored.listings[0xA4] = Listing()
    last = max(stored)
    stored[last + 1] = replace(stored[0xA1], serial=last + 1)
    world.unit_of_work.stored.listings[last + 1] = Listing()

    assert list(acted.contradictions()) == [0xA2, 0xA3, 0xA4, last + 1]


@pytest.mark.parametrize("old", [True, False])
def test_a_bundle_is_refused_too(world: StatusWorld, old: bool) -> None:
    world.issue(0xA1)
    if old:
        world.suspend(0xA1)
        world.publish_bundle("issuing")
    world.revoke(0xA1, RevocationReason.SUPERSEDED)
    take_back(world, 0xA1)

    with pytest.raises(Tampered, match="certificate a1 "):
        world.publish_bundle("issuing")
    assert world.unit_of_work.events[-1].name == "bundle.refused"


def test_a_revocation_since_an_old_hold_does_not_leave_a_bundle_as_a_lifted_hold(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.suspend(0xA1)
    world.clock.tick(timedelta(days=3))
    world.publish_bundle("issuing")
    world.revoke(0xA1, RevocationReason.SUPERSEDED)
    take_back(world, 0xA1)

    with pytest.raises(Tampered, match="certificate a1 does not hold by an earlier bundle"):
        world.publish_bundle("issuing")
