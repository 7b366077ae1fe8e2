"""A database that was restored to an older state is noticed, and the journal brings back every row (invariant 8)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Engine, select
from sqlalchemy.orm import Session

from ca.adapters.db.base import Row
from ca.adapters.db.recovery import replay, require_agreement
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.adapters.journal.journal import Journal
from ca.domain.applications import ApplicationState
from ca.domain.audit import Head
from ca.domain.errors import NotReady, Tampered
from ca.domain.journal import Act, Change, chained
from ca.domain.revocation import RevocationReason
from ca.ports import Work
from ca.wiring import journaled
from tests.builders import (
    NOW,
    SEAL,
    a_certificate,
    a_code_pair,
    a_credential,
    a_crl,
    a_customer,
    a_device,
    an_application,
    an_event,
    an_intent,
    an_invitation,
    an_issuer,
    an_officer,
    evidence,
)
from tests.fakes.ceremony import FakeJournal

Acts = list[Callable[[Work], object]]

ACTS: list[Acts] = [
    [
        lambda work: work.customers.save(a_customer(name="张敏")),
        lambda work: work.devices.save(a_device()),
    ],
    [
        lambda work: work.officers.save(an_officer(), SEAL),
        lambda work: work.invitations.save(an_invitation(), SEAL),
    ],
    [lambda work: work.officers.save(an_officer(version=9, credentials=(a_credential(label="another"),)), SEAL)],
    [
        lambda work: work.issuers.save(an_issuer()),
        lambda work: work.applications.save(an_application(), SEAL),
        lambda work: work.applications.add_evidence("application-1", evidence()),
        lambda work: work.codes.save(a_code_pair()),
    ],
    [
        lambda work: work.applications.set_state(an_application(state=ApplicationState.APPROVED)),
        lambda work: work.intents.add(an_intent()),
    ],
    [
        lambda work: work.certificates.add(a_certificate()),
        lambda work: work.intents.mark_signed(an_intent().serial),
    ],
    [
        lambda work: work.crls.take_number("issuing", 0),
        lambda work: work.crls.set_due("issuing", due=False),
        lambda work: work.crls.add(a_crl()),
    ],
    [
        lambda work: work.certificates.save(
            a_certificate().revoke(RevocationReason.KEY_COMPROMISE, at=NOW + timedelta(hours=1))
        ),
        lambda work: work.crls.set_due("issuing", due=True),
        lambda work: work.blocked_keys.add("ef" * 32, "compromised", NOW),
    ],
]


def act(unit_of_work: SqlUnitOfWork, acts: Acts, name: str = "thing.done") -> None:
    with unit_of_work() as work:
        for one in acts:
            one(work)
        work.audit.append(an_event(name))
        work.commit()


def _is_row_number(column: Column[Any]) -> bool:
    return column.name == "id" and isinstance(column.type, BigInteger)


def rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Everything that the journal repeats, without the numbers the database gives rows by itself."""
    found: dict[str, list[tuple[object, ...]]] = {}
    with Session(engine) as session:
        for mapper in Row.registry.mappers:
            row = mapper.class_
            if not row.journaled and row.__tablename__ not in {"audit_events", "audit_head"}:
                continue
            given = [column for column in row.__table__.columns if not _is_row_number(column)]
            found[row.__tablename__] = sorted(tuple(one) for one in session.execute(select(*given)))
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal", tmp_path / "mirror")
    yield journal
    journal.close()


def test_a_journal_brings_back_every_row_on_an_empty_database(engine: Engine, fresh: Engine, journal: Journal) -> None:
    unit_of_work = journaled(engine, journal)
    for acts in ACTS:
        act(unit_of_work, acts)

    done = replay(fresh, journal)

    assert rows(fresh) == rows(engine)
    assert done == {"thing.done": len(ACTS)}
    assert require_agreement(fresh, journal.head) == 0


def test_a_restored_database_is_refused_until_the_journal_was_replayed(
    engine: Engine, fresh: Engine, journal: Journal
) -> None:
    unit_of_work = journaled(engine, journal)
    for acts in ACTS[:5]:
        act(unit_of_work, acts)
    replay(fresh, journal)
    for acts in ACTS[5:]:
        act(unit_of_work, acts)

    with pytest.raises(NotReady, match=r"ends at audit event 5, the journal at 8: .* `./pki journal replay`"):
        journaled(fresh, journal)
    assert replay(fresh, journal) == {"thing.done": 3}

    assert rows(fresh) == rows(engine)
    with journaled(fresh, journal)() as work:
        assert work.certificates.get(a_certificate().serial).revocation is not None


