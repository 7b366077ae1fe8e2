"""ca/adapters/publication.py: whole files or none."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ca.adapters.publication import DirectoryPublisher
from ca.domain.bundle import BundleKind
from ca.domain.errors import InvalidRequest


@pytest.fixture
def publisher(tmp_path: Path) -> DirectoryPublisher:
    return DirectoryPublisher(tmp_path / "publication", tmp_path / "copies")


def publish(publisher: DirectoryPublisher, name: str, *chunks: bytes) -> None:
    with publisher.draft_crl(name) as draft:
        for chunk in chunks:
            draft.write(chunk)
        draft.publish(b"<", b">")


def shown(publisher: DirectoryPublisher, name: str) -> bytes | None:
    with publisher.find_crl(name) as file:
        return None if file is None else file.read(0, file.size)


def copied(publisher: DirectoryPublisher, name: str) -> bytes | None:
    with publisher.find_copy(name) as file:
        return None if file is None else file.read(0, file.size)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.rglob("*.*") if path.is_file() and path.name != ".turn")


def test_what_is_published_is_found_and_a_copy_is_kept(publisher: DirectoryPublisher, tmp_path: Path) -> None:
    assert (shown(publisher, "issuing"), copied(publisher, "issuing")) == (None, None)

    publish(publisher, "issuing", b"one")
    publish(publisher, "issuing", b"t", b"wo")
    publisher.publish_certificate("issuing", b"certificate")

    assert (shown(publisher, "issuing"), copied(publisher, "issuing")) == (b"<two>", b"<two>")
    assert (tmp_path / "publication/ca/issuing.cer").read_bytes() == b"certificate"
    assert names(tmp_path) == ["issuing.cer", "issuing.crl", "issuing.crl"]


def test_bundles_lie_beside_the_crls(publisher: DirectoryPublisher, tmp_path: Path) -> None:
    assert publisher.find_bundle("issuing", BundleKind.PATCH) is None

    publisher.publish_bundle("issuing", BundleKind.FULL, b"everything")
    publisher.publish_bundle("issuing", BundleKind.PATCH, b"changes")

    assert publisher.find_bundle("issuing", BundleKind.FULL) == b"everything"
    assert (tmp_path / "publication/bundle/issuing.patch").read_bytes() == b"changes"


def test_a_copy_is_the_same_file_and_costs_no_room(publisher: DirectoryPublisher) -> None:
    publish(publisher, "issuing", b"one")
    with publisher.find_crl("issuing") as file, publisher.find_copy("issuing") as copy:
        assert file is not None
        assert copy is not None
        assert file.version == copy.version


def test_a_copy_outlives_a_published_file_that_is_replaced_or_lost(
    publisher: DirectoryPublisher, tmp_path: Path
) -> None:
    publish(publisher, "issuing", b"one")
    (tmp_path / "publication/crl/issuing.crl").unlink()
    assert (shown(publisher, "issuing"), copied(publisher, "issuing")) == (None, b"<one>")


def test_what_is_drafted_can_be_read_again_and_is_seen_by_nobody(publisher: DirectoryPublisher, tmp_path: Path) -> None:
    with publisher.draft_crl("issuing") as draft:
        draft.write(b"a" * 1_500_000)
        draft.write(b"b")
        assert draft.size == 1_500_001
        assert [b"".join(draft) for _ in range(2)] == [b"a" * 1_500_000 + b"b"] * 2
    assert names(tmp_path) == []


def test_each_change_of_a_file_is_another_version(publisher: DirectoryPublisher, tmp_path: Path) -> None:
    versions = []
    for content in (b"one", b"two"):
        publish(publisher, "issuing", content)
        with publisher.find_crl("issuing") as file:
            assert file is not None
            versions.append(file.version)
    os.utime(tmp_path / "publication/crl/issuing.crl", (1, 1))
    with publisher.find_crl("issuing") as file:
        assert file is not None
        versions.append(file.version)
    assert len(set(versions)) == 3


def test_a_reader_who_has_the_old_file_open_keeps_it_whole(publisher: DirectoryPublisher) -> None:
    publish(publisher, "issuing", b"old" * 1000)
    with publisher.find_crl("issuing") as file:
        publish(publisher, "issuing", b"new")
        assert file is not None
        assert file.read(1, 3000) == b"old" * 1000


def test_a_half_written_file_of_a_crash_is_written_over(publisher: DirectoryPublisher, tmp_path: Path) -> None:
    publish(publisher, "issuing", b"old")
    (tmp_path / "publication/crl/.issuing.crl.new").write_bytes(b"half of a much longer file")
    (tmp_path / "copies/.issuing.crl.new").write_bytes(b"half of a much longer file")

    publish(publisher, "issuing", b"new")

    assert shown(publisher, "issuing") == b"<new>"
    assert names(tmp_path) == ["issuing.crl", "issuing.crl"]


def test_a_crash_between_the_copy_and_the_public_place_does_no_harm(
    publisher: DirectoryPublisher, tmp_path: Path
) -> None:
    publish(publisher, "issuing", b"old")
    (tmp_path / "publication/crl/.issuing.crl.new").hardlink_to(tmp_path / "copies/issuing.crl")

    with publisher.find_copy("issuing") as copy:
        publish(publisher, "issuing", b"new")
        assert copy is not None
        assert copy.read(0, 9) == b"<old>"

    assert names(tmp_path) == ["issuing.crl", "issuing.crl"]


def test_when_the_file_cannot_be_put_in_place_the_old_one_stays(publisher: DirectoryPublisher, tmp_path: Path) -> None:
    place = tmp_path / "publication/crl"
    (place / "issuing.crl").mkdir(parents=True)

    with pytest.raises(OSError, match="directory"):
        publish(publisher, "issuing", b"new")

    assert [path.name for path in place.iterdir()] == ["issuing.crl"]


def test_copies_on_another_file_system_are_files_of_their_own(tmp_path: Path) -> None:
    # Ours may be either of the two.
    places = [place for place in (Path("/dev/shm"), Path("/var/tmp")) if place.is_dir()]  # noqa: S108
    elsewhere = next((place for place in places if place.stat().st_dev != tmp_path.stat().st_dev), None)
    if elsewhere is None:
        pytest.skip("there is no second file system here")
    copies = elsewhere / f"vermilion-{os.getpid()}"
    publisher = DirectoryPublisher(tmp_path, copies)
    try:
        publish(publisher, "issuing", b"one")
        assert copied(publisher, "issuing") == b"<one>"
    finally:
        (copies / "issuing.crl").unlink()
        copies.rmdir()


@pytest.mark.parametrize("name", ["", "../issuing", "a/b", ".hidden", "Issuing", "a" * 64])
def test_a_name_cannot_leave_the_directory(publisher: DirectoryPublisher, name: str) -> None:
    with pytest.raises(InvalidRequest):
        publish(publisher, name, b"")


def test_publishers_of_one_directory_take_turns(tmp_path: Path) -> None:
    first, second = (DirectoryPublisher(tmp_path, tmp_path / which) for which in ("one", "two"))
    order: list[str] = []

    def late() -> None:
        with second.turn():
            order.append("second")

    with first.turn():
        waiting = threading.Thread(target=late)
        waiting.start()
        time.sleep(0.05)
        order.append("first")
    waiting.join(5)

    assert order == ["first", "second"]


_ENDLESS = """
import sys
from pathlib import Path
from ca.adapters.publication import DirectoryPublisher

publisher = DirectoryPublisher(Path(sys.argv[1]), Path(sys.argv[2]))
number = 0
while True:
    number += 1
    with publisher.turn(), publisher.draft_crl("issuing") as draft:
        for _ in range(40):
            draft.write(b"%08d" % number * 12_500)
        draft.publish(b"<", b">")
    print(number, flush=True)
"""


@pytest.mark.parametrize("moment", [0.0, 0.003, 0.007, 0.011, 0.016])
def test_whoever_is_killed_while_publishing_leaves_a_whole_file(tmp_path: Path, moment: float) -> None:
    root = str(Path(__file__).parents[4])
    command = [sys.executable, "-c", _ENDLESS, str(tmp_path / "publication"), str(tmp_path / "copies")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": root}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)

    publisher = DirectoryPublisher(tmp_path / "publication", tmp_path / "copies")
    for whole in (shown(publisher, "issuing"), copied(publisher, "issuing")):
        assert whole is not None
        assert len(whole) == 2 + 40 * 100_000
        assert whole[1:-1] == whole[1:9] * 500_000
    publish(publisher, "issuing", b"next")
    assert names(tmp_path) == ["issuing.crl", "issuing.crl"]
