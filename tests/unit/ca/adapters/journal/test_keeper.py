"""ca/adapters/journal/keeper.py: group commit, in the order of the chain, and nothing more after a failure."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from ca.adapters.journal.journal import Journal
from ca.adapters.journal.keeper import Keeper
from ca.domain.audit import Head
from ca.domain.errors import NotReady, Tampered
from ca.domain.journal import Entry, chained
from tests.builders import an_event, journal_entries


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "journal", tmp_path / "mirror"


class FullDisk(Journal):
    """A journal whose disk is full for a while; half of what it was given is there."""

    full = False

    def append(self, entries: Sequence[Entry]) -> None:
        if self.full:
            with self._files[0].open("ab") as file:
                file.write(entries[0].line()[:30])
            raise NotReady("the journal cannot be written: No space left on device")
        super().append(entries)


class Database:
    """What is committed, and who is told when the journal has grown."""

    def __init__(self) -> None:
        self.committed: list[Entry] = []
        self.asked = 0
        self.told: list[int] = []

    def waiting(self, after: int) -> list[Entry]:
        self.asked += 1
        return [entry for entry in self.committed if entry.head.number > after]


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def journal(places: tuple[Path, Path]) -> FullDisk:
    journal = FullDisk(*places)
    journal.open()
    return journal


@pytest.fixture
def keeper(journal: FullDisk, database: Database) -> Keeper:
    return Keeper(journal, waiting=database.waiting, kept=lambda _: database.told.append(journal.head.number))


def commit(keeper: Keeper, database: Database, entry: Entry) -> None:
    keeper.require_ready()
    keeper.announce(entry)
    database.committed.append(entry)
    keeper.keep(entry)


def test_a_kept_entry_is_in_the_journal_and_told(keeper: Keeper, journal: FullDisk, database: Database) -> None:
    for entry in journal_entries(2):
        commit(keeper, database, entry)
    assert list(journal.read()) == database.committed
    assert database.told == [2, 4]
    assert database.asked == 0


def test_who_comes_first_writes_for_all_that_are_committed(
    keeper: Keeper, journal: FullDisk, database: Database
) -> None:
    first, second, third = journal_entries(3)
    for entry in (first, second, third):
        keeper.announce(entry)

    keeper.keep(second)

    assert list(journal.read()) == [first, second]
    keeper.keep(first)
    keeper.keep(third)
    assert list(journal.read()) == [first, second, third]


def test_an_entry_that_was_not_committed_is_not_written(keeper: Keeper, journal: FullDisk, database: Database) -> None:
    undone, done = journal_entries(1)[0], chained(Head(), [an_event("customer.registered")], ())
    keeper.announce(undone)
    keeper.withdraw(undone)
    commit(keeper, database, done)
    assert list(journal.read()) == [done]


def test_a_commit_whose_outcome_nobody_learnt_is_asked_of_the_database(
    keeper: Keeper, journal: FullDisk, database: Database
) -> None:
    unsure, after = journal_entries(2)
    keeper.announce(unsure)
    keeper.withdraw(unsure)
    database.committed.append(unsure)
    commit(keeper, database, after)
    assert list(journal.read()) == [unsure, after]


def test_while_the_journal_cannot_be_written_nothing_more_is_committed(
    keeper: Keeper, journal: FullDisk, database: Database
) -> None:
    first, second = journal_entries(2)
    journal.full = True
    with pytest.raises(NotReady, match="No space left"):
        commit(keeper, database, first)
    with pytest.raises(NotReady, match="No space left"):
        commit(keeper, database, second)
    assert database.committed == [first]

    journal.full = False
    commit(keeper, database, second)

    assert list(journal.read()) == [first, second]
    assert database.told[-1] == 4


class SlowDisk(Journal):
    """A journal that is being written for as long as one wants."""

    def __init__(self, directory: Path, mirror: Path) -> None:
        super().__init__(directory, mirror)
        self.is_writing, self.may_end = threading.Event(), threading.Event()

    def append(self, entries: Sequence[Entry]) -> None:
        self.is_writing.set()
        assert self.may_end.wait(60)
        super().append(entries)


def test_nobody_waits_for_a_journal_that_is_only_being_written(places: tuple[Path, Path], database: Database) -> None:
    journal = SlowDisk(*places)
    journal.open()
    keeper = Keeper(journal, waiting=database.waiting, kept=lambda _: None)
    (entry,) = journal_entries(1)
    writer = threading.Thread(target=commit, args=(keeper, database, entry))
    writer.start()
    assert journal.is_writing.wait(60)

    asker = threading.Thread(target=keeper.require_ready)
    asker.start()
    asker.join(60)
    waited = asker.is_alive()
    journal.may_end.set()
    writer.join()

    assert not waited
    assert journal.head == entry.head


def test_what_the_database_tells_must_follow(keeper: Keeper, journal: FullDisk, database: Database) -> None:
    database.committed = journal_entries(2)[1:]
    with pytest.raises(Tampered, match="audit event 1 is missing"):
        keeper.catch_up()
    assert list(journal.read()) == []


def test_whoever_follows_the_journal_is_told_again_after_it_failed(
    journal: FullDisk, database: Database, places: tuple[Path, Path]
) -> None:
    failing = [True]

    def kept(entries: Sequence[Entry]) -> None:
        if failing[0]:
            raise NotReady("the map is full")
        database.told.append(journal.head.number)

    keeper = Keeper(journal, waiting=database.waiting, kept=kept)
    first, second = journal_entries(2)
    with pytest.raises(NotReady, match="the map is full"):
        commit(keeper, database, first)
    failing[0] = False
    commit(keeper, database, second)
    assert database.told == [2, 4]
    assert list(journal.read()) == [first, second]


def test_many_at_once_are_written_in_the_order_of_the_chain(
    keeper: Keeper, journal: FullDisk, database: Database
) -> None:
    chain, head = threading.Lock(), [Head()]

    def act() -> None:
        for _ in range(20):
            # As in the database: the chain is locked from the announcement to the commit, not while it is kept.
            with chain:
                entry = chained(head[0], [an_event()], ())
                keeper.announce(entry)
                database.committed.append(entry)
                head[0] = entry.head
            keeper.keep(entry)
            assert journal.head.number >= entry.head.number

    threads = [threading.Thread(target=act) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list(journal.read()) == database.committed
    assert len(database.committed) == 160
    assert database.asked == 0
