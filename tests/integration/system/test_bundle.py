"""A relying party fetches a bundle from the running system and looks a certificate up, with the file it copied."""

import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from cryptography import x509

from tests.integration.system.running import REPOSITORY, Demo, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]


def fetched(demo: Demo, path: str) -> bytes:
    with urllib.request.urlopen(f"{demo.status_url}{path}", timeout=30) as answer:  # noqa: S310  our own http address
        return bytes(answer.read())


def test_a_gateway_looks_up_the_tls_servers_certificate(demo: Demo, tmp_path: Path) -> None:
    wait_for("a patch", (demo.state / "publication" / "bundle" / "issuing.patch").exists)
    shutil.copy(REPOSITORY / "relying_party" / "verify_bundle.py", tmp_path)
    for path in ("ca/issuing.cer", "bundle/issuing.bundle", "bundle/issuing.patch"):
        (tmp_path / Path(path).name).write_bytes(fetched(demo, f"/{path}"))
    serial = x509.load_pem_x509_certificate((demo.state / "tls" / "server.pem").read_bytes()).serial_number
    files = ["--issuer", "issuing.cer", "--bundle", "issuing.bundle", "--patch", "issuing.patch", "--state", "seen"]
    command = [sys.executable, "-I", "verify_bundle.py", *files, f"{serial:x}"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout, done.stderr, done.returncode) == (f"{serial:x} good\n", "", 0)
