"""ca/usecases/follow_targets.py: targets come to hold what the directory holds, whatever happens to them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.errors import NotReady
from ca.publishing import PublishedFile
from ca.targets import Held, Item
from ca.usecases.follow_targets import FollowTargets
from tests.fakes.status_world import StatusWorld

MINUTE = timedelta(minutes=1)


class FakeTarget:
    """targets.Target. `away` unplugs it; `held` is what is there."""

    def __init__(self, name: str = "cloud", *, without: str = "") -> None:
        self.name = name
        self.without = without
        self.away = False
        self.held: dict[str, tuple[Held, bytes]] = {}
        self.asked = 0
        self.puts: list[str] = []

    def takes(self, path: str) -> bool:
        return not self.without or not path.startswith(self.without)

    def find(self, path: str) -> Held | None:
        self.asked += 1
        if self.away:
            raise NotReady("nobody answers")
        return self.held[path][0] if path in self.held else None

    def put(self, item: Item, content: PublishedFile, over: Held | None) -> None:
        if self.find(item.path) != over:
            raise NotReady("somebody else wrote there")
        self.puts.append(item.path)
        self.held[item.path] = Held(item.number, item.sha256, str(len(self.puts))), content.read(0, content.size)


class Site:
    def __init__(self) -> None:
        self.world = StatusWorld()
        self.world.issue(0xA1)
        self.world.issue(0xA2, partition=2)
        self.world.publish_crl("issuing")
        self.world.publish_bundle("issuing")
        self.cloud, self.other = FakeTarget(), FakeTarget("directory", without="bundle/")
        self.follow = self.anew()

    def anew(self) -> FollowTargets:
        """As after a restart."""
        world = self.world
        return FollowTargets(world.unit_of_work, world.clock, world.publisher, [self.cloud, self.other])

    def there(self, target: FakeTarget) -> dict[str, bytes]:
        return {path: content for path, (_, content) in target.held.items()}

    def public(self) -> dict[str, bytes]:
        publisher = self.world.publisher
        certificates = {f"ca/{each.name}.cer": each.certificate_der for each in (self.world.root, self.world.issuing)}
        crls = {f"crl/{name}.crl": content for name, content in publisher.crls.items()}
        return certificates | crls | {f"bundle/{name}.{kind}": one for (name, kind), one in publisher.bundles.items()}

    def events(self) -> list[tuple[str, str]]:
        return [(each.name, each.subject) for each in self.world.unit_of_work.events if each.name.startswith("public")]


@pytest.fixture
def site() -> Site:
    return Site()


def test_every_target_comes_to_hold_all_that_it_takes(site: Site) -> None:
    both = len(site.public()) + sum(not path.startswith("bundle/") for path in site.public())
    assert site.follow() == f"sent {both}"
    assert site.there(site.cloud) == site.public()
    assert site.there(site.other) == {
        path: one for path, one in site.public().items() if not path.startswith("bundle/")
    }
    assert site.follow() == "every target holds everything"
    assert site.events().count(("publication.sent", "crl/issuing.crl")) == 2


def test_what_is_new_is_sent_and_nothing_else(site: Site) -> None:
    site.follow()
    site.cloud.puts.clear()
    site.world.revoke(0xA2)
    site.world.publish_crl.publish_changes("issuing")
    site.follow()
    assert site.cloud.puts == ["crl/issuing.crl", "crl/issuing-p2.crl", "crl/issuing-delta.crl"]
    assert site.there(site.cloud) == site.public()


def test_a_target_that_is_away_fails_alone_is_told_once_and_catches_up(site: Site) -> None:
    site.cloud.away = True
    for _ in range(3):
        with pytest.raises(NotReady, match="cloud is behind since 23 Nov 2026, 12:00 UTC: nobody answers"):
            site.follow()
        site.world.clock.tick(MINUTE)
    assert site.there(site.other)
    site.world.publish_crl("issuing")
    site.cloud.away = False
    site.follow()
    assert site.there(site.cloud) == site.public()
    about = [name for name, subject in site.events() if subject == "cloud"]
    assert about == ["publication.failed", "publication.recovered"]


def test_after_a_restart_what_is_there_is_not_sent_again(site: Site) -> None:
    site.follow()
    site.cloud.puts.clear()
    assert site.anew()() == "every target holds everything"
    assert site.cloud.puts == []


def test_what_was_right_is_not_asked_for_each_time_but_again_and_again(site: Site) -> None:
    site.follow()
    asked = site.cloud.asked
    site.follow()
    assert site.cloud.asked == asked
    site.cloud.held["crl/issuing.crl"] = Held(0, "other"), b"somebody else's"
    site.world.clock.tick(5 * MINUTE)
    site.follow()
    assert site.there(site.cloud) == site.public()


def test_an_older_list_never_takes_the_place_of_a_newer_one(site: Site) -> None:
    site.follow()
    newer = Held(99, "of another signer"), b"newer"
    site.cloud.held["crl/issuing.crl"] = newer
    with pytest.raises(NotReady, match=r"has number 99, ours [0-9]+: see who writes there"):
        site.anew()()
    assert site.cloud.held["crl/issuing.crl"] == newer


def test_a_file_that_is_not_the_recorded_one_is_not_sent(site: Site) -> None:
    site.world.publisher.crls["issuing"] = b"written over by somebody"
    with pytest.raises(NotReady, match=r"the public directory holds another crl/issuing\.crl"):
        site.follow()
    assert "crl/issuing.crl" not in site.cloud.held
    assert "crl/issuing-delta.crl" in site.cloud.held


def test_two_who_send_at_once_do_not_undo_each_other(site: Site) -> None:
    put = site.cloud.put

    def raced(item: Item, content: PublishedFile, over: Held | None) -> None:
        site.cloud.held[item.path] = Held(item.number + 1, "newer", "theirs"), b"newer"
        put(item, content, over)

    site.cloud.put = raced  # type: ignore[method-assign]
    with pytest.raises(NotReady, match="somebody else wrote there"):
        site.follow()
    assert next(iter(site.cloud.held.values()))[1] == b"newer"


def test_one_file_that_is_refused_does_not_hold_up_the_others(site: Site) -> None:
    put = site.cloud.put

    def refusing(item: Item, content: PublishedFile, over: Held | None) -> None:
        if item.path == "crl/issuing.crl":
            raise NotReady("too long")
        put(item, content, over)

    site.cloud.put = refusing  # type: ignore[method-assign]
    with pytest.raises(NotReady, match="too long"):
        site.follow()
    assert site.there(site.cloud).keys() == site.public().keys() - {"crl/issuing.crl"}


def test_what_was_exchanged_under_the_same_name_is_sent_again(site: Site) -> None:
    site.follow()
    held, _ = site.cloud.held["crl/issuing.crl"]
    site.cloud.held["crl/issuing.crl"] = replace(held, tag="another version"), b"exchanged"
    site.world.clock.tick(5 * MINUTE)
    site.follow()
    assert site.there(site.cloud) == site.public()


def test_what_does_not_stay_as_it_was_put_is_told(site: Site) -> None:
    put = site.cloud.put

    def spoiling(item: Item, content: PublishedFile, over: Held | None) -> None:
        put(item, content, over)
        site.cloud.held[item.path] = Held(item.number, "other"), b"spoiled"

    site.cloud.put = spoiling  # type: ignore[method-assign]
    with pytest.raises(NotReady, match="is not what was put there"):
        site.follow()
