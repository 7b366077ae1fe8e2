"""ca/adapters/publication.py: whole files or none."""

from pathlib import Path

import pytest

from ca.adapters.publication import DirectoryPublisher
from ca.domain.bundle import BundleKind
from ca.domain.errors import InvalidRequest


def test_what_is_published_is_found(tmp_path: Path) -> None:
    publisher = DirectoryPublisher(tmp_path / "publication")
    assert publisher.find_crl("issuing") is None

    publisher.publish_crl("issuing", b"one")
    publisher.publish_crl("issuing", b"two")
    publisher.publish_certificate("issuing", b"certificate")

    assert publisher.find_crl("issuing") == b"two"
    assert (tmp_path / "publication/ca/issuing.cer").read_bytes() == b"certificate"
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["issuing.cer", "issuing.crl"]


def test_bundles_lie_beside_the_crls(tmp_path: Path) -> None:
    publisher = DirectoryPublisher(tmp_path)
    assert publisher.find_bundle("issuing", BundleKind.PATCH) is None

    publisher.publish_bundle("issuing", BundleKind.FULL, b"everything")
    publisher.publish_bundle("issuing", BundleKind.PATCH, b"changes")

    assert publisher.find_bundle("issuing", BundleKind.FULL) == b"everything"
    assert (tmp_path / "bundle/issuing.patch").read_bytes() == b"changes"


def test_a_reader_who_has_the_old_file_open_keeps_it_whole(tmp_path: Path) -> None:
    publisher = DirectoryPublisher(tmp_path)
    publisher.publish_crl("issuing", b"old" * 1000)
    with (tmp_path / "crl/issuing.crl").open("rb") as reader:
        publisher.publish_crl("issuing", b"new")
        assert reader.read() == b"old" * 1000


def test_a_half_written_file_of_a_crash_is_written_over(tmp_path: Path) -> None:
    publisher = DirectoryPublisher(tmp_path)
    publisher.publish_crl("issuing", b"old")
    (tmp_path / "crl/.issuing.crl.new").write_bytes(b"half of a much longer file")

    publisher.publish_crl("issuing", b"new")

    assert publisher.find_crl("issuing") == b"new"


def test_when_the_file_cannot_be_put_in_place_the_old_one_stays(tmp_path: Path) -> None:
    publisher = DirectoryPublisher(tmp_path)
    (tmp_path / "crl/issuing.crl").mkdir(parents=True)

    with pytest.raises(OSError, match="directory"):
        publisher.publish_crl("issuing", b"new")

    assert [path.name for path in (tmp_path / "crl").iterdir()] == ["issuing.crl"]


@pytest.mark.parametrize("name", ["", "../issuing", "a/b", ".hidden", "Issuing", "a" * 64])
def test_a_name_cannot_leave_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest):
        DirectoryPublisher(tmp_path).publish_crl(name, b"")
