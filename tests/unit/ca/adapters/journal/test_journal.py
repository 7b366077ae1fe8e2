"""ca/adapters/journal: lines that are on disk twice, and what a crash leaves of them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ca.adapters.journal.checkpoints import CheckpointLines
from ca.adapters.journal.journal import Journal
from ca.domain.audit import Checkpoint, Head
from ca.domain.errors import NotReady, Tampered
from ca.domain.journal import Act, Change, Entry, chained
from tests.builders import NOW, an_event, journal_entries


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
    made = journal_entries(3)
    written(places, made[:1])
    written(places, made[1:])
    assert list(Journal(*places).read()) == made
    assert files[0].read_bytes() == files[1].read_bytes() == b"".join(one.line() for one in made)


def test_only_its_user_can_read_it(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    written(places, journal_entries(1))
    assert [path.stat().st_mode & 0o777 for path in (*places, *files)] == [0o700, 0o700, 0o600, 0o600]


def test_an_opened_journal_knows_where_it_ends(places: tuple[Path, Path]) -> None:
    made = journal_entries(5)
    written(places, made)
    assert opened(places).head == made[-1].head


def test_who_does_not_open_it_sees_where_it_ends(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    made = journal_entries(2)
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
    written(places, [long, chained(long.head, [an_event(), an_event()], ())])
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
    made = journal_entries(2)
    written(places, made[:1])
    for file in files:
        with file.open("ab") as end:
            end.write(torn)

    assert list(Journal(*places).read()) == made[:1]
    written(places, made[1:])

    assert list(Journal(*places).read()) == made


def test_a_line_the_mirror_lacks_is_copied(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    made = journal_entries(3)
    written(places, made)
    files[1].write_bytes(made[0].line() + made[1].line()[:20])

    opened(places).close()

    assert files[1].read_bytes() == files[0].read_bytes()


def test_a_mirror_that_is_new_gets_everything(places: tuple[Path, Path], files: tuple[Path, Path]) -> None:
    written(places, journal_entries(3))
    files[1].unlink()
    opened(places).close()
    assert files[1].read_bytes() == files[0].read_bytes()


def test_a_journal_shorter_than_its_mirror_is_not_written_on(
    places: tuple[Path, Path], files: tuple[Path, Path]
) -> None:
    made = journal_entries(3)
    written(places, made)
    files[0].write_bytes(b"".join(one.line() for one in made[:2]))
    with pytest.raises(Tampered, match="shorter than its mirror"):
        Journal(*places).open()
    assert files[1].read_bytes() == b"".join(one.line() for one in made)


def test_a_journal_that_differs_from_its_mirror_is_not_written_on(
    places: tuple[Path, Path], files: tuple[Path, Path]
) -> None:
    written(places, journal_entries(3))
    files[1].write_bytes(files[1].read_bytes().replace(b"revoked", b"revived"))
    with pytest.raises(Tampered, match="differ"):
        Journal(*places).open()
    with pytest.raises(Tampered, match=r"line 1 of .* is not the one of its mirror"):
        Journal(*places).require_mirrored()


def test_the_mirror_of_an_honest_journal_is_good(places: tuple[Path, Path]) -> None:
    written(places, journal_entries(3))
    Journal(*places).require_mirrored()


def test_reading_ends_where_it_ended_when_it_began(places: tuple[Path, Path]) -> None:
    made = journal_entries(3)
    journal = opened(places)
    journal.append(made[:2])
    reading = journal.read()
    journal.append(made[2:])
    assert list(reading) == made[:2]


@pytest.mark.parametrize("swap", [(0, 2), (1, 0)], ids=["one left out", "swapped"])
def test_a_line_out_of_its_place_is_found(
    places: tuple[Path, Path], files: tuple[Path, Path], swap: tuple[int, int]
) -> None:
    made = journal_entries(3)
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


# Checkpoints


def a_checkpoint(number: int) -> Checkpoint:
    return Checkpoint(number, bytes(32), NOW, b"signature")


def test_checkpoints_are_in_both_places(places: tuple[Path, Path]) -> None:
    lines = CheckpointLines(*places)
    assert lines.read() == []
    lines.append(a_checkpoint(1))
    lines.append(a_checkpoint(2))
    assert lines.read() == [a_checkpoint(1), a_checkpoint(2)] * 2


def test_checkpoints_made_at_once_do_not_write_over_each_other(places: tuple[Path, Path]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: CheckpointLines(*places).append(a_checkpoint(number)), range(1, 201)))

    kept = CheckpointLines(*places).read()

    assert sorted(one.number for one in kept) == sorted([*range(1, 201)] * 2)


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


def _of_many_lengths(count: int) -> list[Entry]:
    entries, head = [], Head()
    for number in range(count):
        # Some lines are longer than what is read at once.
        filler = Change(Act.DELETE, "codes", {"id": "x" * (70_000 if number % 5 == 3 else number)}, {})
        entries.append(chained(head, [an_event(f"e.{number}")] * (1 + number % 3), [filler]))
        head = entries[-1].head
    return entries


def test_it_is_read_from_the_end_of_any_entry(places: tuple[Path, Path]) -> None:
    made = _of_many_lengths(13)
    written(places, made)
    journal = Journal(*places)

    for position, entry in enumerate(made, start=1):
        assert journal.head_at(entry.head.number) == entry.head
        assert list(journal.read(after=entry.head)) == made[position:]


def test_in_the_middle_of_an_entry_or_behind_the_last_nothing_ends(places: tuple[Path, Path]) -> None:
    made = _of_many_lengths(3)
    written(places, made)

    for number in (made[1].first, made[-1].head.number + 1):
        with pytest.raises(Tampered, match=f"event {number}"):
            Journal(*places).head_at(number)
    with pytest.raises(Tampered, match="event 1"):
        Journal(places[0] / "nowhere", places[1]).head_at(1)


def test_another_story_is_not_read_on(places: tuple[Path, Path]) -> None:
    made = _of_many_lengths(3)
    written(places, made)

    with pytest.raises(Tampered, match="another story"):
        Journal(*places).read(after=Head(made[0].head.number, b"\1" * 32))
