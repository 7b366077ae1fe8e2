"""ca/tool_packages.py: the tool is packed whole, for one bank, and always to the same octets."""

import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca.domain.tool_releases import Packed
from ca.tool_packages import CHROMIUM, FIREFOX, SOURCES, TOOL, extension_id, pack, tool_version
from config.provider_files import load_providers
from ushield import __version__

ORIGIN = "https://bank.example:8443"


def packed() -> dict[str, Packed]:
    spki = JOB_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    rest = {"job_key": spki, "release_key": spki, "ocsp": "http://bank.example/ocsp"}
    providers = load_providers()
    files = pack(organization="张 Bank", hotline="95588", origin=ORIGIN, root_pem="PEM", providers=providers, **rest)
    return {file.name: file for file in files}


JOB_KEY = ec.generate_private_key(ec.SECP256R1())


def opened(file: Packed) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(file.content))


def test_the_same_sources_give_the_same_octets() -> None:
    assert packed() == packed()


def test_every_module_of_the_tool_is_in_it_and_nothing_of_the_bank() -> None:
    names = set(opened(packed()[TOOL]).namelist())

    modules = {f"ushield/{path.name}" for path in SOURCES.glob("*.py")}
    assert names == modules | {"__main__.py", "ushield/bank.json", "ushield/zh.toml"}


def test_the_tool_knows_its_bank(tmp_path: Path) -> None:
    (tmp_path / TOOL).write_bytes(packed()[TOOL].content)
    program = "from ushield.bank_file import built_in; b = built_in(); print(b.name, b.origin, b.hotline, b.extension)"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program], env={"PYTHONPATH": str(tmp_path / TOOL), "PYTHONUTF8": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    spki = JOB_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert ran.stdout.split() == ["张", "Bank", ORIGIN, "95588", extension_id(spki)]


def test_the_tool_starts_and_says_its_version(tmp_path: Path) -> None:
    (tmp_path / TOOL).write_bytes(packed()[TOOL].content)
    ran = subprocess.run([sys.executable, tmp_path / TOOL, "--version"], capture_output=True, text=True, check=True)

    assert ran.stdout == f"ushield, version {__version__}\n"
    assert tool_version() == __version__


def test_without_what_it_builds_on_the_tool_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / TOOL).write_bytes(packed()[TOOL].content)
    ran = subprocess.run([sys.executable, "-S", "-I", tmp_path / TOOL], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert "pip install asn1crypto click cryptography python-pkcs11 rich" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("name", [CHROMIUM, FIREFOX])
def test_the_extension_works_in_the_banks_pages_and_nowhere_else(name: str) -> None:
    archive = opened(packed()[name])
    manifest = json.loads(archive.read("manifest.json"))
    (scripts,) = manifest["content_scripts"]

    assert (scripts["matches"], scripts["all_frames"]) == ([f"{ORIGIN}/*"], False)
    assert manifest["permissions"] == ["nativeMessaging"]
    assert "host_permissions" not in manifest
    assert {*scripts["js"], "worker.js", "manifest.json"} == set(archive.namelist())
    assert manifest["version"] == __version__


def test_chromium_and_firefox_each_get_their_manifest() -> None:
    chromium, firefox = (json.loads(opened(packed()[name]).read("manifest.json")) for name in (CHROMIUM, FIREFOX))

    assert chromium["background"] == {"service_worker": "worker.js"}
    assert hashlib.sha256(base64.b64decode(chromium["key"])).hexdigest()[:32] == "".join(
        f"{ord(letter) - ord('a'):x}" for letter in extension_id(base64.b64decode(chromium["key"]))
    )
    assert firefox["background"] == {"scripts": ["worker.js"]}
    assert firefox["browser_specific_settings"]["gecko"]["id"] == "ushield@vermilion"
    assert "key" not in firefox
