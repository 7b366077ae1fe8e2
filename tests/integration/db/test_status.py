"""Status over real databases: what the signer writes is what the status process reads on another host, at once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.x509 import ocsp as judge
from sqlalchemy import Engine

from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import NotReady, Tampered
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing, serial_key
from ocsp.request import parse_request
from ocsp.store import Statuses, open_statuses
from tests.fakes.standings import FakeStandings
from tests.fakes.status_world import StatusWorld

pytestmark = pytest.mark.postgres


@pytest.fixture
def unit_of_work(postgres_engine: Engine) -> SqlUnitOfWork:
    return SqlUnitOfWork(postgres_engine)


@pytest.fixture
def statuses(postgres_url: str, tmp_path: Path) -> Iterator[Statuses]:
    opened = open_statuses(postgres_url.replace("postgresql://", "postgresql+psycopg://"), tmp_path)
    yield opened
    connection_of(opened).close()


def connection_of(statuses: Any) -> Any:
    """The connection that this thread's reader keeps."""
    statuses.find(key(1))
    return statuses._mine.connection


def key(serial: int) -> bytes:
    return serial_key(serial) or b""


@pytest.fixture
def world(unit_of_work: SqlUnitOfWork) -> StatusWorld:
    """A world whose records are in the database."""
    world = StatusWorld()
    with unit_of_work() as work:
        for issuer in (world.root, world.issuing):
            work.issuers.save(issuer)
        work.certificates.add(world.responder)
        work.commit()
    kept: Any = unit_of_work
    world.unit_of_work = kept
    world.answer_ocsp = replace(world.answer_ocsp, unit_of_work=kept, standings=RecordsAlone(kept))
    world.publish_crl = replace(world.publish_crl, unit_of_work=kept)
    return world


class RecordsAlone(FakeStandings):
    """A map that agrees with the records whatever they say: here they are what is looked at."""

    def __init__(self, unit_of_work: SqlUnitOfWork) -> None:
        super().__init__()
        self._unit_of_work = unit_of_work

    def find(self, serial: int) -> Standing | None:
        with self._unit_of_work() as work:
            return work.certificates.find_standings([serial]).get(serial)


def change(unit_of_work: SqlUnitOfWork, certificate: Certificate) -> None:
    with unit_of_work() as work:
        work.certificates.save(certificate)
        work.crls.set_due(certificate.issuer, due=True)
        work.commit()


def seen(statuses: Statuses, serial: int) -> Revocation | None:
    packed = statuses.find(key(serial))
    assert packed is not None
    standing = Standing.unpack(packed)
    assert standing.issuer == "issuing"
    return standing.seen_by_relying_parties()


def test_each_change_is_read_in_the_next_look(
    world: StatusWorld, unit_of_work: SqlUnitOfWork, statuses: Statuses
) -> None:
    assert statuses.find(key(0xA1)) is None
    certificate = world.issue(0xA1, CertificateStatus.UNCONFIRMED)
    now = world.clock.now()
    assert seen(statuses, 0xA1) == Revocation(RevocationReason.CERTIFICATE_HOLD, now)
    active = certificate.confirm(at=now)
    change(unit_of_work, active)
    assert seen(statuses, 0xA1) is None
    for reason in (RevocationReason.UNSPECIFIED, RevocationReason.KEY_COMPROMISE):
        serial = 0xB0 + reason
        change(unit_of_work, world.issue(serial).revoke(reason, at=now))
        assert seen(statuses, serial) == Revocation(reason, now)


def test_a_serial_of_twenty_octets_is_found(world: StatusWorld, statuses: Statuses) -> None:
    world.issue(2**159 - 1)
    assert seen(statuses, 2**159 - 1) is None


def test_nothing_can_be_written_by_the_reader(statuses: Statuses) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        connection_of(statuses).execute("DELETE FROM certificates")


def test_ocsp_and_crl_come_from_the_records(
    world: StatusWorld, unit_of_work: SqlUnitOfWork, statuses: Statuses
) -> None:
    now = world.clock.now()
    world.issue(0xA1)
    change(unit_of_work, world.issue(0xB2).revoke(RevocationReason.SUPERSEDED, at=now))

    cert_ids = [parse_request(world.asked(serial)).cert_ids[0].der for serial in (0xA1, 0xB2, 0xC3)]
    answer = judge.load_der_ocsp_response(world.answer_ocsp(cert_ids))
    assert [each.certificate_status.name for each in answer.responses] == ["GOOD", "REVOKED", "UNKNOWN"]

    assert world.publish_crl.is_due("issuing")
    assert world.publish_crl("issuing").number == 1
    assert world.publish_crl("issuing").number == 2
    assert not world.publish_crl.is_due("issuing")
    crl = x509.load_der_x509_crl(world.publisher.crls["issuing"])
    assert [entry.serial_number for entry in crl] == [0xB2]


def test_a_crl_is_refused_when_a_revocation_was_taken_back_in_the_records(
    world: StatusWorld, unit_of_work: SqlUnitOfWork, statuses: Statuses
) -> None:
    certificate = world.issue(0xA1)
    change(unit_of_work, certificate.revoke(RevocationReason.KEY_COMPROMISE, at=world.clock.now()))
    world.publish_crl("issuing")
    change(unit_of_work, certificate)
    with pytest.raises(Tampered):
        world.publish_crl("issuing")


def test_a_server_that_was_away_is_read_again_when_it_is_back(postgres_socket: Path, postgres_url: str) -> None:
    statuses = open_statuses(postgres_url, postgres_socket)
    assert statuses.find(key(1)) is None
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(NotReady):
        statuses.find(key(1))
    assert statuses.find(key(1)) is None
    connection_of(statuses).close()
