"""ca/usecases/publish_tool.py: the signer packs, signs and numbers the tool by itself, and again when it must."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from ca.adapters.tool_offer import ToolDirectory
from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotReady
from ca.domain.jws import verified
from ca.domain.keys import KeyAlgorithm
from ca.domain.tool_cases import Program
from ca.domain.tool_releases import KIND, LIFE, RENEWED_AFTER, Packed, ToolRelease
from ca.usecases.publish_tool import TOOL_RELEASE_KEY, PublishTool
from tests.fakes.clock import FakeClock
from tests.fakes.key_store import FakeKeyStore, FakeSeals
from tests.fakes.work import FakeUnitOfWork


class World:
    def __init__(self, place: Path) -> None:
        self.unit_of_work, self.clock, self.key_store = FakeUnitOfWork(), FakeClock(), FakeKeyStore()
        self.key_store.generate(TOOL_RELEASE_KEY, "", KeyAlgorithm.EC_P256)
        self.place, self.sources, self.version, self.program = place, b"sources", "1.0.0", "aa" * 32
        self.seals = FakeSeals()

    def publish(self) -> ToolRelease | None:
        packed = [Packed("ushield.pyz", self.sources), Packed("x.zip", b"x")]
        offer, program = ToolDirectory(self.place), Program(self.version, self.program)
        return PublishTool(
            self.unit_of_work, self.clock, self.key_store, self.seals, offer, lambda: packed, program
        )()  # fmt: skip

    @property
    def offered(self) -> ToolRelease:
        text = (self.place / "release.jws").read_text()
        return ToolRelease.parse(verified(KIND, text, self.key_store.public_key(TOOL_RELEASE_KEY)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "tool")


def test_a_release_names_files_version_number_and_a_week(world: World) -> None:
    before = os.umask(0)
    made = world.publish()
    os.umask(before)

    assert world.place.stat().st_mode & 0o022 == 0
    assert made == world.offered
    assert (made.number, made.version, made.expires_at) == (1, "1.0.0", world.clock.now() + LIFE)
    assert made.files["ushield.pyz"].is_of(b"sources")
    assert (world.place / "ushield.pyz").read_bytes() == b"sources"
    (event,) = world.unit_of_work.events
    assert (event.name, event.details["number"], event.details["version"]) == ("tool.released", "1", "1.0.0")


def test_nothing_is_signed_while_it_is_right(world: World) -> None:
    world.publish()
    world.clock.tick(RENEWED_AFTER - timedelta(seconds=1))

    assert world.publish() is None
    assert len(world.key_store.signed) == 1


@pytest.mark.parametrize(
    "change", ["sources", "version", "age", "altered file", "lost file", "lost list", "altered list", "clock back"]
)
def test_whatever_changes_it_is_made_anew_with_a_higher_number(world: World, change: str) -> None:
    world.publish()
    match change:
        case "sources":
            world.sources = b"other"
        case "version":
            world.version = "1.0.1"
        case "age":
            world.clock.tick(RENEWED_AFTER)
        case "altered file":
            (world.place / "ushield.pyz").write_bytes(b"evil")
        case "lost file":
            (world.place / "x.zip").unlink()
        case "lost list":
            (world.place / "release.jws").unlink()
        case "altered list":
            (world.place / "release.jws").write_text("a.b.c")
        case "clock back":
            world.clock.tick(timedelta(seconds=-1))
    made = world.publish()

    assert made is not None
    assert made.number == (2 if change != "clock back" else made.number)
    assert world.offered == made
    assert (world.place / "ushield.pyz").read_bytes() == world.sources


def test_an_older_list_that_somebody_put_back_does_not_take_the_number_back(world: World) -> None:
    world.publish()
    old = (world.place / "release.jws").read_text()
    world.sources = b"newer"
    world.publish()
    (world.place / "release.jws").write_text(old)

    made = world.publish()
    assert made is not None
    assert made.number == 3


def test_an_hsm_that_is_away_leaves_what_is_offered(world: World) -> None:
    world.publish()
    before = world.offered
    world.sources, world.key_store.away = b"other", True

    with pytest.raises(KeyStoreUnavailable):
        world.publish()
    world.key_store.away = False
    assert world.offered == before


def test_a_bank_without_the_key_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.key_store = FakeKeyStore()

    with pytest.raises(NotReady, match="tool-release-1"):
        world.publish()


@pytest.mark.parametrize(
    "claims", [{}, {"v": 2}, {"v": 1, "files": []}, {"v": 1, "files": {"a": {}}}, {"v": 1, "files": {}, "iat": 1e300}]
)
def test_claims_that_are_no_release_are_refused(claims: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        ToolRelease.parse(claims)
