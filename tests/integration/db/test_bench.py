"""Certificates that the bench puts into a database are certificates to everybody who reads it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine

from bench.experiment import Unmeasured
from bench.state import Filled, fill, make_crl_due, revoked_entries
from ca.adapters.db.engine import open_database
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.certificates import CertificateStatus
from tests.builders import NOW, a_certificate

_SERIAL = (1 << 128) + 0xABC


def _signed(serial: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(serial).not_valid_before(NOW).not_valid_after(NOW)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.fixture
def state(sqlite_path: Path) -> Path:
    """A state directory with a database as a demo has it: one TLS certificate, one issuer that publishes CRLs."""
    database = sqlite_path.rename(sqlite_path.with_name("database.sqlite3"))
    engine = open_database(database)
    with SqlUnitOfWork(engine)() as work:
        work.certificates.add(
            a_certificate(serial=_SERIAL, issuer="issuing", profile="tls-server", der=_signed(_SERIAL))
        )
        work.crls.set_due("issuing", due=False)
        work.commit()
    engine.dispose()
    return database.parent


@pytest.fixture
def filled(state: Path) -> Filled:
    return fill(state, 200, revoked_share=0.1)


@pytest.fixture
def engine(state: Path) -> Engine:
    return open_database(state / "database.sqlite3")


def _schema(state: Path) -> set[str]:
    with closing(sqlite3.connect(state / "database.sqlite3")) as connection:
        return {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}


def test_so_many_hold_and_so_many_are_revoked(filled: Filled) -> None:
    assert (len(filled.holding), len(filled.revoked)) == (180, 20)


def test_the_same_serials_come_each_time(state: Path, filled: Filled, tmp_path: Path) -> None:
    with closing(sqlite3.connect(state / "database.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM certificates WHERE profile <> 'tls-server'")

    assert fill(state, 200, revoked_share=0.1) == filled


def test_the_product_reads_them_as_its_own(filled: Filled, engine: Engine) -> None:
    with SqlUnitOfWork(engine)() as work:
        holding, revoked = (work.certificates.get(serial) for serial in (filled.holding[0], filled.revoked[0]))

    assert (holding.status, revoked.status) == (CertificateStatus.ACTIVE, CertificateStatus.REVOKED)
    assert x509.load_der_x509_certificate(holding.der).serial_number == filled.holding[0]


def test_schema_and_indexes_stay(state: Path) -> None:
    before = _schema(state)

    fill(state, 50, revoked_share=0.5)

    assert _schema(state) == before


def test_a_sample_is_of_holding_and_revoked_ones(filled: Filled) -> None:
    sample = filled.sample(100)

    assert len(set(sample)) == 100
    assert set(sample) & set(filled.revoked)
    assert set(sample) & set(filled.holding)


def test_a_sample_is_no_larger_than_all(filled: Filled) -> None:
    assert sorted(filled.sample(1000)) == sorted(filled.holding + filled.revoked)


def test_revocations_can_be_given_to_another_ca(state: Path, filled: Filled) -> None:
    assert {int(serial, 16) for serial, _, _ in revoked_entries(state)} == set(filled.revoked)


def test_jobs_that_publish_are_due_again(state: Path) -> None:
    with closing(sqlite3.connect(state / "database.sqlite3")) as connection, connection:
        connection.execute("INSERT INTO job_runs VALUES ('crl', 1, 1, 'done'), ('codes', 1, 1, 'done')")

    make_crl_due(state)

    with closing(sqlite3.connect(state / "database.sqlite3")) as connection:
        assert connection.execute("SELECT name FROM job_runs").fetchall() == [("codes",)]


def test_a_table_that_is_not_known_is_refused(state: Path) -> None:
    with closing(sqlite3.connect(state / "database.sqlite3")) as connection, connection:
        connection.execute("ALTER TABLE certificates RENAME COLUMN branch TO office")

    with pytest.raises(Unmeasured, match="does not know the table"):
        fill(state, 1, revoked_share=0)
