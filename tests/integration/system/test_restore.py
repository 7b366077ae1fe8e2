"""Yesterday's database is put back: nothing is served until the journal was replayed, and nothing revoked is good."""

import shutil
from pathlib import Path

import pytest

from tests.integration.system.clients import ask_ocsp, issue, serial_of
from tests.integration.system.fixtures import CopyOfDemo
from tests.integration.system.running import Demo

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]


def put_back(demo: Demo, backup: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{demo.database}{suffix}").unlink(missing_ok=True)
    shutil.copy(backup, demo.database)


def test_a_restored_database_is_closed_until_the_journal_was_replayed(copy_of_demo: CopyOfDemo, tmp_path: Path) -> None:
    demo = copy_of_demo().start()
    certificate = issue(demo, tmp_path, demo.codes("machine")[0])
    demo.stop()
    backup = Path(shutil.copy(demo.database, tmp_path / "yesterday.sqlite3"))
    demo.start()
    assert demo.pki("demo", "revoke", serial_of(certificate), "--reason", "keyCompromise").status == 0
    numbers = demo.rows("SELECT issuer, number FROM crl_due ORDER BY issuer")
    demo.stop()
    put_back(demo, backup)

    refused = demo.start_in_vain()
    assert refused.status != 0
    assert "the database was restored to an older state" in refused.text
    assert "./pki journal replay" in refused.text
    assert "Traceback" not in refused.text

    assert "BAD  journal: the database ends at audit event" in demo.pki("doctor").out

    replayed = demo.pki("journal", "replay")
    assert replayed.status == 0, replayed
    assert "1 certificate.revoked" in replayed.out

    demo.start()
    assert "Cert Status: revoked" in ask_ocsp(demo, tmp_path, "-cert", certificate)
    after = demo.rows("SELECT issuer, number FROM crl_due ORDER BY issuer")
    assert all(now >= before for (_, before), (_, now) in zip(numbers, after, strict=True))
    assert demo.pki("audit", "verify").status == 0
    looked = demo.pki("status", serial_of(certificate))
    assert "status   revoked since " in looked.out
    assert ", keyCompromise" in looked.out
    before = demo.pki("status", serial_of(certificate), "--at", "2020-01-01T00:00:00Z")
    assert "unknown: it was not issued yet" in before.out
    assert "an instant is written with its zone" in demo.pki("status", "a1", "--at", "yesterday").err


def test_the_journal_is_not_replayed_while_the_signer_runs(demo: Demo) -> None:
    refused = demo.pki("journal", "replay")
    assert refused.status == 1
    assert "another process writes" in refused.err


def test_a_database_that_lacks_nothing_is_left_alone(stopped_demo: Demo) -> None:
    ran = stopped_demo.pki("journal", "replay")
    assert (ran.status, ran.out) == (0, "The database has everything that the journal has.\n")
