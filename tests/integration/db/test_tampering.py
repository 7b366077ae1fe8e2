"""Rows that somebody edited in ways no value of ours can take: named as tampering, never a defect of ours (T-20)."""

import json

import pytest
from sqlalchemy import Engine, text

from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.audit import Head
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import Tampered
from ca.domain.receipts import OCSP, Receipt, Sighting
from ca.domain.times import Millis
from tests.builders import SEAL, an_application, an_event

# Reading that stops half-way leaves its cursor to the end of the connection, which psycopg remarks on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

EDITS = {
    "a number for details": "details = '1'",
    "a list for details": "details = '[1]'",
    "a float in the details": """details = '{"k":1.5}'""",
    "a number in the details": """details = '{"k":1}'""",
    "half a character in the details": r"""details = '{"k":"\ud800"}'""",
    "the same key twice": """details = '{"branch":"x","branch":"0001","name":"Kovács Anna"}'""",
    "blanks between": """details = '{"branch": "0001","name":"Kovács Anna"}'""",
    "no details": "details = ''",
    "nested without end": f"details = '{'[' * 100_000}'",
    "a time after all times": "at = 1000000000000000000",
    "a time before all times": "at = -1000000000000000",
    "a second later": "at = at + 1",
    "another name": "name = 'customer.removed'",
    "another hash": "hash = zeroblob(32)",
}
EDITS_OF_SQLITE = {
    "a word for a time": "at = 'x'",
    "bytes for a name": "name = x'ff'",
    "bytes for details": "details = x'ff'",
    "a word for a hash": "hash = 'x'",
}


def verify_edited(engine: Engine, edit: str) -> None:
    unit_of_work = SqlUnitOfWork(engine)
    with unit_of_work() as work:
        for _ in range(3):
            work.audit.append(an_event())
        work.commit()
    if engine.dialect.name == "postgresql":
        edit = edit.replace("zeroblob(32)", "decode(repeat('00', 32), 'hex')")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE audit_events SET {edit} WHERE number = 2")  # noqa: S608  a test's own text
    head = Head()
    with unit_of_work() as work:
        for chained in list(work.audit.read()):
            head = head.follow(chained)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_any_edit_of_an_event_is_named(engine: Engine, edit: str) -> None:
    with pytest.raises(Tampered):
        verify_edited(engine, edit)


@pytest.mark.parametrize("edit", EDITS_OF_SQLITE.values(), ids=EDITS_OF_SQLITE)
def test_any_edit_that_only_sqlite_takes_is_named(sqlite_engine: Engine, edit: str) -> None:
    with pytest.raises(Tampered):
        verify_edited(sqlite_engine, edit)


@pytest.mark.parametrize(
    "seconds", [10**20, -(10**20), 10**400, "1", None], ids=["late", "early", "huge", "text", "none"]
)
def test_an_impossible_validity_of_a_case_is_named(engine: Engine, seconds: object) -> None:
    unit_of_work = SqlUnitOfWork(engine)
    with unit_of_work() as work:
        work.applications.save(an_application(), SEAL)
        work.commit()
    case = json.loads(an_application().case.sealed_fields()) | {"validity_seconds": seconds}
    with engine.begin() as connection:
        connection.execute(text("UPDATE applications SET case_json = :case"), {"case": json.dumps(case)})

    with unit_of_work() as work, pytest.raises(Tampered, match="somebody changed the record"):
        work.applications.get("application-1")


@pytest.mark.parametrize(
    "edit",
    [
        *("sightings = '[1]'", "became = 'gone'", "serial = 'xyz'", f"sightings = '{'[' * 100_000}'"),
        *("""sightings = '[["ocsp","soon",null,null]]'""", """sightings = '[["ocsp",1000,null,Infinity]]'"""),
    ],
    ids=lambda edit: edit[:40],
)
def test_a_receipt_that_somebody_edited_keeps_no_other_from_being_asked_about(engine: Engine, edit: str) -> None:
    unit_of_work, at = SqlUnitOfWork(engine), Millis(1_795_435_200_000)
    receipts = [
        Receipt(serial, at, "issuing", CertificateStatus.REVOKED, 1, (Sighting(OCSP, 1000),)) for serial in (0xA1, 0xA2)
    ]
    with unit_of_work() as work:
        for receipt in receipts:
            work.receipts.add(receipt)
        work.audit.append(an_event())
        work.commit()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE receipts SET {edit} WHERE serial = 'a1'")  # noqa: S608  a test's own text
    with unit_of_work.look() as work:
        assert list(work.receipts.waiting(soon=True, since=at, after=(Millis(0), 0), limit=10)) == receipts[1:]
        with pytest.raises(Tampered):
            list(work.receipts.since(at))
