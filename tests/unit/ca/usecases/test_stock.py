"""ca/usecases/stock.py, custody.py: what comes in, who holds it, how it comes back."""

from dataclasses import replace

import pytest

from ca.domain.custody import MOST_AT_ONCE, Holder, transitions
from ca.domain.devices import Device, DeviceState
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound, ProfileViolation
from ca.domain.revocation import RevocationReason
from ca.domain.stock import AlarmKind, BatchRow, RowProblem
from ca.usecases.stock import Received
from tests.builders import a_device
from tests.drafts import a_request
from tests.fakes.bank import (
    AUDITOR,
    ELSEWHERE,
    HOTLINE,
    MARIA,
    PAVEL,
    SECURITY,
    STRANGER,
    SUPERVISOR,
    Bank,
    new_key,
)


def rows(*serials: str) -> list[BatchRow]:
    return [BatchRow(number, serial) for number, serial in enumerate(serials, start=1)]


def receive(bank: Bank, *serials: str, by: str = MARIA, into: Holder = Holder.VAULT) -> Received:
    return bank.use_cases.stock.receive(bank.session(by), rows(*serials), model="U-Shield 2", into=into)


def find(bank: Bank, serial: str) -> Device:
    (found,) = [one for one in bank.stored.devices.values() if one.serial == serial]
    return found


def ways(bank: Bank, serial: str) -> list[tuple[str, str]]:
    return [(one.from_holder.value, one.to_holder.value) for one in bank.stored.moves if one.device_serial == serial]


# Batches


def test_a_delivery_is_in_the_vault_with_its_ledger(bank: Bank) -> None:
    assert receive(bank, "US1", "US2") == Received(2)

    assert (find(bank, "US1").holder, find(bank, "US2").state) == (Holder.VAULT, DeviceState.IN_STOCK)
    assert ways(bank, "US1") == [("supplier", "vault")]
    assert bank.event_names[-3:] == ["device.registered", "device.registered", "delivery.received"]


def test_of_a_list_with_one_wrong_row_nothing_is_received(bank: Bank) -> None:
    receive(bank, "US1")

    answer = receive(bank, "US2", "US1", "not a serial", "us2", "US3")

    assert answer == Received(
        0,
        (
            RowProblem(2, "US1", "registered already"),
            RowProblem(3, "not a serial", answer.problems[1].problem),
            RowProblem(4, "us2", "this is in row 1 already"),
        ),
    )
    assert {one.serial for one in bank.stored.devices.values()} == {"US1"}
    assert bank.event_names[-1] == "delivery.refused"


def test_a_serial_that_another_branch_has_is_an_alarm_at_both(bank: Bank) -> None:
    receive(bank, "US1")

    for _ in range(2):
        answer = receive(bank, "US1", by=STRANGER)

    assert "another branch" in answer.problems[0].problem
    alarms = [(one.kind, one.branch, one.subject) for one in bank.stored.alarms.values()]
    assert alarms == [(AlarmKind.SERIAL_TWICE, "minhang", "US1"), (AlarmKind.SERIAL_TWICE, "pudong", "US1")]
    assert bank.event_names.count("stock.alarmed") == 4  # a list shows it once, the log each time


def test_registering_one_that_another_branch_has_is_the_same_alarm(bank: Bank) -> None:
    bank.device(serial="US1")

    with pytest.raises(InvalidRequest, match="registered already"):
        bank.device(serial="US1", maker=STRANGER)

    assert {one.branch for one in bank.stored.alarms.values()} == {"minhang", "pudong"}


def test_registering_one_again_at_the_same_branch_is_no_alarm(bank: Bank) -> None:
    bank.device(serial="US1")
    with pytest.raises(InvalidRequest, match="registered already"):
        bank.device(serial="US1")
    assert bank.stored.alarms == {}


