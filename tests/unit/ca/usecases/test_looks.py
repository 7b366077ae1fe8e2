"""ca/usecases/looks.py: whoever looks at a customer's data leaves a trace, and the customer sees it."""

from datetime import timedelta

import pytest

from ca.domain.errors import NotAuthenticated, NotFound
from ca.usecases.looks import EXPORTED, LOOKED, ONE_LOOK, NoteLook
from tests.fakes.bank import HOTLINE, MARIA, SUPERVISOR, Bank


@pytest.fixture
def note(bank: Bank) -> NoteLook:
    return NoteLook(bank.unit_of_work, bank.clock, bank.authorize)


def looks(bank: Bank) -> list[tuple[str, str]]:
    return [(one.actor, one.details["page"]) for one in bank.unit_of_work.events if one.name == LOOKED]


def test_each_officer_who_looks_is_recorded(bank: Bank, note: NoteLook) -> None:
    customer = bank.active().customer

    for person, page in ((MARIA, "customers"), (HOTLINE, "certificates"), (SUPERVISOR, "cases")):
        note(bank.session(person), customer, page)

    assert [page for _, page in looks(bank)] == ["customers", "certificates", "cases"]
    assert len({actor for actor, _ in looks(bank)}) == 3


def test_pages_of_one_visit_are_one_look(bank: Bank, note: NoteLook) -> None:
    customer, session = bank.active().customer, bank.session(MARIA)

    note(session, customer, "customers")
    bank.clock.tick(ONE_LOOK)
    note(session, customer, "cases")
    assert [page for _, page in looks(bank)] == ["customers"]
    bank.clock.tick(timedelta(seconds=1))
    note(bank.session(MARIA), customer, "cases")
    assert [page for _, page in looks(bank)] == ["customers", "cases"]


def test_another_customer_is_another_look(bank: Bank, note: NoteLook) -> None:
    session = bank.session(MARIA)

    for _ in range(2):
        note(session, bank.active().customer, "customers")
    assert len(looks(bank)) == 2


def test_a_sheet_of_many_customers_is_recorded_each_time(bank: Bank, note: NoteLook) -> None:
    for _ in range(2):
        note(bank.session(SUPERVISOR), "", "expiring")

    taken = [(one.subject, one.actor) for one in bank.unit_of_work.events if one.name == EXPORTED]
    assert len(taken) == 2
    assert len(set(taken)) == 1
    assert looks(bank) == []
    with pytest.raises(NotAuthenticated):
        note("none", "", "expiring")


def test_nobody_and_a_customer_who_is_not_there_leave_no_look(bank: Bank, note: NoteLook) -> None:
    with pytest.raises(NotAuthenticated):
        note("none", bank.active().customer, "customers")
    with pytest.raises(NotFound):
        note(bank.session(MARIA), "none", "customers")
    assert looks(bank) == []
