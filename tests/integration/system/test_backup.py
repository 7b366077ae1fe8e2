"""The rehearsal: a backup of a running bank, made while it issues and revokes, comes up on another machine."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from ca.operations import Revoke
from tests.integration.system.clients import ask_ocsp, issue, serial_of
from tests.integration.system.fixtures import CopyOfDemo
from tests.integration.system.running import Demo, stopping, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]


def back_up(demo: Demo, place: Path) -> tuple[Path, Path]:
    """A backup and the key that opens it."""
    made = demo.pki("backup-key", place / "identity")
    assert made.status == 0, made
    backed_up = demo.pki("backup", place / "backup", "--recipient", made.out.strip())
    assert backed_up.status == 0, backed_up
    return place / "backup", place / "identity"


def restored(demo: Demo, backup: Path, identity: Path, *more: object) -> Demo:
    """On another machine: with nothing of the first one but what the bank keeps apart, PINs and the officers' keys."""
    other = Demo(demo.state.with_name("other"))
    ran = demo.pki("restore", backup, "--identity", identity, "--state", other.state, *more)
    assert ran.status == 0, ran
    assert "all good" in ran.out
    assert f"BAD  PIN file: the PIN file {other.state}/hsm/issuing/pin is missing" in ran.out
    for name in ("hsm/issuing/pin", "demo"):
        source, target = demo.state / name, other.state / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)
    return other


def statuses(demo: Demo) -> dict[str, str]:
    return dict(demo.rows("SELECT serial, status FROM certificates"))


def openssl_number(demo: Demo) -> int:
    crl = demo.state / "publication" / "crl" / "issuing.crl"
    said = subprocess.run(
        ["openssl", "crl", "-inform", "DER", "-in", crl, "-noout", "-crlnumber"], capture_output=True, check=True
    )
    return int(said.stdout.split(b"=")[1], 16)


def test_a_backup_of_a_busy_bank_comes_up_elsewhere(copy_of_demo: CopyOfDemo, tmp_path: Path) -> None:
    demo = copy_of_demo().start()
    first, *rest = demo.codes("machine", 4)
    certificate = issue(demo, tmp_path, first)
    acts = threading.Thread(target=act, args=(demo, tmp_path, rest, serial_of(certificate)))
    acts.start()
    backup, identity = back_up(demo, tmp_path)
    acts.join()
    at_the_end = statuses(demo)
    number = openssl_number(demo)
    demo.stop()

    # The journal's mirror was on another disk, which was not lost.
    with stopping(restored(demo, backup, identity, "--journal", demo.state / "journal-mirror")) as other:
        other.start()

        assert statuses(other).items() >= at_the_end.items()
        assert "Cert Status: revoked" in ask_ocsp(other, tmp_path, "-cert", certificate)
        wait_for("a CRL with a higher number", lambda: openssl_number(other) > number)
        assert other.pki("audit", "verify").status == 0
        assert other.pki("doctor").status == 0


def act(demo: Demo, directory: Path, codes: list[dict[str, str]], serial: str) -> None:
    """Revoke one, issue some."""
    demo.checker.call(Revoke, serial=serial, reason="keyCompromise")
    for number, pair in enumerate(codes):
        place = directory / str(number)
        place.mkdir()
        issue(demo, place, pair)
