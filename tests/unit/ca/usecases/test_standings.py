"""ca/usecases/standings.py: the map follows the journal, never a row, and never takes back what was acted on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain.audit import AuditEvent, Head
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import NotReady, Tampered
from ca.domain.journal import Act, Change, chained
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing
from ca.keeping import Record
from ca.usecases.audit import AUDIT_KEY
from ca.usecases.standings import BuildStandings, FollowRecords, KeepSnapshot
from tests.builders import NOW
from tests.fakes.bank import Bank
from tests.fakes.ceremony import FakeJournal
from tests.fakes.standings import FakeStandings

GOOD = Standing("issuing", CertificateStatus.ACTIVE, NOW, NOW, None)
REVOKED = replace(GOOD, status=CertificateStatus.REVOKED, revocation=Revocation(RevocationReason.SUPERSEDED, NOW))
HELD = replace(GOOD, status=CertificateStatus.ON_HOLD, revocation=Revocation(RevocationReason.CERTIFICATE_HOLD, NOW))
UNCONFIRMED = replace(GOOD, status=CertificateStatus.UNCONFIRMED)


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_what_another_signer_did_is_taken_in(bank: Bank) -> None:
    bank.active()
    mine = bank.unit_of_work.standings = FakeStandings()
    mine.rebuild([], number=1)
    follow = FollowRecords(bank.unit_of_work, mine)

    assert follow()
    assert mine.applied() == len(bank.stored.audit)
    assert not follow()


def test_records_older_than_the_map_are_refused(bank: Bank) -> None:
    bank.active()
    del bank.stored.audit[-1]

    with pytest.raises(NotReady, match="older"):
        FollowRecords(bank.unit_of_work, bank.unit_of_work.standings)()


class FakeKeys:
    """The audit key's part of ports.KeyStore."""

    def __init__(self) -> None:
        self.signed: list[tuple[Any, Any]] = []

    def sign(self, key: Any, message: Any) -> bytes:
        self.signed.append((key, message))
        return b"signature"


@dataclass
class FakeSnapshot:
    """ports.StandingsSnapshot."""

    kept: tuple[Head, list[Record]] | None = None
    damaged: bool = False

    def number(self) -> int:
        return self.kept[0].number if self.kept else 0

    def read(self) -> tuple[Head, Iterator[Record]] | None:
        if self.damaged:
            raise Tampered("the snapshot is not what was signed")
        return (self.kept[0], iter(self.kept[1])) if self.kept else None

    def write(self, head: Head, records: Iterator[Record], sign: Callable[[bytes], bytes]) -> None:
        sign(head.hash)
        self.kept = head, list(records)


def _standings_in(changes: Sequence[Change]) -> list[tuple[int, Standing]]:
    return [
        (int(str(change.key["serial"]), 16), Standing.unpack(bytes.fromhex(str(change.values["stands"]))))
        for change in changes
    ]


@dataclass
class Story:
    """A journal, the map that was kept with it, and what builds another one."""

    journal: FakeJournal = field(default_factory=FakeJournal)
    live: FakeStandings = field(default_factory=FakeStandings)
    snapshot: FakeSnapshot = field(default_factory=FakeSnapshot)
    keys: FakeKeys = field(default_factory=FakeKeys)

    def __post_init__(self) -> None:
        self.live.rebuild([], number=0)

    def tell(self, *changed: tuple[int, Standing], events: int = 1) -> None:
        before = self.journal.last()
        changes = [
            Change(Act.UPDATE, "certificates", {"serial": f"{serial:x}"}, {"stands": standing.pack().hex()})
            for serial, standing in changed
        ]
        told = [AuditEvent("certificate.changed", "1", "signer", NOW, {}) for _ in range(events)]
        self.journal.kept.append(chained(before, told, changes))
        self.live.apply(changed, after=before.number, number=self.journal.last().number)

    def keep(self) -> int | None:
        keys: Any = self.keys
        return KeepSnapshot(self.live, self.snapshot, self.journal, keys)()

    def build(self, standings: FakeStandings | None = None) -> FakeStandings:
        built = FakeStandings() if standings is None else standings
        BuildStandings(built, self.snapshot, self.journal, _standings_in)()
        return built


@pytest.fixture
def story() -> Story:
    story = Story()
    story.tell((1, UNCONFIRMED), (2, GOOD), events=2)
    story.tell((1, GOOD))
    return story


def test_without_a_snapshot_the_whole_journal_is_read(story: Story) -> None:
    built = story.build()

    assert (built.kept, built.applied()) == ({1: GOOD, 2: GOOD}, 3)


def test_with_one_only_the_journal_behind_it(story: Story) -> None:
    assert story.keep() == 3
    story.tell((2, REVOKED))
    del story.journal.kept[0]  # nobody asks for it

    assert story.build().kept == {1: GOOD, 2: REVOKED}


def test_it_is_signed_by_the_audit_key_and_kept_once_for_each_event(story: Story) -> None:
    assert [story.keep(), story.keep()] == [3, None]
    assert [key for key, _ in story.keys.signed] == [AUDIT_KEY]


def test_a_map_that_only_lacks_the_last_acts_is_not_read_from_the_snapshot(story: Story) -> None:
    behind = story.build()
    story.tell((2, HELD), events=3)
    story.snapshot.damaged = True

    assert story.build(behind).kept == story.live.kept
    assert behind.applied() == 6


def test_a_snapshot_that_was_edited_costs_time_and_nothing_else(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    story.tell((2, REVOKED))
    story.keep()
    story.snapshot.damaged = True

    assert story.build().kept == {1: GOOD, 2: REVOKED}
    assert "not what was signed" in caplog.text


def test_a_journal_older_than_the_snapshot_is_refused(story: Story) -> None:
    story.tell((2, REVOKED))
    story.keep()
    del story.journal.kept[-1]

    with pytest.raises(NotReady, match="older"):
        story.build()


def test_a_snapshot_of_another_story_is_refused(story: Story) -> None:
    other = Story()
    other.tell((1, GOOD), events=3)
    other.keep()
    story.snapshot = other.snapshot

    with pytest.raises(Tampered, match="another story"):
        story.build()


def test_a_journal_that_does_not_come_to_its_end_is_refused(story: Story) -> None:
    class Interrupted(FakeJournal):
        def last(self) -> Head:
            return Head(9, b"\1" * 32)

    story.journal = Interrupted(story.journal.kept)

    with pytest.raises(Tampered, match="event 9"):
        story.build()


def test_of_a_long_journal_the_log_says_how_far_it_is(
    story: Story, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ca.usecases.standings._TOLD_EVERY", 2)
    caplog.set_level("INFO")

    story.build()

    assert "event 2 of 3" in caplog.text


_NEXT = {UNCONFIRMED: (GOOD, REVOKED), GOOD: (HELD, REVOKED), HELD: (GOOD, REVOKED), REVOKED: ()}


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 1), st.booleans(), st.integers(1, 3)), max_size=40))
def test_whatever_was_done_and_whenever_it_was_kept_a_built_map_is_the_live_one(
    acts: list[tuple[int, int, bool, int]],
) -> None:
    story, stands = Story(), dict[int, Standing]()
    for serial, choice, keep, events in acts:
        choices = _NEXT[stands[serial]] if serial in stands else (UNCONFIRMED, GOOD)
        if choices:
            stands[serial] = choices[choice]
            story.tell((serial, stands[serial]), events=events)
        if keep:
            story.keep()

    assert story.build().kept == story.live.kept == stands
