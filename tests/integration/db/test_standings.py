"""The standings map beside real databases and the journal: in the act of each commit, and following what others did."""

import hmac
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ca.adapters.journal.journal import Journal
from ca.adapters.journal.snapshot import SnapshotFile
from ca.adapters.standings import StandingsMap
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import NotReady, SigningRefused, Tampered
from ca.domain.revocation import RevocationReason
from ca.domain.standings import Standing
from ca.ports import KeyId
from ca.usecases.acted import Acted
from ca.usecases.audit import AUDIT_KEY
from ca.usecases.standings import FollowRecords, KeepSnapshot
from ca.wiring import Files, journaled
from tests.builders import NOW, a_certificate, an_event

_SECRET = b"the audit key"


class _Keys:
    """The audit key: an HMAC stands for its signature."""

    def sign(self, key: KeyId, data: bytes) -> bytes:
        assert key == AUDIT_KEY
        return hmac.digest(_SECRET, data, "sha256")


def _verify(message: bytes, signature: bytes) -> None:
    if not hmac.compare_digest(hmac.digest(_SECRET, message, "sha256"), signature):
        raise SigningRefused("the audit key did not sign this")


class Signer:
    """A signer as far as its records go."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self.journal = Journal(directory / "journal", directory / "mirror")
        self.standings = StandingsMap(directory / "standings")
        nothing: Any = None
        self.snapshot = SnapshotFile(directory / "journal", _verify)
        files = Files(
            nothing, nothing, self.journal, nothing, self.standings, self.snapshot, directory / "outbox", nothing
        )
        self.unit_of_work = journaled(engine, self.journal, kept=files.kept)
        self.follow = FollowRecords(self.unit_of_work, self.standings)
        keys: Any = _Keys()
        self.keep_snapshot = KeepSnapshot(self.standings, self.snapshot, self.journal, keys)

    def issue(self, serial: int, status: CertificateStatus = CertificateStatus.ACTIVE) -> Certificate:
        certificate = a_certificate(serial=serial, status=status)
        with self.unit_of_work() as work:
            work.certificates.add(certificate)
            work.audit.append(an_event("certificate.intended", subject=f"{serial:x}"))
            work.audit.append(an_event("certificate.issued", subject=f"{serial:x}"))
            work.commit()
        return certificate

    def change(self, certificate: Certificate, event: str) -> None:
        with self.unit_of_work() as work:
            work.certificates.save(certificate)
            work.audit.append(an_event(event, subject=f"{certificate.serial:x}"))
            work.commit()

    def status(self, serial: int) -> CertificateStatus | None:
        found = self.standings.find(serial)
        return found.status if found else None

    def close(self) -> None:
        self.journal.close()
        self.standings.close()


@pytest.fixture
def signer(engine: Engine, tmp_path: Path) -> Iterator[Signer]:
    signer = Signer(engine, tmp_path / "first")
    signer.issue(1)
    yield signer
    signer.close()


def test_what_was_committed_is_in_the_map_before_the_act_returns(signer: Signer) -> None:
    assert (signer.standings.applied(), signer.status(1)) == (2, CertificateStatus.ACTIVE)
    certificate = signer.issue(2, CertificateStatus.UNCONFIRMED)
    assert signer.standings.find(2) == Standing.of(certificate)
    active = replace(certificate, status=CertificateStatus.ACTIVE)
    signer.change(active, "certificate.confirmed")
    assert signer.status(2) is CertificateStatus.ACTIVE
    revoked = active.revoke(RevocationReason.SUPERSEDED, at=NOW)
    signer.change(revoked, "certificate.revoked")

    assert (signer.standings.applied(), signer.standings.find(2)) == (6, Standing.of(revoked))


def test_an_invalidity_date_is_in_records_and_map_and_they_agree(signer: Signer) -> None:
    active = signer.issue(2)
    revoked = active.revoke(RevocationReason.KEY_COMPROMISE, at=NOW + timedelta(hours=1), invalid_since=NOW)
    signer.change(revoked, "certificate.revoked")

    assert signer.standings.find(2) == Standing.of(revoked)
    assert list(Acted(signer.unit_of_work, signer.standings).contradictions()) == []


def test_what_was_rolled_back_is_not(signer: Signer) -> None:
    with signer.unit_of_work() as work:
        work.certificates.add(a_certificate(serial=2))
        work.audit.append(an_event("certificate.issued", subject="2"))

    assert (signer.standings.applied(), signer.status(2)) == (2, None)


def test_many_at_once_are_all_in_it(signer: Signer) -> None:
    threads = [threading.Thread(target=signer.issue, args=(serial,)) for serial in range(2, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert signer.standings.applied() == 22
    assert {signer.status(serial) for serial in range(1, 12)} == {CertificateStatus.ACTIVE}


def test_what_could_not_be_written_is_written_before_anything_else_is_committed(signer: Signer, tmp_path: Path) -> None:
    directory = tmp_path / "first" / "standings"
    signer.standings.close()
    directory.rename(tmp_path / "away")
    directory.write_bytes(b"in the way")
    with pytest.raises(NotReady):
        signer.issue(2)
    with pytest.raises(NotReady):
        signer.issue(3)

    directory.unlink()
    signer.issue(4)

    assert signer.standings.applied() == signer.journal.head.number
    assert [signer.status(serial) for serial in (1, 2, 3, 4)] == [
        *(CertificateStatus.ACTIVE, CertificateStatus.ACTIVE, None, CertificateStatus.ACTIVE),
    ]


def test_another_signers_acts_are_followed(signer: Signer, engine: Engine, tmp_path: Path) -> None:
    other = Signer(engine, tmp_path / "second")
    assert other.status(1) is CertificateStatus.ACTIVE
    signer.issue(2, CertificateStatus.UNCONFIRMED)

    assert other.follow()

    assert (other.standings.applied(), other.status(2)) == (4, CertificateStatus.UNCONFIRMED)
    assert not other.follow()
    other.close()


def test_a_database_older_than_the_map_is_refused(signer: Signer) -> None:
    signer.standings.rebuild([], number=9)

    with pytest.raises(NotReady, match="older"):
        signer.follow()


def _take_back(engine: Engine, serial: int) -> None:
    """What somebody does who may write the database and nothing else."""
    edit = (
        "UPDATE certificates SET status = 'active', revoked_at = NULL, reason = NULL, crl_entry = NULL WHERE serial = "
    )
    with engine.begin() as connection:
        assert connection.execute(text(f"{edit}'{serial:x}'")).rowcount == 1


def _anew(signer: Signer, engine: Engine, directory: Path) -> Signer:
    """The machine was off, and no map of an earlier boot is used."""
    signer.close()
    shutil.rmtree(directory / "standings")
    return Signer(engine, directory)


@pytest.fixture
def revoked(signer: Signer) -> Signer:
    signer.issue(2)
    signer.change(a_certificate(serial=1).revoke(RevocationReason.SUPERSEDED, at=NOW), "certificate.revoked")
    return signer


@pytest.mark.parametrize("kept", ["never", "before", "after"])
def test_a_row_taken_back_while_the_machine_was_off_is_not_believed(
    signer: Signer, engine: Engine, tmp_path: Path, kept: str
) -> None:
    if kept == "before":
        assert signer.keep_snapshot() == 2
    signer.issue(2)
    signer.change(a_certificate(serial=1).revoke(RevocationReason.SUPERSEDED, at=NOW), "certificate.revoked")
    if kept == "after":
        assert signer.keep_snapshot() == 5
    _take_back(engine, 1)

    anew = _anew(signer, engine, tmp_path / "first")

    assert (anew.status(1), anew.status(2)) == (CertificateStatus.REVOKED, CertificateStatus.ACTIVE)
    compared = Acted(anew.unit_of_work, anew.standings)
    assert list(compared.contradictions()) == [1]
    with anew.unit_of_work.look() as work:
        missing = compared.missing(work, "issuing", [])
    with pytest.raises(Tampered, match="certificate 1 "):
        compared.require_recorded(missing)
    anew.close()


def test_an_act_upon_a_row_that_was_taken_back_does_not_bring_the_certificate_back(
    revoked: Signer, engine: Engine, tmp_path: Path
) -> None:
    _take_back(engine, 1)
    held = a_certificate(serial=1).suspend(at=NOW)
    revoked.change(held, "certificate.held")
    revoked.change(held.resume(), "certificate.released")

    assert revoked.status(1) is CertificateStatus.REVOKED
    anew = _anew(revoked, engine, tmp_path / "first")
    assert anew.status(1) is CertificateStatus.REVOKED
    anew.close()


def _edited(content: bytes) -> bytes:
    # The standing of the first record: its key and length are before it.
    return content[:22] + b"\x01" + content[23:]


@pytest.mark.parametrize(
    "damage",
    [_edited, lambda content: content[:-1], lambda content: content[30:], lambda _: b"", lambda _: b"{}"],
    ids=["edited", "end cut", "beginning cut", "empty", "something else"],
)
def test_a_damaged_snapshot_is_not_believed_and_the_journal_has_it_all(
    revoked: Signer, engine: Engine, tmp_path: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    revoked.keep_snapshot()
    path = tmp_path / "first/journal/standings.snapshot"
    path.write_bytes(damage(path.read_bytes()))

    anew = _anew(revoked, engine, tmp_path / "first")

    assert (anew.status(1), anew.status(2)) == (CertificateStatus.REVOKED, CertificateStatus.ACTIVE)
    assert "read from the whole journal" in caplog.text
    anew.issue(3)
    assert anew.keep_snapshot() == anew.standings.applied()
    anew.close()


def test_a_snapshot_of_another_state_is_not_believed(
    revoked: Signer, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "_SECRET", b"another state's audit key")
    revoked.keep_snapshot()
    monkeypatch.undo()

    assert revoked.snapshot.number() == 0
    anew = _anew(revoked, engine, tmp_path / "first")
    assert anew.status(1) is CertificateStatus.REVOKED
    anew.close()


def _die(_message: bytes) -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


def test_killed_while_the_snapshot_was_written_the_one_before_counts(
    revoked: Signer, engine: Engine, tmp_path: Path
) -> None:
    revoked.keep_snapshot()
    revoked.issue(3)
    head = revoked.journal.head_at(revoked.standings.applied())
    child = os.fork()
    if child == 0:  # the other process dies in the middle, with what it wrote not even flushed
        revoked.snapshot.write(
            head, iter([(b"k" * 20, b"half")]), lambda _: os.kill(os.getpid(), signal.SIGKILL) or b""
        )
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL

    assert (tmp_path / "first/journal/.standings.snapshot").exists()
    assert revoked.snapshot.number() == 5
    anew = _anew(revoked, engine, tmp_path / "first")
    assert [anew.status(serial) for serial in (1, 2, 3)] == [
        *(CertificateStatus.REVOKED, CertificateStatus.ACTIVE, CertificateStatus.ACTIVE),
    ]
    assert anew.keep_snapshot() == 7
    anew.close()


def test_where_it_cannot_be_written_or_read_it_is_not_ready(revoked: Signer, tmp_path: Path) -> None:
    (tmp_path / "first/journal/.standings.snapshot").mkdir()
    with pytest.raises(NotReady, match="cannot be written"):
        revoked.keep_snapshot()
    (tmp_path / "first/journal/standings.snapshot").mkdir()
    with pytest.raises(NotReady, match="cannot be read"):
        revoked.snapshot.read()


def test_a_snapshot_does_not_keep_commits_waiting(signer: Signer) -> None:
    def sign(_message: bytes) -> bytes:
        signer.issue(2)
        return b""

    with signer.standings.records() as (number, records):
        signer.snapshot.write(signer.journal.head_at(number), records, sign)
    assert signer.status(2) is CertificateStatus.ACTIVE
