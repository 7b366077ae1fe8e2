"""ocsp/standings.py: the signer's map as the status process sees it, whatever happens to its file."""

import os
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from ca.adapters.standings import StandingsMap
from ca.domain.errors import NotReady
from ca.domain.standings import packed_records, serial_key
from ocsp.standings import MappedStandings
from tests.contracts.standings import GOOD, REVOKED

KEY = serial_key(0xA1) or b""


class Host:
    """The signer's side and a reader that looks at the file each time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.boot_id = directory / "boot_id"
        self.boot_id.write_text("first\n")
        self.written = StandingsMap(directory / "standings", boot_id=str(self.boot_id))
        self.read = MappedStandings(directory / "standings", boot_id=str(self.boot_id))

    def find(self, key: bytes = KEY) -> bytes | None:
        self.read._look_at = 0.0
        return self.read.find(key)

    def in_another_process(self) -> None:
        """LMDB has an environment open once in a process: the signer lets go of it before the reader looks."""
        self.written.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    host.written.rebuild(packed_records([(0xA1, GOOD)]), number=1)
    host.in_another_process()
    yield host
    host.in_another_process()


def test_what_was_written_is_read(host: Host) -> None:
    assert host.find() == GOOD.pack()
    assert host.find(serial_key(0xA2) or b"") is None


def test_nothing_can_be_written_through_it(host: Host) -> None:
    host.find()
    assert host.read._environment is not None
    with pytest.raises(lmdb.ReadonlyError):
        host.read._environment.begin(write=True)


def test_without_a_map_it_is_not_ready_and_with_one_it_is(host: Host) -> None:
    directory = host.directory / "standings"
    directory.rename(host.directory / "away")
    with pytest.raises(NotReady):
        host.find()

    (host.directory / "away").rename(directory)
    assert host.find() == GOOD.pack()


def test_one_that_is_not_complete_is_not_ready(host: Host) -> None:
    host.written._remove()
    host.written.apply([(0xA1, REVOKED)], after=1, number=2)
    host.in_another_process()

    with pytest.raises(NotReady):
        host.find()


def test_one_that_was_put_in_its_place_is_read_instead(host: Host) -> None:
    assert host.find() == GOOD.pack()
    host.written._remove()
    host.written.rebuild(packed_records([(0xA1, REVOKED)]), number=2)
    host.in_another_process()

    assert host.find() == REVOKED.pack()


def test_one_of_another_boot_is_not_ready(host: Host) -> None:
    host.boot_id.write_text("second\n")

    with pytest.raises(NotReady):
        host.find()


def test_between_two_looks_at_the_file_it_is_not_looked_at(host: Host) -> None:
    host.find()
    os.rename(host.directory / "standings", host.directory / "away")  # noqa: PTH104 - short
    host.read._look_at = float("inf")

    assert host.read.find(KEY) == GOOD.pack()


def test_those_that_come_next_are_in_the_order_of_serials(host: Host) -> None:
    assert host.read.walk(bytes(20), 10) == []
    host.written.rebuild(packed_records([(serial, GOOD) for serial in (3, 1, 2, 0x1FF)]), number=2)
    host.in_another_process()
    host.find()
    one, two = (serial_key(serial) or b"" for serial in (1, 2))

    assert host.read.walk(bytes(20), 2) == [(one, GOOD.pack()), (two, GOOD.pack())]
    assert [int.from_bytes(key, "big") for key, _ in host.read.walk(two, 10)] == [3, 0x1FF]
    assert host.read.walk(serial_key(0x1FF) or b"", 10) == []


def test_one_that_cannot_be_read_is_not_ready(host: Host) -> None:
    assert host.find() == GOOD.pack()
    assert host.read._environment is not None
    host.read._environment.close()

    host.read._look_at = float("inf")
    with pytest.raises(NotReady):
        host.read.find(KEY)
    assert host.read.walk(bytes(20), 10) == []
