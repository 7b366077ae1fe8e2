"""ushield/release.py: only what the bank signed, not what is over, and never an older one (T-42; THREATS 56)."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.jobs import NOW, bank_file, signed
from ushield.errors import NotesDirUnusable, PackageAltered, ReleaseExpired, ReleaseNotOurs, ReleaseOlder
from ushield.release import Release, Seen, replace_tool, verify, version_of

KEY = ec.generate_private_key(ec.SECP256R1())
BANK = bank_file(KEY)
HEADER = {"alg": "ES256", "typ": "vermilion-release"}
TOOL = b"a new tool"


def claims(**more: Any) -> dict[str, Any]:
    tool = {"sha256": sha256(TOOL).hexdigest(), "length": len(TOOL)}
    return {"v": 1, "number": 7, "version": "1.2.0", "iat": NOW, "exp": NOW + 60, "files": {"ushield.pyz": tool}} | more


def test_a_release_of_the_bank_is_read() -> None:
    release = verify(signed(KEY, claims(), HEADER), BANK, now=NOW)

    assert release == Release(7, "1.2.0", sha256(TOOL).hexdigest(), len(TOOL))


@pytest.mark.parametrize(
    "text",
    ["", "a.b.c", signed(ec.generate_private_key(ec.SECP256R1()), claims(), HEADER), signed(KEY, claims()),
     signed(KEY, claims(), {"alg": "none", "typ": "vermilion-release"}), signed(KEY, [], HEADER),
     signed(KEY, claims(version="1.2.0; rm"), HEADER), signed(KEY, claims(files={}), HEADER),
     signed(KEY, claims(v=2), HEADER), signed(KEY, {}, HEADER)],
)  # fmt: skip
def test_what_the_bank_did_not_sign_as_a_release_is_none(text: str) -> None:
    with pytest.raises(ReleaseNotOurs):
        verify(text, BANK, now=NOW)


def test_a_release_that_is_over_is_not_believed() -> None:
    with pytest.raises(ReleaseExpired):
        verify(signed(KEY, claims(), HEADER), BANK, now=NOW + 61)


def test_numbers_and_versions_only_grow(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "state")
    seen.require_not_older(Release(7, "1.2.0", "", 0), "1.2.0")
    seen.require_not_older(Release(7, "1.10.0", "", 0), "1.9.9")
    seen.require_not_older(Release(9, "1.2.0", "", 0), "1.2.0")

    with pytest.raises(ReleaseOlder):
        seen.require_not_older(Release(8, "2.0.0", "", 0), "1.2.0")
    with pytest.raises(ReleaseOlder):
        seen.require_not_older(Release(10, "1.9.0", "", 0), "1.10.0")
    assert json.loads((tmp_path / "state" / "release-seen").read_text()) == 9


def test_what_was_seen_must_be_remembered(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotesDirUnusable):
        Seen(tmp_path / "file").require_not_older(Release(1, "1.0", "", 0), "1.0")


@pytest.mark.parametrize("content", [b"a new toom", b"a new too", b"a new tool!", b""])
def test_another_package_than_the_signed_one_replaces_nothing(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "ushield.pyz"
    place.write_bytes(b"old")
    release = verify(signed(KEY, claims(), HEADER), BANK, now=NOW)

    with pytest.raises(PackageAltered):
        replace_tool(place, release, lambda _length: content)
    assert place.read_bytes() == b"old"


def test_the_signed_package_takes_the_place_whole(tmp_path: Path) -> None:
    place = tmp_path / "ushield.pyz"
    place.write_bytes(b"old")
    place.chmod(0o755)
    asked: list[int] = []

    def fetch(length: int) -> bytes:
        asked.append(length)
        return TOOL

    replace_tool(place, verify(signed(KEY, claims(), HEADER), BANK, now=NOW), fetch)

    assert (place.read_bytes(), place.stat().st_mode & 0o777, asked) == (TOOL, 0o755, [len(TOOL)])
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("text", ["", "1", "1.", "1.x", "1.2.3.4.5", "１.２", "1234567.0"])
def test_what_is_no_version_is_not_compared(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        version_of(text)