def test_replaying_again_changes_nothing(engine: Engine, fresh: Engine, journal: Journal) -> None:
    act(journaled(engine, journal), ACTS[0])
    replay(fresh, journal)
    assert replay(fresh, journal) == {}
    assert rows(fresh) == rows(engine)


def test_a_database_that_went_on_by_itself_is_not_replayed_into(
    engine: Engine, fresh: Engine, journal: Journal
) -> None:
    unit_of_work = journaled(engine, journal)
    act(unit_of_work, ACTS[0])
    act(unit_of_work, ACTS[1])
    act(SqlUnitOfWork(fresh), ACTS[0], name="other.story")

    with pytest.raises(Tampered, match="tells another story of audit event 1"):
        replay(fresh, journal)
    act(SqlUnitOfWork(fresh), ACTS[1])
    with pytest.raises(Tampered, match="tells another story of audit event 2"):
        journaled(fresh, journal)


def test_rows_that_somebody_put_in_beforehand_are_not_taken_for_ours(
    engine: Engine, fresh: Engine, journal: Journal
) -> None:
    act(journaled(engine, journal), ACTS[0])
    with SqlUnitOfWork(fresh)() as work:
        work.customers.save(a_customer(name="Somebody"))
        work.commit()

    with pytest.raises(Tampered, match="is in the database already"):
        replay(fresh, journal)


def test_what_a_crash_kept_from_the_journal_is_written_at_the_next_start(engine: Engine, journal: Journal) -> None:
    # The act is committed, and the process dies before the journal has its line.
    act(SqlUnitOfWork(engine), ACTS[0])
    act(SqlUnitOfWork(engine), ACTS[1])

    journaled(engine, journal)

    assert [entry.head.number for entry in journal.read()] == [1, 2]


def test_a_journal_that_was_cut_is_not_written_on(engine: Engine, tmp_path: Path, journal: Journal) -> None:
    act(journaled(engine, journal), ACTS[0])
    with Session(engine) as session:
        # Long ago: nothing waits for the journal any more.
        session.connection().exec_driver_sql("DELETE FROM journal_outbox")
        session.commit()
    with pytest.raises(Tampered, match="somebody cut the journal"):
        journaled(engine, Journal(tmp_path / "empty", tmp_path / "too"))


def test_an_act_without_its_event_is_not_committed(engine: Engine, journal: Journal) -> None:
    unit_of_work = journaled(engine, journal)
    with unit_of_work() as work:
        work.customers.save(a_customer())
        with pytest.raises(LookupError, match=r"no act without its event .*: customers"):
            work.commit()
    with unit_of_work() as work:
        assert work.customers.find_by_number(a_customer().number) is None


def test_a_transaction_that_fails_is_in_no_journal(engine: Engine, journal: Journal) -> None:
    unit_of_work = journaled(engine, journal)
    with unit_of_work() as work:
        work.customers.save(a_customer())
        work.audit.append(an_event())
    act(unit_of_work, ACTS[0])
    assert [entry.head.number for entry in journal.read()] == [1]


def test_the_database_keeps_for_the_journal_what_is_recent_only(engine: Engine, journal: Journal) -> None:
    unit_of_work = journaled(engine, journal)
    for _ in range(4):
        with unit_of_work() as work:
            for _ in range(600):
                work.audit.append(an_event())
            work.commit()
    with unit_of_work() as work:
        assert [entry.head.number for entry in work.audit.waiting(0)] == [1200, 1800, 2400]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (Change(Act.INSERT, "alembic_version", {}, {"version_num": "9"}), "which this version does not know"),
        (Change(Act.INSERT, "audit_events", {}, {"number": 1}), "which this version does not know"),
        (Change(Act.UPDATE, "customers", {"id": "customer-1"}, {"colour": "red"}), "a column 'colour'"),
        (Change(Act.UPDATE, "customers", {"id": "nobody"}, {"name": "x"}), "does not have"),
        (Change(Act.DELETE, "customers", {"id": "nobody"}, {}), "does not have"),
    ],
    ids=["table of nobody", "table of the log", "column", "update of nothing", "delete of nothing"],
)
def test_a_journal_of_another_database_is_refused(engine: Engine, change: Change, named: str) -> None:
    forged = FakeJournal([chained(Head(), [an_event()], (change,))])
    before = rows(engine)
    with pytest.raises(Tampered, match=named):
        replay(engine, forged)
    assert rows(engine) == before
