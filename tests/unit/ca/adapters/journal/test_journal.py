"""ca/adapters/journal: lines that are on disk twice, and what a crash leaves of them."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from ca.adapters.journal.checkpoints import CheckpointLines
from ca.adapters.journal.journal import Journal
from ca.adapters.journal.keeper import Keeper
from ca.domain.audit import Checkpoint, Head
from ca.domain.errors import NotReady, Tampered
from ca.domain.journal import Act, Change, Entry, chained
from tests.builders import NOW, an_event

BEGINNING = Head()
CHANGE = Change(Act.UPDATE, "certificates", {"serial": "a1"}, {"status": "revoked", "reason": 1})


def entries(count: int, head: Head = BEGINNING) -> list[Entry]:
    made: list[Entry] = []
    for _ in range(count):
        made.append(chained(head, [an_event(), an_event("certificate.revoked")], (CHANGE,)))
        head = made[-1].head
    return made


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "journal", tmp_path / "mirror"


@pytest.fixture
def files(places: tuple[Path, Path]) -> tuple[Path, Path]:
    own, mirror = places
    return own / "journal.jsonl", mirror / "journal.jsonl"


def opened(places: tuple[Path, Path]) -> Journal:
    journal = Journal(*places)
    journal.open()
    return journal


def written(places: tuple[Path, Path], made: Sequence[Entry]) -> None:
    journal = opened(places)
    journal.append(made)
    journal.close()


def test_what_is_appended_is_in_both_places(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    made = entries(3)
    written(places, made[:1])
    written(places, made[1:])
    assert list(Journal(*places).read()) == made
    assert files[0].read_bytes() == files[1].read_bytes() == b"".join(one.line() for one in made)


def test_only_its_user_can_read_it(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    written(places, entries(1))
    assert [path.stat().st_mode & 0o777 for path in (*places, *files)] == [0o700, 0o700, 0o600, 0o600]


def test_an_opened_journal_knows_where_it_ends(places: tuple[Path, Path]) -> None:
    made = entries(5)
    written(places, made)
    assert opened(places).head == made[-1].head


def test_who_does_not_open_it_sees_where_it_ends(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    made = entries(2)
    assert Journal(*places).last() == Head()
    written(places, made)
    with files[0].open("ab") as end:
        end.write(b'{"events":[')
    assert Journal(*places).last() == made[-1].head


def test_a_journal_that_cannot_be_looked_at_says_so(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    files[0].parent.write_text("no directory")
    with pytest.raises(NotReady, match="cannot be read"):
        Journal(*places).last()


def test_a_last_line_longer_than_a_page_is_found(places: tuple[Path, Path]) -> None:
    long = chained(Head(), [an_event(details={"text": "x" * 200_000})], ())
    written(places, [long, *entries(1, long.head)])
    journal = opened(places)
    assert journal.head.number == 3
    journal.close()
    written(places, [chained(journal.head, [an_event(details={"text": "y" * 300_000})], ())])
    assert opened(places).head.number == 4


def test_an_empty_journal_ends_before_the_first_event(places: tuple[Path, Path]) -> None:
    assert list(Journal(*places).read()) == []
    assert opened(places).head == Head()


@pytest.mark.parametrize("torn", [b'{"events":[', b"\0" * 9000, b"x" * 200_000], ids=["half a line", "zeros", "much"])
def test_what_a_power_cut_left_of_a_line_is_cut_off(
    places: tuple[Path, Path], files: tuple[Path, Path], torn: bytes
) -> None:
    made = entries(2)
    written(places, made[:1])
    for file in files:
        with file.open("ab") as end:
            end.write(torn)

    assert list(Journal(*places).read()) == made[:1]
    written(places, made[1:])

    assert list(Journal(*places).read()) == made


def test_a_line_the_mirror_lacks_is_copied(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    made = entries(3)
    written(places, made)
    files[1].write_bytes(made[0].line() + made[1].line()[:20])

    opened(places).close()

    assert files[1].read_bytes() == files[0].read_bytes()


def test_a_mirror_that_is_new_gets_everything(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    written(places, entries(3))
    files[1].unlink()
    opened(places).close()
    assert files[1].read_bytes() == files[0].read_bytes()


def test_a_journal_shorter_than_its_mirror_is_not_written_on(
    places: tuple[Path, Path], files: tuple[Path, Path]
) -> None:
    made = entries(3)
    written(places, made)
    files[0].write_bytes(b"".join(one.line() for one in made[:2]))
    with pytest.raises(Tampered, match="shorter than its mirror"):
        Journal(*places).open()
    assert files[1].read_bytes() == b"".join(one.line() for one in made)


def test_a_journal_that_differs_from_its_mirror_is_not_written_on(
    places: tuple[Path, Path], files: tuple[Path, Path]
) -> None:
    written(places, entries(3))
    files[1].write_bytes(files[1].read_bytes().replace(b"revoked", b"revived"))
    with pytest.raises(Tampered, match="differ"):
        Journal(*places).open()
    with pytest.raises(Tampered, match=r"line 1 of .* is not the one of its mirror"):
        Journal(*places).require_mirrored()


def test_the_mirror_of_an_honest_journal_is_good(places: tuple[Path, Path]) -> None:
    written(places, entries(3))
    Journal(*places).require_mirrored()


def test_reading_ends_where_it_ended_when_it_began(places: tuple[Path, Path]) -> None:
    made = entries(3)
    journal = opened(places)
    journal.append(made[:2])
    reading = journal.read()
    journal.append(made[2:])
    assert list(reading) == made[:2]


@pytest.mark.parametrize("swap", [(0, 2), (1, 0)], ids=["one left out", "swapped"])
def test_a_line_out_of_its_place_is_found(
    places: tuple[Path, Path], files: tuple[Path, Path], swap: tuple[int, int]
) -> None:
    made = entries(3)
    files[0].parent.mkdir()
    files[0].write_bytes(b"".join(made[number].line() for number in swap))
    with pytest.raises(Tampered):
        list(Journal(*places).read())


def test_two_processes_do_not_write_it(places: tuple[Path, Path]) -> None:
    first = opened(places)
    with pytest.raises(NotReady, match="another process writes"):
        Journal(*places).open(patience=0)
    first.close()
    opened(places).close()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotReady, match="the journal cannot be written"):
        Journal(tmp_path / "journal", tmp_path / "file" / "mirror").open()


def test_a_journal_that_cannot_be_read_says_so(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    files[0].parent.write_text("no directory")
    with pytest.raises(NotReady, match="cannot be read"):
        Journal(*places).read()


# The keeper


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
    for entry in entries(2):
        commit(keeper, database, entry)
    assert list(journal.read()) == database.committed
    assert database.told == [2, 4]
    assert database.asked == 0


def test_who_comes_first_writes_for_all_that_are_committed(
    keeper: Keeper, journal: FullDisk, database: Database
) -> None:
    first, second, third = entries(3)
    for entry in (first, second, third):
        keeper.announce(entry)

    keeper.keep(second)

    assert list(journal.read()) == [first, second]
    keeper.keep(first)
    keeper.keep(third)
    assert list(journal.read()) == [first, second, third]


def test_an_entry_that_was_not_committed_is_not_written(keeper: Keeper, journal: FullDisk, database: Database) -> None:
    undone, done = entries(1)[0], chained(Head(), [an_event("customer.registered")], ())
    keeper.announce(undone)
    keeper.withdraw(undone)
    commit(keeper, database, done)
    assert list(journal.read()) == [done]


def test_a_commit_whose_outcome_nobody_learnt_is_asked_of_the_database(
    keeper: Keeper, journal: FullDisk, database: Database
) -> None:
    unsure, after = entries(2)
    keeper.announce(unsure)
    keeper.withdraw(unsure)
    database.committed.append(unsure)
    commit(keeper, database, after)
    assert list(journal.read()) == [unsure, after]


def test_while_the_journal_cannot_be_written_nothing_more_is_committed(
    keeper: Keeper, journal: FullDisk, database: Database
) -> None:
    first, second = entries(2)
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


def test_what_the_database_tells_must_follow(keeper: Keeper, journal: FullDisk, database: Database) -> None:
    database.committed = entries(2)[1:]
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
    first, second = entries(2)
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
                entry = chained(head[0], [an_event()], (CHANGE,))
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


# Checkpoints


def a_checkpoint(number: int) -> Checkpoint:
    return Checkpoint(number, bytes(32), NOW, b"signature")


def test_checkpoints_are_in_both_places(places: tuple[Path, Path]) -> None:
    lines = CheckpointLines(*places)
    assert lines.read() == []
    lines.append(a_checkpoint(1))
    lines.append(a_checkpoint(2))
    assert lines.read() == [a_checkpoint(1), a_checkpoint(2)] * 2


def test_a_checkpoint_torn_by_a_power_cut_is_written_over(places: tuple[Path, Path]) -> None:
    lines = CheckpointLines(*places)
    lines.append(a_checkpoint(1))
    with (places[0] / "checkpoints.jsonl").open("a") as file:
        file.write('{"number": 2, "ha')
    lines.append(a_checkpoint(3))
    assert lines.read() == [a_checkpoint(1), a_checkpoint(3)] * 2


def test_a_line_that_is_no_checkpoint_is_found(places: tuple[Path, Path]) -> None:
    CheckpointLines(*places).append(a_checkpoint(1))
    with (places[1] / "checkpoints.jsonl").open("a") as file:
        file.write("rubbish\n")
    with pytest.raises(Tampered, match="holds a line that is no checkpoint"):
        CheckpointLines(*places).read()


def test_a_place_for_checkpoints_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotReady, match="cannot be written"):
        CheckpointLines(tmp_path / "file" / "journal", tmp_path).append(a_checkpoint(1))
