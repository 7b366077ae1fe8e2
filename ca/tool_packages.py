"""The customer's tool and the browser's extension, packed for this bank from the sources beside us (docs/adr/0026).

The same sources and settings give the same octets, so that what is served can be compared with what anybody builds.
"""

import base64
import hashlib
import io
import json
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from ca.domain.tool_cases import Program
from ca.domain.tool_releases import Packed, SupportedProvider

SOURCES = Path(__file__).parent.parent / "ushield"
TOOL, CHROMIUM, FIREFOX = "ushield.pyz", "ushield-chromium.zip", "ushield-firefox.zip"
FIREFOX_ID = "ushield@vermilion"
_SHEBANG = b"#!/usr/bin/env python3\n"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The oldest date a zip knows: when it was packed is nobody's business."""
_MAIN = '''\
"""Started by `python ushield.pyz`."""

import sys

try:
    from ushield.cli import main
except ImportError as error:
    sys.exit(
        f"The U-Shield tool needs the Python package {error.name}. Install what it builds on, then start it again:\\n"
        "  python -m pip install %s"
    )
main()
'''


def tool_version() -> str:
    """As the tool says it."""
    found = re.search(r'^__version__ = "([\d.]+)"$', (SOURCES / "__init__.py").read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise LookupError("the tool's sources name no version")
    return found[1]


def program() -> Program:
    """What is installed beside us, whatever the settings say."""
    modules = [*sorted(SOURCES.glob("*.py")), SOURCES / "zh.toml", SOURCES / "pyproject.toml"]
    files = [*modules, *sorted((SOURCES / "extension").glob("*.js*"))]
    listed = [(str(path.relative_to(SOURCES)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
    lines = [*listed, ("__main__.py", hashlib.sha256(_MAIN.encode("utf-8")).hexdigest())]
    return Program(tool_version(), hashlib.sha256(json.dumps(lines).encode("utf-8")).hexdigest())


def extension_id(job_key: bytes) -> str:
    """Chromium's name for the extension whose manifest has this key: half its SHA-256, in letters from a to p."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in hashlib.sha256(job_key).hexdigest()[:32])


def pack(
    *,
    organization: str,
    hotline: str,
    origin: str,
    ocsp: str,
    root_pem: str,
    job_key: bytes,
    release_key: bytes,
    providers: Iterable[SupportedProvider],
) -> list[Packed]:
    """All files there are to download. Keys: SubjectPublicKeyInfo, DER."""
    extension_key = base64.b64encode(job_key).decode("ascii")
    bank = {
        "version": 2,
        "name": organization,
        "origin": origin,
        "hotline": hotline,
        "ocsp": ocsp,
        "root_pem": root_pem,
        "job_key": extension_key,
        "release_key": base64.b64encode(release_key).decode("ascii"),
        "extension": extension_id(job_key),
        "firefox_extension": FIREFOX_ID,
        "providers": [asdict(provider) for provider in providers],
    }
    tool = _SHEBANG + _zipped(_tool_files(json.dumps(bank, indent=2, ensure_ascii=False)))
    return [
        Packed(TOOL, tool),
        Packed(CHROMIUM, _zipped(_extension_files(origin, {"key": extension_key}))),
        Packed(FIREFOX, _zipped(_extension_files(origin, _firefox()))),
    ]


def _tool_files(bank: str) -> Iterator[tuple[str, bytes]]:
    needed = re.search(
        r"^dependencies = \[(.*?)^\]", (SOURCES / "pyproject.toml").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    names = " ".join(re.findall(r'"([\w-]+)', needed[1])) if needed else ""
    yield "__main__.py", (_MAIN % names).encode("utf-8")
    for module in (*sorted(SOURCES.glob("*.py")), SOURCES / "zh.toml"):
        yield f"ushield/{module.name}", module.read_bytes()
    yield "ushield/bank.json", bank.encode("utf-8")


def _extension_files(origin: str, more: dict[str, object]) -> Iterator[tuple[str, bytes]]:
    manifest = json.loads((SOURCES / "extension" / "manifest.json").read_text("utf-8"))
    manifest["version"] = tool_version()
    manifest["content_scripts"][0]["matches"] = [f"{origin}/*"]
    yield "manifest.json", json.dumps(manifest | more, indent=2).encode("utf-8")
    for script in sorted((SOURCES / "extension").glob("*.js")):
        yield script.name, script.read_bytes()


def _firefox() -> dict[str, object]:
    return {
        "background": {"scripts": ["worker.js"]},
        "browser_specific_settings": {"gecko": {"id": FIREFOX_ID, "strict_min_version": "121.0"}},
    }


def _zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()
