"""The database in memory keeps what the real ones keep, and fails when a test asks it to."""

import threading

import pytest

from ca.domain.errors import NotReady
from tests.builders import a_customer, an_event
from tests.contracts.work import WorkContract
from tests.fakes.work import FakeUnitOfWork


@pytest.fixture
def unit_of_work() -> FakeUnitOfWork:
    return FakeUnitOfWork()


class TestFakeWork(WorkContract):
    """The contract, in memory."""


def test_events_are_seen_once_they_are_committed(unit_of_work: FakeUnitOfWork) -> None:
    with unit_of_work() as work:
        work.audit.append(an_event("customer.registered"))
        before = unit_of_work.event_names
        work.commit()

    assert before == []
    assert unit_of_work.event_names == ["customer.registered"]


def test_the_commit_that_a_test_names_is_refused_and_no_other(unit_of_work: FakeUnitOfWork) -> None:
    unit_of_work.refuse_commit(2)

    with unit_of_work() as work:
        work.audit.append(an_event("a.first"))
        work.commit()
    with unit_of_work() as work:
        work.audit.append(an_event("b.lost"))
        with pytest.raises(NotReady, match="full"):
            work.commit()
    with unit_of_work() as work:
        work.audit.append(an_event("c.second"))
        work.commit()

    assert unit_of_work.event_names == ["a.first", "c.second"]


def test_a_second_transaction_in_one_thread_is_refused_at_once(unit_of_work: FakeUnitOfWork) -> None:
    with unit_of_work(), pytest.raises(NotReady, match="open already"), unit_of_work():
        pass


def test_threads_take_turns(unit_of_work: FakeUnitOfWork) -> None:
    def append() -> None:
        with unit_of_work() as work:
            work.customers.save(a_customer())
            work.audit.append(an_event())
            work.commit()

    threads = [threading.Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [each.number for each in unit_of_work.stored.audit] == [1, 2, 3, 4]