@pytest.mark.parametrize("count", [0, MOST_AT_ONCE + 1])
def test_a_list_of_nothing_or_of_too_many_is_refused(bank: Bank, count: int) -> None:
    with pytest.raises(InvalidRequest, match="one to 200"):
        receive(bank, *(f"US{number}" for number in range(count)))


def test_a_delivery_goes_nowhere_else(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="vault"):
        receive(bank, "US1", into=Holder.CUSTOMER)


@pytest.mark.parametrize("person", [HOTLINE, SECURITY, AUDITOR])
def test_who_does_not_handle_the_stock_moves_nothing(bank: Bank, person: str) -> None:
    serial, stock, session = bank.device(), bank.use_cases.stock, bank.session(person)
    before = len(bank.stored.moves)
    acts = [
        lambda: receive(bank, "US1", by=person),
        lambda: stock.move.take(session, serial),
        lambda: stock.move.put_back(session, serial),
        lambda: stock.move.give_back(session, serial, why="x"),
        lambda: stock.consign.transfer(session, [serial], to_branch=ELSEWHERE, why="x"),
        lambda: stock.consign.destroy(session, [serial], why="x"),
        lambda: stock.consign.confirm(session, "none"),
        lambda: stock.consign.refuse(session, "none", reason="x"),
        lambda: stock.balance.count(session, {}),
        lambda: stock.balance.confirm(session, "none"),
        lambda: stock.settle(session, "none", finding="x"),
    ]
    for act in acts:
        with pytest.raises(NotAllowed):
            act()
    assert len(bank.stored.moves) == before


# At the counter


def test_an_officer_takes_one_and_puts_it_back(bank: Bank) -> None:
    serial, move = bank.device(), bank.use_cases.stock.move

    taken = move.take(bank.session(MARIA), serial)
    back = move.put_back(bank.session(MARIA), serial)

    assert (taken.holder, taken.keeper) == (Holder.OFFICER, MARIA)
    assert (back.holder, back.keeper) == (Holder.BRANCH, "")
    assert ways(bank, serial)[1:] == [("branch", "officer"), ("officer", "branch")]


def test_what_one_officer_has_another_neither_hands_out_nor_puts_back(bank: Bank) -> None:
    serial, move = bank.device(), bank.use_cases.stock.move
    move.take(bank.session(MARIA), serial)

    with pytest.raises(NotAllowed, match="that officer or a supervisor"):
        move.put_back(bank.session(PAVEL), serial)
    with pytest.raises(InvalidRequest, match="that officer hands it out"):
        _apply(bank, serial, by=PAVEL)
    assert _apply(bank, serial, by=MARIA)
    assert move.put_back(bank.session(SUPERVISOR), serial).holder is Holder.BRANCH


def _apply(bank: Bank, serial: str, *, by: str) -> str:
    application = bank.submit(
        bank.session(by), customer=bank.customer(), profile="personal-signing", device_serial=serial, host_names=[]
    )
    return application.id


def test_out_of_the_vault_nobody_is_given_one(bank: Bank) -> None:
    receive(bank, "US1")
    with pytest.raises(InvalidRequest, match="with: vault"):
        _apply(bank, "US1", by=MARIA)
    bank.customer(kind="company", number="900")
    with pytest.raises(InvalidRequest, match="with: vault"):
        bank.use_cases.portal.hand_device(bank.session(MARIA), number="900", serial="US1")


def test_another_branchs_u_shield_is_not_there(bank: Bank) -> None:
    serial, move, session = bank.device(), bank.use_cases.stock.move, bank.session(STRANGER)
    for act in (move.take, move.put_back):
        with pytest.raises(NotFound):
            act(session, serial)
    with pytest.raises(NotFound):
        move.give_back(session, serial, why="x")


# With the customer


def test_the_customer_has_it_from_the_first_codes_on(bank: Bank) -> None:
    application = bank.approved()
    serial = bank.application(application).case.device_serial
    reserved = find(bank, serial).holder

    bank.codes(application)

    last = bank.stored.moves[-1]
    customer = bank.application(application).case.customer
    assert (reserved, find(bank, serial).holder) == (Holder.BRANCH, Holder.CUSTOMER)
    assert (last.device_serial, last.keeper, last.by_person) == (serial, customer, MARIA)


