"""The rehearsal: a backup of a running bank, made while it issues and revokes, comes up on another machine."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ca.operations import Hold, Release, Revoke
from tests.integration.system.clients import ask_ocsp, issue, openssl, serial_of
from tests.integration.system.fixtures import CopyOfDemo
from tests.integration.system.running import REPOSITORY, Demo, environment, stopping, wait_for

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


def crl_number(demo: Demo) -> int:
    """As relying parties see it."""
    crl = demo.state / "publication" / "crl" / "issuing.crl"
    return int(openssl("crl", "-inform", "DER", "-in", crl, "-noout", "-crlnumber").split("=")[1], 16)


def test_a_backup_of_a_busy_bank_comes_up_elsewhere(copy_of_demo: CopyOfDemo, tmp_path: Path) -> None:
    demo = copy_of_demo().start()
    first, *rest = demo.codes("machine", 4)
    certificate, second = issue(demo, tmp_path, first), issue(demo, tmp_path, rest.pop(), "second")
    acts = threading.Thread(target=act, args=(demo, tmp_path, rest, serial_of(certificate)))
    acts.start()
    backup, identity = back_up(demo, tmp_path)
    acts.join()
    at_the_end = statuses(demo)
    number = crl_number(demo)
    demo.stop()

    # The journal's mirror was on another disk, which was not lost.
    with stopping(restored(demo, backup, identity, "--journal", demo.state / "journal-mirror")) as other:
        other.start()

        assert statuses(other).items() >= at_the_end.items()
        assert "Cert Status: revoked" in ask_ocsp(other, tmp_path, "-cert", certificate)
        other.checker.call(Revoke, serial=serial_of(second), reason="superseded")
        wait_for("a CRL with a higher number", lambda: crl_number(other) > number)
        # How soon changes were seen is another test's: for a while there was nobody to see them.
        bad = [line for line in other.pki("doctor").out.splitlines() if line.startswith("BAD")]
        assert [line for line in bad if not line.startswith("BAD  receipts: ")] == []


def act(demo: Demo, directory: Path, codes: Sequence[Mapping[str, Any]], serial: str) -> None:
    """Revoke one, issue some."""
    demo.checker.call(Revoke, serial=serial, reason="keyCompromise")
    for number, pair in enumerate(codes):
        place = directory / str(number)
        place.mkdir()
        issue(demo, place, pair)


@pytest.mark.campaign
def test_where_the_journal_was_lost_the_last_crl_keeps_numbers_growing_and_revocations_revoked(
    copy_of_demo: CopyOfDemo, tmp_path: Path
) -> None:
    demo = copy_of_demo().start()
    certificate = issue(demo, tmp_path, demo.codes("machine")[0])
    backup, identity = back_up(demo, tmp_path)
    for number in range(3):
        demo.checker.call(Hold, serial=serial_of(certificate))
        wait_for("its CRL", lambda before=number: crl_number(demo) > before + 2)
        demo.checker.call(Release, serial=serial_of(certificate))
    demo.checker.call(Revoke, serial=serial_of(certificate), reason="keyCompromise")
    wait_for("the CRL with it", lambda: serial_of(certificate) in last_crl(demo))
    number, crl = crl_number(demo), demo.state / "publication" / "crl" / "issuing.crl"
    demo.stop()

    with stopping(restored(demo, backup, identity, "--last-crl", crl)) as other:
        other.start()
        assert "Cert Status: revoked" in ask_ocsp(other, tmp_path, "-cert", certificate)
        wait_for("a CRL with a higher number", lambda: crl_number(other) > number)
        assert serial_of(certificate) in last_crl(other)
        told = other.pki("status", serial_of(certificate)).out
        assert "status   revoked since " in told
        assert "keyCompromise" in told


@pytest.mark.campaign
@pytest.mark.parametrize("attempt", range(8))
def test_a_killed_backup_leaves_no_file_of_that_name(demo: Demo, tmp_path: Path, attempt: int) -> None:
    made = demo.pki("backup-key", tmp_path / "identity")
    argv = [sys.executable, "-m", "ca", "--state", str(demo.state), "backup", str(tmp_path / "killed")]
    with subprocess.Popen([*argv, "--recipient", made.out.strip()], env=environment(), cwd=REPOSITORY) as running:
        time.sleep(0.7 + 0.15 * attempt)
        running.kill()
    if running.returncode == -signal.SIGKILL:
        assert not (tmp_path / "killed").exists()

    again = demo.pki("backup", tmp_path / "backup", "--recipient", made.out.strip())

    assert again.status == 0, again
    assert not (demo.state / "backup-unfinished").exists()


def last_crl(demo: Demo) -> str:
    """As openssl tells it."""
    crl = demo.state / "publication" / "crl" / "issuing.crl"
    return openssl("crl", "-inform", "DER", "-in", crl, "-noout", "-text").lower()
