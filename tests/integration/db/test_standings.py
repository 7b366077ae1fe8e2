"""The standings map beside real databases: in the act of each commit, in order, and following what others did."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ca.adapters.db.unit_of_work import Committed, SqlUnitOfWork
from ca.adapters.standings import StandingsMap
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import NotReady
from ca.domain.standings import Standing
from ca.usecases.standings import FollowRecords
from tests.builders import a_certificate, an_event


class Signer:
    """A signer as far as its records go."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self.standings = StandingsMap(directory)
        self.unit_of_work = SqlUnitOfWork(engine, after_commit=self._committed)
        self.follow = FollowRecords(self.unit_of_work, self.standings)
        self.told: list[Committed] = []

    def _committed(self, committed: Committed) -> None:
        self.told.append(committed)
        changed = [(one.serial, Standing.of(one)) for one in committed.certificates]
        self.standings.apply(changed, after=committed.after, number=committed.head.number)

    def issue(self, serial: int, status: CertificateStatus = CertificateStatus.ACTIVE) -> None:
        with self.unit_of_work() as work:
            work.certificates.add(a_certificate(serial=serial, status=status))
            work.audit.append(an_event("certificate.intended", subject=f"{serial:x}"))
            work.audit.append(an_event("certificate.issued", subject=f"{serial:x}"))
            work.commit()

    def confirm(self, serial: int) -> None:
        with self.unit_of_work() as work:
            work.certificates.save(replace(work.certificates.get(serial), status=CertificateStatus.ACTIVE))
            work.audit.append(an_event("certificate.confirmed", subject=f"{serial:x}"))
            work.commit()

    def status(self, serial: int) -> CertificateStatus | None:
        found = self.standings.find(serial)
        return found.status if found else None


@pytest.fixture
def signer(engine: Engine, tmp_path: Path) -> Iterator[Signer]:
    signer = Signer(engine, tmp_path / "first")
    signer.issue(1)
    signer.follow()
    yield signer
    signer.standings.close()


def test_what_was_committed_is_in_the_map_before_the_act_returns(signer: Signer) -> None:
    signer.issue(2, CertificateStatus.UNCONFIRMED)

    assert (signer.standings.applied(), signer.status(2)) == (4, CertificateStatus.UNCONFIRMED)
    signer.confirm(2)
    assert (signer.standings.applied(), signer.status(2)) == (5, CertificateStatus.ACTIVE)
    assert (signer.told[-2].after, signer.told[-2].head.number) == (2, 4)


def test_what_was_rolled_back_is_not(signer: Signer) -> None:
    with signer.unit_of_work() as work:
        work.certificates.add(a_certificate(serial=2))
        work.audit.append(an_event("certificate.issued", subject="2"))

    assert (signer.standings.applied(), signer.status(2)) == (2, None)


def test_many_at_once_are_told_of_in_the_order_of_the_chain(signer: Signer) -> None:
    threads = [threading.Thread(target=signer.issue, args=(serial,)) for serial in range(2, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [told.after for told in signer.told] == [told.head.number - 2 for told in signer.told]
    assert [told.head.number for told in signer.told] == list(range(2, 24, 2))
    assert signer.standings.applied() == 22


def test_another_signers_acts_are_followed(signer: Signer, engine: Engine, tmp_path: Path) -> None:
    other = Signer(engine, tmp_path / "second")
    assert other.follow()
    assert other.status(1) is CertificateStatus.ACTIVE
    signer.issue(2, CertificateStatus.UNCONFIRMED)
    other.issue(3)
    assert other.standings.applied() == 2

    assert other.follow()

    assert (other.standings.applied(), other.status(2)) == (6, CertificateStatus.UNCONFIRMED)
    assert not other.follow()
    other.standings.close()


def test_a_database_older_than_the_map_is_refused(signer: Signer) -> None:
    signer.standings.rebuild([], number=9)

    with pytest.raises(NotReady, match="older"):
        signer.follow()
