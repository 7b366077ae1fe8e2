"""Deleting from the U-Shield: what has ended goes, what is still needed stays."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.ushield import FakeDevice, PulledOut, Watcher, World
from ushield.delete import delete, find, require_ended, require_unused
from ushield.download import Step
from ushield.errors import NothingThere, StillUsed, StillValid
from ushield.pending import Pending, Shelf
from ushield.renew import reference_of

SERIAL = "a1b2c3d4e5"
BEFORE, AFTER = datetime(2026, 12, 24, tzinfo=UTC), datetime(2027, 12, 24, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.run()
    return world


def shelf(world: World) -> Shelf:
    return Shelf(world.device, world.state_directory)


@pytest.mark.parametrize("written", [SERIAL, "A1B2 C3D4 E5", "00a1:b2:c3:d4:e5"])
def test_a_certificate_goes_with_its_key_pair(world: World, written: str) -> None:
    going = find(world.device, written)
    require_unused(world.device, shelf(world), going)
    require_ended(going, AFTER)

    delete(world.device, going)

    assert world.device.stored == []
    assert world.device.private_keys == {}


def test_one_that_is_still_valid_stays(world: World) -> None:
    with pytest.raises(StillValid, match=r"2027-11-23"):
        require_ended(find(world.device, SERIAL), BEFORE)


@pytest.mark.parametrize("wanted", ["", "0", "ffff", "not hex"])
def test_what_is_not_there_cannot_be_deleted(world: World, wanted: str) -> None:
    with pytest.raises(NothingThere):
        find(world.device, wanted)


def test_what_an_unfinished_renewal_starts_from_stays(world: World) -> None:
    shelf(world).save(Pending(reference_of(SERIAL), "person", world.bank.requests[0], True))

    with pytest.raises(StillUsed):
        require_unused(world.device, shelf(world), find(world.device, SERIAL))


def test_so_it_is_when_the_u_shield_keeps_no_notes(world: World) -> None:
    world.device.keeps_notes = False
    shelf(world).save(Pending(reference_of(SERIAL), "person", world.bank.requests[0], True))

    with pytest.raises(StillUsed):
        require_unused(world.device, shelf(world), find(world.device, SERIAL))


@pytest.mark.parametrize("step", [Step.REQUEST, Step.STORE])
def test_what_an_unfinished_download_made_stays(tmp_path: Path, step: Step) -> None:
    world = World(tmp_path)
    with pytest.raises(PulledOut):
        world.run(Watcher(step))
    (entry,) = world.device.private_keys
    wanted = entry.hex() if not world.device.stored else SERIAL

    with pytest.raises(StillUsed):
        require_unused(world.device, shelf(world), find(world.device, wanted))


def test_a_left_over_key_pair_is_deleted_by_its_identifier(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(PulledOut):
        world.run(Watcher(Step.KEY))
    (identifier,) = world.device.private_keys
    going = find(world.device, identifier.hex())
    require_unused(world.device, shelf(world), going)
    require_ended(going, BEFORE)

    delete(world.device, going)

    assert world.device.private_keys == {}


class FailsAfterKey(FakeDevice):
    def destroy_certificate(self, key_id: bytes) -> None:
        raise PulledOut


def test_cut_off_in_between_the_same_again_removes_the_rest(world: World) -> None:
    falling = FailsAfterKey(opened=True, stored=world.device.stored, private_keys=world.device.private_keys)
    with pytest.raises(PulledOut):
        delete(falling, find(falling, SERIAL))

    delete(world.device, find(world.device, SERIAL))

    assert world.device.stored == []