def test_new_codes_hand_nothing_over_again(bank: Bank) -> None:
    codes = bank.codes()
    moves = len(bank.stored.moves)
    bank.hand_out(bank.session(SUPERVISOR), codes.application)
    assert len(bank.stored.moves) == moves


def test_what_was_handed_out_before_the_ledger_goes_back_to_the_stock_with_its_application(bank: Bank) -> None:
    application = bank.submitted()
    device = find(bank, bank.application(application).case.device_serial)
    bank.stored.devices[device.id] = replace(device, holder=Holder.CUSTOMER)

    bank.decide.reject(bank.session(PAVEL), application, reason="no")

    assert find(bank, device.serial).holder is Holder.BRANCH
    assert bank.stored.moves[-1].why == "no"


def test_a_u_shield_comes_back_once_nothing_on_it_holds(bank: Bank) -> None:
    certificate = bank.active()
    device, move, session = certificate.device_serial, bank.use_cases.stock.move, bank.session(MARIA)

    with pytest.raises(InvalidTransition, match="revoke it first"):
        move.give_back(session, device, why="broken")
    bank.revoked(certificate, RevocationReason.CESSATION_OF_OPERATION)
    returned = move.give_back(session, device, why="broken")

    assert (returned.holder, find(bank, device).state) == (Holder.RETURNED, DeviceState.RETURNED)
    assert (bank.stored.moves[-1].why, bank.event_names[-1]) == ("broken", "device.returned")


def test_one_that_an_application_waits_for_does_not_come_back(bank: Bank) -> None:
    device = bank.application(bank.codes().application).case.device_serial
    with pytest.raises(InvalidTransition, match="application"):
        bank.use_cases.stock.move.give_back(bank.session(MARIA), device, why="x")


def test_one_that_a_case_names_which_went_back_to_its_maker_does_not_come_back(bank: Bank) -> None:
    certificate = bank.active()
    application = bank.submit(
        bank.session(MARIA),
        customer=certificate.customer,
        profile="personal-signing",
        device_serial=certificate.device_serial,
        host_names=[],
    )
    bank.decide.send_back(bank.session(PAVEL), application.id, reason="the name is short")
    bank.revoked(certificate, RevocationReason.CESSATION_OF_OPERATION)
    with pytest.raises(InvalidTransition, match="application"):
        bank.use_cases.stock.move.give_back(bank.session(MARIA), certificate.device_serial, why="x")


def test_one_that_is_with_its_customer_is_neither_taken_nor_put_back(bank: Bank) -> None:
    device, move = bank.application(bank.codes().application).case.device_serial, bank.use_cases.stock.move
    for act in (move.take, move.put_back):
        with pytest.raises(InvalidTransition, match="as returned"):
            act(bank.session(MARIA), device)


@pytest.mark.parametrize("to", Holder)
@pytest.mark.parametrize("held_by", Holder)
def test_u_shields_go_only_where_the_table_says(held_by: Holder, to: Holder) -> None:
    device = a_device(holder=held_by)
    if to in transitions()[held_by]:
        assert device.move(to).holder is to
    else:
        with pytest.raises(InvalidTransition, match=f"with: {held_by.value}"):
            device.move(to)


def test_one_key_for_two_u_shields_is_an_alarm(bank: Bank) -> None:
    key, first, second = new_key(), bank.codes(), bank.codes()
    bank.download(first, a_request(key))

    with pytest.raises(ProfileViolation, match="certified before"):
        bank.download(second, a_request(key))

    shields = {bank.application(codes.application).case.device_serial for codes in (first, second)}
    alarms = list(bank.stored.alarms.values())
    assert {one.subject for one in alarms} == shields
    assert {one.kind for one in alarms} == {AlarmKind.SAME_KEY}
