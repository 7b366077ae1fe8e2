"""A certificate of the running system is disputed: its dossier, the log and the reports, by real keys and passkeys."""

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from ca.adapters.clock import SystemClock
from ca.adapters.db.rows import db
from ca.demo.officers import SECURITY
from ca.dossier_operations import ShowDossier, VerifyLog
from ca.operations import Enrol
from tests.fakes.console import console
from tests.fakes.console_signer import FakeSigner
from tests.integration.system.running import Demo
from tests.unit.admin.conftest import Visitor

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]


def enrolled(demo: Demo) -> str:
    """A machine's certificate, by its serial number."""
    (codes,) = demo.codes("machine")
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, SHA256())
    issued = demo.signer.call(
        Enrol(
            reference=codes["reference_number"],
            code=codes["authorization_code"],
            request=request.public_bytes(Encoding.DER),
        )
    )
    return str(issued["serial"])


def unpacked(demo: Demo, serial: str, place: Path) -> None:
    for name, content in demo.officers[SECURITY[0]].call(ShowDossier, serial=serial)["files"].items():
        (place / name).write_bytes(base64.b64decode(content))


def verified(demo: Demo, program: Path, bundle: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-Es", str(program), "--key", str(demo.state / "trust" / "audit.spki"), str(bundle)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_dossier_is_proven_by_the_program_in_it(demo: Demo, tmp_path: Path) -> None:
    serial = enrolled(demo)
    demo.pki("demo", "revoke", serial, "--reason", "keyCompromise")

    unpacked(demo, serial, tmp_path)
    done = verified(demo, tmp_path / "verify.py", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert "approved by E1002 with a passkey" in done.stdout
    assert "revoked, keyCompromise" in done.stdout


def test_the_whole_log_is_verified_piece_by_piece(demo: Demo) -> None:
    officer, piece = demo.officers[SECURITY[0]], dict[str, Any](number=0, hash="", ends_at=1)
    while piece["number"] < piece["ends_at"]:
        piece = officer.call(VerifyLog, number=piece["number"], hash=base64.b64decode(piece["hash"]))

    ((last,),) = demo.rows("SELECT max(number) FROM audit_events")
    assert 0 < piece["number"] <= last


def test_the_console_exports_what_the_verifier_proves_and_nothing_is_out_of_order(demo: Demo, tmp_path: Path) -> None:
    serial = enrolled(demo)
    unpacked(demo, serial, tmp_path)  # with a checkpoint behind it
    signer = FakeSigner()
    app = console(demo.database, signer, now=SystemClock().now)
    auditor = Visitor(app, signer).sign_in("auditor")
    (tmp_path / "log.jsonl").write_bytes(auditor.get("/admin/audit/export?first=1&last=40").get_data())

    done = verified(demo, tmp_path / "verify.py", tmp_path / "log.jsonl")

    assert (done.returncode, done.stdout) == (0, "proven    40 events, 1 to 40\n")
    assert "Differences: 0" in auditor.text("/admin/reports/reconciliation")
    assert "Exceptions: 0" in auditor.text("/admin/reports/dual-control")
    with app.app_context():
        db.engine.dispose()
