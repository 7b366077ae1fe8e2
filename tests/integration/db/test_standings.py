"""The standings map beside real databases and the journal: in the act of each commit, and following what others did."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.adapters.journal.journal import Journal
from ca.adapters.standings import StandingsMap
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import NotReady
from ca.domain.revocation import RevocationReason
from ca.domain.standings import Standing
from ca.usecases.standings import FollowRecords
from ca.wiring import Files, journaled
from tests.builders import NOW, a_certificate, an_event


class Signer:
    """A signer as far as its records go."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self.journal = Journal(directory / "journal", directory / "mirror")
        self.standings = StandingsMap(directory / "standings")
        nothing: Any = None
        files = Files(nothing, nothing, self.journal, nothing, self.standings)
        records = SqlUnitOfWork(engine)
        self.unit_of_work = journaled(engine, self.journal, kept=partial(files.kept, records))
        self.follow = FollowRecords(records, self.standings)

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
