"""ca/usecases/balances.py: what is counted in the evening beside what must be there, by two officers."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from ca.domain.custody import Holder
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.stock import COUNTED, AlarmKind, Balance, BalanceState, BatchRow, Line, Totals, lines, totals
from tests.fakes.bank import BRANCH, ELSEWHERE, MARIA, STRANGER, SUPERVISOR, Bank


def counted(**found: int) -> Mapping[Holder, int]:
    return {holder: found.get(holder.value, 0) for holder in COUNTED}


def count(bank: Bank, by: str = MARIA, **found: int) -> Balance:
    bank.clock.tick(timedelta(hours=1))
    return bank.use_cases.stock.balance.count(bank.session(by), counted(**found))


def confirm(bank: Bank, balance: Balance, by: str = SUPERVISOR) -> Balance:
    return bank.use_cases.stock.balance.confirm(bank.session(by), balance.id)


def receive(bank: Bank, *serials: str) -> None:
    rows = [BatchRow(number, serial) for number, serial in enumerate(serials, start=1)]
    bank.use_cases.stock.receive(bank.session(MARIA), rows, model="U-Shield 2", into=Holder.VAULT)


def test_a_balance_begins_where_the_last_one_ended(bank: Bank) -> None:
    receive(bank, "US1", "US2", "US3")
    first = confirm(bank, count(bank, vault=3))
    bank.clock.tick(timedelta(hours=1))
    consignment = bank.use_cases.stock.consign.transfer(
        bank.session(MARIA), ["US1", "US2"], to_branch=ELSEWHERE, why="x"
    )
    second = confirm(bank, count(bank, vault=1))
    bank.use_cases.stock.consign.confirm(bank.session(STRANGER), consignment.id)
    third = count(bank, vault=1)

    vault, in_transit = Holder.VAULT, Holder.IN_TRANSIT
    assert (first.since, second.since, third.since) == (None, first.at, second.at)
    assert first.lines[0] == Line(vault, 0, 3, 0, 3)
    assert (second.lines[0], second.lines[-1]) == (Line(vault, 3, 0, 2, 1), Line(in_transit, 0, 2, 0, 2))
    assert (third.lines[0], third.lines[-1]) == (Line(vault, 1, 0, 0, 1), Line(in_transit, 2, 0, 2, 0))
    assert bank.stored.alarms == {}


def test_a_branchs_day_in_one_line(bank: Bank) -> None:
    receive(bank, "US1", "US2")
    bank.codes()
    certificate = bank.active()
    bank.revoked(certificate)
    stock, session = bank.use_cases.stock, bank.session(MARIA)
    stock.move.give_back(session, certificate.device_serial, why="x")
    consignment = stock.consign.destroy(session, [certificate.device_serial], why="x")
    stock.consign.confirm(bank.session(SUPERVISOR), consignment.id)
    sent = stock.consign.transfer(session, ["US1"], to_branch=ELSEWHERE, why="x")
    stock.consign.confirm(bank.session(STRANGER), sent.id)

    with bank.unit_of_work() as work:
        now = bank.clock.now()
        here, there = (
            totals(branch, work.stock.count_held(branch), work.stock.sum_moves(branch, None, now))
            for branch in (BRANCH, ELSEWHERE)
        )

    assert here == Totals(opening=0, received=4, returned=1, handed_out=2, sent=1, destroyed=1, closing=1)
    assert there == Totals(opening=0, received=1, returned=0, handed_out=0, sent=0, destroyed=0, closing=1)


def test_an_empty_branch_has_an_empty_balance() -> None:
    assert {line.closing for line in lines("none", {}, [])} == {0}


def test_a_difference_becomes_an_alarm_once_a_second_officer_saw_it(bank: Bank) -> None:
    receive(bank, "US1", "US2")
    balance = count(bank, vault=1, returned=2)
    before = dict(bank.stored.alarms)

    confirm(bank, balance)

    (alarm,) = bank.stored.alarms.values()
    assert before == {}
    assert (alarm.kind, alarm.subject, alarm.told) == (AlarmKind.MISCOUNT, balance.id, "vault -1, returned +2")


def test_who_counted_does_not_confirm(bank: Bank) -> None:
    balance = count(bank, by=SUPERVISOR)
    with pytest.raises(NotAllowed, match="another officer"):
        confirm(bank, balance)
    with pytest.raises(NotAllowed):
        confirm(bank, balance, by=MARIA)  # no supervisor
    with pytest.raises(NotFound):
        confirm(bank, balance, by=STRANGER)
    assert bank.stored.balances[balance.id].state is BalanceState.PROPOSED


def test_counting_again_takes_the_place_of_the_first_count(bank: Bank) -> None:
    first, second = count(bank, vault=9), count(bank)
    with pytest.raises(InvalidTransition, match="void"):
        confirm(bank, first)
    assert confirm(bank, second).state is BalanceState.CONFIRMED
    with pytest.raises(InvalidTransition, match="confirmed already"):
        confirm(bank, second)


@pytest.mark.parametrize("wrong", [{}, {Holder.VAULT: 1}, {**counted(), Holder.VAULT: -1}])
def test_a_count_says_every_place_and_no_less_than_nothing(bank: Bank, wrong: Mapping[Holder, int]) -> None:
    with pytest.raises(InvalidRequest, match="count the vault"):
        bank.use_cases.stock.balance.count(bank.session(MARIA), wrong)


def test_an_alarm_is_settled_once_with_what_was_found(bank: Bank) -> None:
    confirm(bank, count(bank, vault=1))
    (alarm,) = bank.stored.alarms
    settle = bank.use_cases.stock.settle
    with pytest.raises(NotFound):
        settle(bank.session(STRANGER), alarm, finding="x")
    with pytest.raises(NotFound):
        settle(bank.session(SUPERVISOR), "none", finding="x")
    with pytest.raises(NotAllowed):
        settle(bank.session(MARIA), alarm, finding="x")
    with pytest.raises(InvalidRequest):
        settle(bank.session(SUPERVISOR), alarm, finding="")

    settled = settle(bank.session(SUPERVISOR), alarm, finding="it lay in the other drawer")

    assert (settled.settled_by, settled.finding) == (SUPERVISOR, "it lay in the other drawer")
    with pytest.raises(InvalidTransition, match="settled already"):
        settle(bank.session(SUPERVISOR), alarm, finding="x")
    assert bank.event_names[-1] == "stock.settled"
