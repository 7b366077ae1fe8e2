"""ushield/install.py: browsers are told where the tool is, and nobody but the bank's extension may call it."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.jobs import EXTENSION, FIREFOX, bank_file
from ushield.errors import BrowserUnknown, NotesDirUnusable
from ushield.install import BROWSERS, HOST, Installer

BANK = bank_file(ec.generate_private_key(ec.SECP256R1()))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps it in the registry")


def installer(home: Path, **environment: str) -> Installer:
    return Installer(BANK, home, home / "state", environment)


@pytest.mark.parametrize("browser", BROWSERS)
def test_every_browser_is_told_where_the_tool_is(tmp_path: Path, browser: str) -> None:
    told = json.loads(installer(tmp_path)(browser).read_text())

    assert (told["name"], told["type"]) == (HOST, "stdio")
    launcher = Path(told["path"])
    assert stat.S_IMODE(launcher.stat().st_mode) == 0o700
    if browser == "firefox":
        assert told["allowed_extensions"] == [FIREFOX]
    else:
        assert told["allowed_origins"] == [f"chrome-extension://{EXTENSION}/"]


def test_the_launcher_starts_the_host_with_what_the_browser_says(tmp_path: Path) -> None:
    told = json.loads(installer(tmp_path, SOFTHSM2_CONF="/a b/it's").into(tmp_path / "x").read_text())
    ran = subprocess.run([told["path"], "--help"], capture_output=True, text=True, check=False, env=dict(os.environ))

    assert ran.returncode == 0
    assert "native messaging" in ran.stdout
    assert """SOFTHSM2_CONF='/a b/it'"'"'s'""" in Path(told["path"]).read_text()


def test_a_browser_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrowserUnknown, match="lynx"):
        installer(tmp_path)("lynx")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(NotesDirUnusable):
        installer(tmp_path)("chromium")
