"""ca/usecases/publish_bundle.py: numbers only grow, nothing is lost, and the next run repairs a failure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.bundle import Bundle, BundleKind, Standing, standing
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import KeyStoreUnavailable, NotFound, NotReady, PKIError, SigningRefused, Tampered
from ca.domain.keys import KeyAlgorithm
from ca.domain.revocation import RevocationReason
from ca.usecases.publish_bundle import bundle_key
from tests.fakes.clock import NOON
from tests.fakes.status_world import DAY, StatusWorld
from tests.fakes.work import FakeUnitOfWork, FakeWork

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
FULL, PATCH = BundleKind.FULL, BundleKind.PATCH


@pytest.fixture
def world() -> StatusWorld:
    return StatusWorld()


def published(world: StatusWorld, kind: BundleKind = FULL) -> Bundle:
    bundle = Bundle.parse(world.publisher.bundles["issuing", kind])
    bundle.verify(world.issuing)
    return bundle


def said(world: StatusWorld, serial: int) -> Standing:
    return standing(serial, published(world).lists, published(world, PATCH).lists)


def changed(world: StatusWorld) -> None:
    """What the job does that makes a CRL after a change."""
    world.publish_crl("issuing")


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048])
def test_the_first_bundle_is_number_one_and_has_its_patch(algorithm: KeyAlgorithm) -> None:
    world = StatusWorld(algorithm=algorithm)

    record = world.publish_bundle("issuing")

    full, patch = published(world), published(world, PATCH)
    assert (full.header.number, patch.header.number, record.number) == (1, 2, 2)
    assert (full.lists.count, patch.lists.count) == (0, 0)
    assert (full.header.this_update, full.header.next_update) == (NOON, NOON + 4 * HOUR)
    assert patch.header.base == world.unit_of_work.stored.bundles["issuing", FULL].digest


def test_it_says_of_everything_what_a_crl_would(world: StatusWorld) -> None:
    for serial in (0xA1, 0xA2, 0xA3):
        world.issue(serial)
    world.issue(0xA4, CertificateStatus.UNCONFIRMED)
    world.revoke(0xA2)
    world.suspend(0xA3)

    world.publish_bundle("issuing")

    assert [said(world, serial) for serial in (0xA1, 0xA2, 0xA3, 0xA4)] == ["good", "revoked", "held", "held"]


def test_each_step_is_an_event(world: StatusWorld) -> None:
    world.issue_revoked(0xA1)
    world.publish_bundle("issuing")
    events = world.unit_of_work.events
    assert [event.name for event in events] == 2 * ["bundle.intended", "bundle.signed", "bundle.published"]
    assert [event.details["kind"] for event in events] == 3 * ["bundle"] + 3 * ["patch"]
    assert events[0].details["entries"] == "1"
    assert {event.subject for event in events} == {"issuing"}


def test_a_patch_follows_each_change(world: StatusWorld) -> None:
    for serial in (0xA1, 0xA2, 0xA3):
        world.issue(serial)
    world.suspend(0xA1)
    world.suspend(0xA2)
    world.publish_bundle("issuing")
    full = published(world)
    world.resume(0xA1)
    world.revoke(0xA2)
    world.suspend(0xA3)
    changed(world)

    record = world.publish_bundle.catch_up("issuing")

    assert record is not None
    assert (record.kind, record.number) == (PATCH, 3)
    assert published(world) == full
    assert [said(world, serial) for serial in (0xA1, 0xA2, 0xA3)] == ["good", "revoked", "held"]


def test_without_a_change_there_is_nothing_to_catch_up_with(world: StatusWorld) -> None:
    world.publish_bundle("issuing")
    assert world.publish_bundle.catch_up("issuing") is None


def test_a_change_whose_crl_is_still_due_is_caught_up_with(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.publish_bundle("issuing")
    world.revoke(0xA1)

    world.publish_bundle.catch_up("issuing")

    assert said(world, 0xA1) == "revoked"


def test_the_first_thing_to_catch_up_with_is_a_full_bundle(world: StatusWorld) -> None:
    world.publish_bundle.catch_up("issuing")
    assert published(world).header.number == 1


@pytest.mark.parametrize("kind", [FULL, PATCH])
def test_what_was_changed_in_the_public_place_is_written_over(world: StatusWorld, kind: BundleKind) -> None:
    world.publish_bundle("issuing")
    world.publisher.bundles["issuing", kind] = b"something else"

    world.publish_bundle.catch_up("issuing")

    assert published(world, kind).header.number > 2
    assert world.publish_bundle.catch_up("issuing") is None


def test_an_expired_certificate_stays_for_one_bundle_more(world: StatusWorld) -> None:
    world.issue_revoked(0xA1, life=DAY)
    world.publish_bundle("issuing")
    world.clock.tick(DAY + SECOND)
    world.publish_bundle("issuing")
    assert said(world, 0xA1) == "revoked"
    world.clock.tick(HOUR)
    world.publish_bundle("issuing")
    assert said(world, 0xA1) == "good"


def test_a_bundle_does_not_outlive_its_signers_certificate(world: StatusWorld) -> None:
    world.clock.set(world.bundle_signer.not_after - HOUR)
    world.publish_bundle("issuing")
    assert published(world).header.next_update == world.bundle_signer.not_after


@pytest.mark.parametrize("after", [14 * DAY, 15 * DAY])
def test_without_a_certificate_that_is_valid_nothing_is_signed(world: StatusWorld, after: timedelta) -> None:
    world.clock.tick(after)
    with pytest.raises(NotReady, match="not valid now"):
        world.publish_bundle("issuing")
    assert world.unit_of_work.event_names == ["bundle.refused"]


def test_a_signer_that_was_revoked_signs_nothing(world: StatusWorld) -> None:
    world.revoke(world.bundle_signer.serial)
    with pytest.raises(NotReady, match="no certificate that holds"):
        world.publish_bundle("issuing")


def test_a_signer_on_hold_signs_nothing(world: StatusWorld) -> None:
    world.suspend(world.bundle_signer.serial)
    with pytest.raises(NotReady, match="no certificate that holds"):
        world.publish_bundle("issuing")


def test_numbers_go_on_from_the_published_files_after_a_restore(world: StatusWorld) -> None:
    backup = world.unit_of_work.stored.copy()
    for _ in range(3):
        world.publish_bundle("issuing")
    world.unit_of_work.stored = backup

    world.publish_bundle("issuing")

    assert published(world).header.number == 7


@pytest.mark.parametrize("by_patch", [False, True])
def test_a_restore_that_lost_a_revocation_publishes_nothing(world: StatusWorld, by_patch: bool) -> None:
    world.issue(0xA1)
    if by_patch:
        world.publish_bundle("issuing")
    backup = world.unit_of_work.stored.copy()
    world.revoke(0xA1)
    if by_patch:
        world.publish_bundle.catch_up("issuing")
    else:
        world.publish_bundle("issuing")
    before = dict(world.publisher.bundles)
    world.unit_of_work.stored = backup

    with pytest.raises(Tampered, match="certificate a1 does not hold"):
        world.publish_bundle("issuing")

    assert world.publisher.bundles == before
    assert world.unit_of_work.event_names[-1] == "bundle.refused"


def test_a_lost_row_is_noticed_by_the_records_alone(world: StatusWorld) -> None:
    world.issue_revoked(0xA1)
    world.publish_bundle("issuing")
    world.publisher.bundles.clear()
    world.forget(0xA1)
    with pytest.raises(Tampered, match="tag 000000000000a1"):
        world.publish_bundle("issuing")


def test_revoked_never_becomes_held(world: StatusWorld) -> None:
    world.issue(0xA1)
    backup = world.unit_of_work.stored.copy()
    world.revoke(0xA1, RevocationReason.KEY_COMPROMISE)
    world.publish_bundle("issuing")
    world.unit_of_work.stored = backup
    world.suspend(0xA1)
    with pytest.raises(Tampered):
        world.publish_bundle("issuing")


def test_a_recorded_bundle_that_we_did_not_sign_stops_everything(world: StatusWorld) -> None:
    stranger = StatusWorld()
    stranger.publish_bundle("issuing")
    world.unit_of_work.stored.bundles.update(stranger.unit_of_work.stored.bundles)
    with pytest.raises(Tampered, match="not one of issuing"):
        world.publish_bundle("issuing")


def test_a_strangers_file_in_the_public_place_proves_nothing(world: StatusWorld) -> None:
    stranger = StatusWorld()
    stranger.issue_revoked(0xA1)
    for _ in range(9):
        stranger.publish_bundle("issuing")
    world.publisher.bundles.update(stranger.publisher.bundles)

    world.publish_bundle("issuing")

    assert published(world).header.number == 1


def test_a_clock_behind_the_last_bundle_signs_nothing(world: StatusWorld) -> None:
    world.clock.tick(HOUR)
    world.publish_bundle("issuing")
    signatures = len(world.key_store.signed)
    world.clock.tick(-SECOND)

    with pytest.raises(NotReady, match="clock"):
        world.publish_bundle("issuing")

    assert len(world.key_store.signed) == signatures


def test_an_hsm_that_is_away_is_made_up_for_by_the_next_run(world: StatusWorld) -> None:
    world.issue_revoked(0xA1)
    world.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        world.publish_bundle("issuing")
    assert world.unit_of_work.event_names == ["bundle.intended", "bundle.failed"]

    world.key_store.away = False
    world.publish_bundle.catch_up("issuing")

    assert (published(world).header.number, said(world, 0xA1)) == (2, "revoked")


def test_a_key_that_is_not_the_certificates_is_found_out(world: StatusWorld) -> None:
    del world.key_store._keys[bundle_key("issuing")]
    world.key_store.generate(bundle_key("issuing"), "another", KeyAlgorithm.EC_P256)
    with pytest.raises(SigningRefused, match="would not be believed"):
        world.publish_bundle("issuing")
    assert world.unit_of_work.stored.bundles == {}


@pytest.mark.parametrize("refusal", [OSError("the disk is full"), NotReady("the bucket is away")])
def test_a_public_place_that_fails_is_made_up_for_by_the_next_run(world: StatusWorld, refusal: Exception) -> None:
    world.issue_revoked(0xA1)
    changed(world)
    world.unit_of_work.stored.audit.clear()
    world.publisher.refusal = refusal
    with pytest.raises(type(refusal)):
        world.publish_bundle("issuing")
    assert world.unit_of_work.event_names == ["bundle.intended", "bundle.signed", "bundle.failed"]

    world.publisher.refusal = None
    world.publish_bundle.catch_up("issuing")

    assert said(world, 0xA1) == "revoked"
    assert world.publish_bundle.catch_up("issuing") is None


@pytest.mark.parametrize("commit", range(1, 7))
def test_a_crash_after_any_commit_is_made_up_for_by_the_next_run(world: StatusWorld, commit: int) -> None:
    world.issue_revoked(0xA1)
    changed(world)
    world.unit_of_work.refuse_commit(commit)
    with pytest.raises(NotReady):
        world.publish_bundle("issuing")

    world.publish_bundle.catch_up("issuing")

    assert said(world, 0xA1) == "revoked"
    assert world.publish_bundle.catch_up("issuing") is None


class Overtaken(FakeUnitOfWork):
    """Of a node that has looked, and is not the first to record what it found."""

    def __init__(self, world: StatusWorld) -> None:
        super().__init__()
        self.world = world

    def look(self) -> FakeWork:
        return self.world.unit_of_work.look()

    def __call__(self) -> FakeWork:
        if said(self.world, 0xA1) == "good":
            self.world.revoke(0xA1)
            self.world.publish_bundle("issuing")
        return self.world.unit_of_work()


def test_another_node_that_publishes_meanwhile_is_not_overtaken_with_older_news(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.publish_bundle("issuing")
    slow = replace(world.publish_bundle, unit_of_work=Overtaken(world))

    with pytest.raises(NotReady, match="another bundle"):
        slow("issuing")

    assert said(world, 0xA1) == "revoked"


def test_a_patch_needs_a_full_bundle(world: StatusWorld) -> None:
    with pytest.raises(NotReady, match="no full bundle yet"):
        world.publish_bundle._publish("issuing", PATCH)


def test_an_unknown_issuer_has_no_bundle(world: StatusWorld) -> None:
    with pytest.raises(NotFound):
        world.publish_bundle("nobody")


def test_issuers_without_a_signer_have_no_bundle(world: StatusWorld) -> None:
    with pytest.raises(PKIError):
        world.publish_bundle("root")
