"""ca/adapters/backup/archive.py: every part is what the manifest says, and no name leads out of the state directory."""

import io
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ca.adapters.backup.age import PIECE, SealedReader
from ca.adapters.backup.archive import ArchiveWriter, Readable, read_archive, write_part
from ca.domain.errors import NotReady, Tampered
from tests.fakes.backups import archived, sealed

PARTS = {"settings.toml": b"demo = true\n", "trust/audit.spki": b"key", "journal/journal.jsonl": b"{}\n" * 9000}


def read(archive: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}

    def take(name: str, content: Readable, _mode: int) -> None:
        found[name] = content.read()

    read_archive(io.BytesIO(archive), take)
    return found


def test_parts_come_out_as_they_went_in() -> None:
    assert read(archived(PARTS)) == PARTS


def test_the_stock_tar_reads_it(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archived(PARTS))) as tar:
        assert [member.name for member in tar] == [*PARTS, "manifest.json", "manifest.sig"]


@pytest.mark.parametrize(
    "listed",
    [
        PARTS | {"settings.toml": b"demo = false\n"},
        PARTS | {"database.sqlite3": b""},
        {name: content for name, content in PARTS.items() if name != "trust/audit.spki"},
    ],
    ids=["another content", "one that is missing", "one too many"],
)
def test_parts_that_are_not_what_the_manifest_says_are_refused(listed: dict[str, bytes]) -> None:
    with pytest.raises(Tampered, match="manifest"):
        read(archived(PARTS, listed=listed))


def test_a_part_that_nobody_takes_is_checked_all_the_same() -> None:
    archive = archived(PARTS, listed=PARTS | {"journal/journal.jsonl": b"another"})

    with pytest.raises(Tampered, match=r"journal/journal\.jsonl"):
        read_archive(io.BytesIO(archive), lambda _name, _content, _mode: None)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "trust/../../x", "./x", "a//b", "a\nb", "a/", "x" * 300])
def test_a_name_that_leads_elsewhere_is_refused_on_both_sides(name: str) -> None:
    with pytest.raises(Tampered, match="never write"), ArchiveWriter(io.BytesIO()) as archive:
        archive.add_bytes(name, b"")
    with pytest.raises(Tampered):
        read(_tar(tarfile.TarInfo(name)))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_only_files_are_taken(kind: bytes) -> None:
    member = tarfile.TarInfo("trust")
    member.type, member.linkname = kind, "/etc"

    with pytest.raises(Tampered):
        read(_tar(member))


def test_a_name_that_comes_twice_is_refused() -> None:
    with pytest.raises(Tampered, match="twice"):
        read(_tar(tarfile.TarInfo("settings.toml"), tarfile.TarInfo("settings.toml")))


def test_without_a_manifest_it_was_not_finished() -> None:
    with pytest.raises(Tampered, match="not finished"):
        read(_tar(tarfile.TarInfo("settings.toml")))


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\xff" * 2048])
def test_what_is_no_tar_is_refused(content: bytes) -> None:
    with pytest.raises(Tampered):
        read(content)


def test_the_stream_is_read_to_its_end_so_that_no_cut_is_missed() -> None:
    key = X25519PrivateKey.generate()
    file = sealed(archived(PARTS) + bytes(5 << 20), key.public_key())

    with pytest.raises(Tampered, match="cut short"):
        read_archive(SealedReader(io.BytesIO(file[: -PIECE - 16]), [key]), lambda _name, _content, _mode: None)


def test_a_file_that_got_shorter_stops_the_backup() -> None:
    with pytest.raises(NotReady, match="begin the backup again"), ArchiveWriter(io.BytesIO()) as archive:
        archive.add("settings.toml", io.BytesIO(b"short"), 100)


def test_files_are_as_open_as_they_were(tmp_path: Path) -> None:
    write_part(tmp_path / "state" / "crl" / "issuing.crl", io.BytesIO(b"crl"), 0o644)
    write_part(tmp_path / "state" / "journal" / "journal.jsonl", io.BytesIO(b"{}"), 0o600)

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").rglob("*")}
    assert modes == {"crl": 0o755, "issuing.crl": 0o644, "journal": 0o700, "journal.jsonl": 0o600}


def _tar(*members: tarfile.TarInfo) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            tar.addfile(member, io.BytesIO())
    return stream.getvalue()
