"""ca/adapters/standings.py: what the signer writes is there for readers at once, or the map is gone."""

from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from ca.adapters.standings import StandingsMap
from ca.domain.errors import NotReady
from ca.domain.standings import packed_records
from tests.builders import NOW
from tests.contracts.standings import GOOD, HELD, REVOKED, StandingsContract


@pytest.fixture
def boot_id(tmp_path: Path) -> Path:
    path = tmp_path / "boot_id"
    path.write_text("first boot\n")
    return path


@pytest.fixture
def standings(tmp_path: Path, boot_id: Path) -> Iterator[StandingsMap]:
    opened = StandingsMap(tmp_path / "standings", boot_id=str(boot_id))
    yield opened
    opened.close()


class TestStandingsMap(StandingsContract):
    """The contract, in LMDB."""


def test_it_is_still_there_after_the_process_was_started_anew(standings: StandingsMap) -> None:
    standings.rebuild(packed_records([(1, REVOKED)]), number=7)
    standings.close()

    assert (standings.applied(), standings.find(1)) == (7, REVOKED)


def test_after_another_boot_it_is_empty(standings: StandingsMap, boot_id: Path) -> None:
    standings.rebuild(packed_records([(1, REVOKED)]), number=7)
    standings.close()
    boot_id.write_text("second boot\n")

    assert (standings.applied(), standings.find(1)) == (0, None)


def test_when_it_cannot_be_written_it_is_taken_away_and_the_act_says_so(
    standings: StandingsMap, tmp_path: Path
) -> None:
    standings.rebuild(packed_records([(1, GOOD)]), number=7)

    def failing() -> Iterator[tuple[int, object]]:
        yield 1, REVOKED
        raise lmdb.MapFullError

    with pytest.raises(NotReady, match="recorded"):
        standings.apply(failing(), after=7, number=8)  # type: ignore[arg-type]  # it fails before
    assert not (tmp_path / "standings" / "data.mdb").exists()

    standings.apply([(2, HELD)], after=8, number=9)
    assert (standings.applied(), standings.find(1), standings.find(2)) == (0, None, HELD)


def test_where_it_cannot_be_it_is_not_ready(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_bytes(b"")
    nowhere = StandingsMap(tmp_path / "file" / "standings")

    for use in (nowhere.applied, lambda: nowhere.find(1), lambda: nowhere.rebuild([], number=1)):
        with pytest.raises(NotReady):
            use()


def test_junk_in_its_place_is_not_ready(standings: StandingsMap, tmp_path: Path) -> None:
    standings.rebuild([], number=1)
    standings.close()
    tmp_path.joinpath("standings/data.mdb").write_bytes(b"junk" * 5000)

    with pytest.raises(NotReady):
        standings.find(1)


def test_one_that_was_taken_away_in_the_middle_of_a_look_is_not_ready(standings: StandingsMap) -> None:
    standings.rebuild(packed_records([(1, GOOD)]), number=7)
    standings._files().environment.close()

    for use in (standings.applied, lambda: standings.find(1)):
        with pytest.raises(NotReady):
            use()


def test_what_another_boot_left_is_not_even_opened(standings: StandingsMap, tmp_path: Path, boot_id: Path) -> None:
    standings.rebuild(packed_records([(1, REVOKED)]), number=7)
    standings.close()
    data = tmp_path / "standings/data.mdb"
    data.write_bytes(data.read_bytes()[:6000])  # to touch the rest would end the process (SIGBUS)
    boot_id.write_text("second boot\n")

    standings.rebuild(packed_records([(2, GOOD)]), number=8)
    assert (standings.applied(), standings.find(1), standings.find(2)) == (8, None, GOOD)


def test_beside_the_signer_it_is_only_read(standings: StandingsMap, tmp_path: Path, boot_id: Path) -> None:
    def beside() -> StandingsMap:
        return StandingsMap(tmp_path / "standings", boot_id=str(boot_id), read_only=True)

    with pytest.raises(NotReady, match="signer builds it"):
        beside().applied()
    standings.rebuild(packed_records([(1, REVOKED)]), number=7)
    standings.close()
    reader = beside()
    assert (reader.applied(), reader.find(1)) == (7, REVOKED)
    reader.close()
    boot_id.write_text("second boot\n")
    with pytest.raises(NotReady, match="signer builds it"):
        beside().applied()
    assert (tmp_path / "standings/data.mdb").exists()


def test_a_map_of_another_release_is_not_read_beside_the_signer(
    standings: StandingsMap, tmp_path: Path, boot_id: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standings.rebuild([], number=7)
    standings.close()
    monkeypatch.setattr("ca.domain.standings.FORMAT", b"of another release")

    with pytest.raises(NotReady, match="another release"):
        StandingsMap(tmp_path / "standings", boot_id=str(boot_id), read_only=True).applied()


def test_one_that_goes_away_while_it_is_listed_is_not_ready(standings: StandingsMap) -> None:
    standings.rebuild(packed_records([(1, HELD), (2, HELD)]), number=7)
    listed = standings.list_not_good("issuing", NOW)
    next(listed)
    standings.close()
    with pytest.raises(NotReady):
        next(listed)

    def read() -> None:
        with standings.records() as (_, records):
            next(records)
            standings.close()
            next(records)

    with pytest.raises(NotReady):
        read()


@pytest.mark.parametrize(("mode", "data", "lock"), [(0o700, 0o600, 0o600), (0o2750, 0o640, 0o660)])
def test_it_is_shared_with_the_group_that_may_enter_its_directory_and_nobody_else(
    standings: StandingsMap, tmp_path: Path, mode: int, data: int, lock: int
) -> None:
    directory = tmp_path / "standings"
    directory.mkdir()
    directory.chmod(mode)
    standings.rebuild(packed_records([(1, GOOD)]), number=1)

    modes = [(directory / name).stat().st_mode & 0o777 for name in ("data.mdb", "lock.mdb")]
    assert modes == [data, lock]
