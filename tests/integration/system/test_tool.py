"""The tool as a customer gets it from the running bank: verified, updated, and refused when it was touched."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.integration.system.clients import curl
from tests.integration.system.running import Demo, Ran, run, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.curl]


def tool(place: Path, *options: str) -> Ran:
    return run(sys.executable, place, *options, HOME=str(place.parent), PYTHONPATH="")


def test_what_is_downloaded_is_what_the_list_of_hashes_says(demo: Demo, tmp_path: Path) -> None:
    assert demo.offered.is_dir()
    for name in ("SHA256SUMS", "ushield.pyz", "ushield-chromium.zip", "ushield-firefox.zip"):
        got = curl(demo, tmp_path, f"{demo.url}/tool/{name}")
        assert got.status == 200
        (tmp_path / name).write_bytes(got.body)

    judged = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False)
    assert judged.returncode == 0, judged.stdout
    said = tool(tmp_path / "ushield.pyz", "update", "--check", "--json")
    assert json.loads(said.out)["result"] == "newest", said


def test_an_older_tool_replaces_itself_by_the_newest(demo: Demo, tmp_path: Path) -> None:
    newest, place = demo.offered / "ushield.pyz", tmp_path / "ushield.pyz"
    with zipfile.ZipFile(newest) as packed, zipfile.ZipFile(place, "w") as older:
        for name in packed.namelist():
            older.writestr(name, packed.read(name))
    assert json.loads(tool(place, "update", "--check", "--json").out)["result"] == "newer"

    done = tool(place, "update", "--json")

    assert json.loads(done.out)["result"] == "updated", done
    assert place.read_bytes() == newest.read_bytes()


def test_a_tool_that_was_touched_on_the_disk_is_not_served_and_is_mended_by_the_signer(
    victim: Demo, tmp_path: Path
) -> None:
    file = victim.offered / "ushield.pyz"
    right = file.read_bytes()
    first = curl(victim, tmp_path, f"{victim.url}/tool/release.jws").body
    file.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))

    assert curl(victim, tmp_path, f"{victim.url}/tool/ushield.pyz").status == 503

    def is_anew() -> bool:
        # The file and the release that names it are written one after the other.
        offered = curl(victim, tmp_path, f"{victim.url}/tool/release.jws")
        return offered.status == 200 and offered.body != first and file.read_bytes() == right

    wait_for("the signer's job", is_anew)
    assert curl(victim, tmp_path, f"{victim.url}/tool/ushield.pyz").body == right
