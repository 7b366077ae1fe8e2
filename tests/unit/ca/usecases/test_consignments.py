"""ca/usecases/consignments.py: nobody moves U-Shields out of a keeping, or destroys them, alone."""

import pytest

from ca.domain.custody import MOST_AT_ONCE, Consignment, Holder
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.officers import TrustedRole
from ca.domain.stock import AlarmKind, BatchRow
from tests.fakes.bank import BRANCH, ELSEWHERE, MARIA, PAVEL, STRANGER, SUPERVISOR, Bank

SERIALS = ["US1", "US2"]


@pytest.fixture
def bank(bank: Bank) -> Bank:
    """With two U-Shields in the vault of one branch."""
    rows = [BatchRow(number, serial) for number, serial in enumerate(SERIALS, start=1)]
    bank.use_cases.stock.receive(bank.session(MARIA), rows, model="U-Shield 2", into=Holder.VAULT)
    return bank


def sent(bank: Bank, *, to: str = ELSEWHERE, by: str = MARIA) -> Consignment:
    return bank.use_cases.stock.consign.transfer(bank.session(by), SERIALS, to_branch=to, why="a new branch")


def held(bank: Bank) -> list[tuple[Holder, str]]:
    return [(one.holder, one.branch) for one in bank.stored.devices.values()]


def test_u_shields_are_in_transit_until_the_other_branch_confirms(bank: Bank) -> None:
    consignment = sent(bank)
    on_the_way = held(bank)

    bank.use_cases.stock.consign.confirm(bank.session(STRANGER), consignment.id)

    assert on_the_way == [(Holder.IN_TRANSIT, BRANCH)] * 2
    assert held(bank) == [(Holder.BRANCH, ELSEWHERE)] * 2
    last = bank.stored.moves[-1]
    assert (last.from_branch, last.to_branch, last.by_person, last.confirmed_by) == (BRANCH, ELSEWHERE, MARIA, STRANGER)
    assert bank.event_names[-1] == "consignment.confirmed"


def test_from_the_vault_to_the_counter_of_one_branch_it_takes_two_as_well(bank: Bank) -> None:
    consignment = sent(bank, to=BRANCH, by=SUPERVISOR)
    with pytest.raises(NotAllowed, match="another officer"):
        bank.use_cases.stock.consign.confirm(bank.session(SUPERVISOR), consignment.id)
    second = bank.officer("E1009", frozenset({TrustedRole.RA_SUPERVISOR}))
    bank.use_cases.stock.consign.confirm(second.session, consignment.id)
    assert held(bank) == [(Holder.BRANCH, BRANCH)] * 2


@pytest.mark.parametrize("person", [MARIA, PAVEL, SUPERVISOR])
def test_who_does_not_receive_it_does_not_confirm_it(bank: Bank, person: str) -> None:
    consignment = sent(bank)
    with pytest.raises(NotAllowed):
        bank.use_cases.stock.consign.confirm(bank.session(person), consignment.id)
    assert held(bank) == [(Holder.IN_TRANSIT, BRANCH)] * 2


def test_a_branch_that_has_nothing_to_do_with_it_does_not_find_it(bank: Bank) -> None:
    consignment = sent(bank, to=BRANCH)
    for act in (
        lambda: bank.use_cases.stock.consign.confirm(bank.session(STRANGER), consignment.id),
        lambda: bank.use_cases.stock.consign.refuse(bank.session(STRANGER), consignment.id, reason="x"),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_box_that_does_not_arrive_whole_is_refused_and_an_alarm_at_both_branches(bank: Bank) -> None:
    consignment = sent(bank)

    refused = bank.use_cases.stock.consign.refuse(bank.session(STRANGER), consignment.id, reason="one is missing")

    assert held(bank) == [(Holder.VAULT, BRANCH)] * 2
    assert (refused.ended_by, refused.reason, bank.stored.moves[-1].by_person) == (STRANGER, "one is missing", STRANGER)
    alarms = {(one.kind, one.branch) for one in bank.stored.alarms.values()}
    assert alarms == {(AlarmKind.REFUSED, BRANCH), (AlarmKind.REFUSED, ELSEWHERE)}


def test_its_sender_takes_it_back_without_an_alarm_and_nobody_else_of_the_branch(bank: Bank) -> None:
    consignment, consign = sent(bank), bank.use_cases.stock.consign
    for person in (PAVEL, SUPERVISOR):
        with pytest.raises(NotAllowed):
            consign.refuse(bank.session(person), consignment.id, reason="x")
    consign.refuse(bank.session(MARIA), consignment.id, reason="wrong branch")
    assert held(bank) == [(Holder.VAULT, BRANCH)] * 2
    assert bank.stored.alarms == {}


def test_at_the_receiving_branch_only_a_supervisor_refuses(bank: Bank) -> None:
    consignment, consign = sent(bank), bank.use_cases.stock.consign
    operator = bank.officer("E1909", frozenset({TrustedRole.RA_OPERATOR}), branch=ELSEWHERE)
    with pytest.raises(NotAllowed, match="a supervisor of the branch that receives it"):
        consign.refuse(operator.session, consignment.id, reason="x")
    assert held(bank) == [(Holder.IN_TRANSIT, BRANCH)] * 2


def test_what_has_ended_does_not_end_again(bank: Bank) -> None:
    consignment, consign = sent(bank), bank.use_cases.stock.consign
    consign.confirm(bank.session(STRANGER), consignment.id)
    with pytest.raises(InvalidTransition, match="confirmed already"):
        consign.confirm(bank.session(STRANGER), consignment.id)
    with pytest.raises(InvalidTransition, match="confirmed already"):
        consign.refuse(bank.session(MARIA), consignment.id, reason="x")


def test_a_u_shield_is_destroyed_before_a_witness(bank: Bank) -> None:
    consign = bank.use_cases.stock.consign
    consignment = consign.destroy(bank.session(MARIA), ["US1"], why="its case is broken")
    assert held(bank) == [(Holder.IN_TRANSIT, BRANCH), (Holder.VAULT, BRANCH)]

    consign.confirm(bank.session(SUPERVISOR), consignment.id)

    (gone, stays) = bank.stored.devices.values()
    assert (gone.holder, gone.state, stays.state) == (Holder.DESTROYED, DeviceState.DESTROYED, DeviceState.IN_STOCK)
    assert bank.stored.moves[-1].why == "its case is broken"


def test_on_its_way_it_is_nobodys_to_use(bank: Bank) -> None:
    sent(bank)
    stock, session = bank.use_cases.stock, bank.session(MARIA)
    customer = bank.customer()
    for act in (stock.move.take, stock.move.put_back):
        with pytest.raises(InvalidTransition):
            act(session, "US1")
    with pytest.raises(InvalidRequest, match="in-transit"):
        stock.consign.destroy(session, ["US1"], why="x")
    with pytest.raises(InvalidRequest, match="in-transit"):
        bank.submit(session, customer=customer, profile="personal-signing", device_serial="US1", host_names=[])


def test_one_that_a_customer_waits_for_stays(bank: Bank) -> None:
    application = bank.submitted()
    serial = bank.application(application).case.device_serial
    with pytest.raises(InvalidRequest, match="not in the stock"):
        bank.use_cases.stock.consign.transfer(bank.session(MARIA), [serial], to_branch=ELSEWHERE, why="x")


def test_u_shields_from_two_places_go_in_two_consignments(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="send them apart"):
        bank.use_cases.stock.consign.transfer(bank.session(MARIA), ["US1", bank.device()], to_branch=ELSEWHERE, why="x")


def test_what_is_in_a_branchs_stock_is_not_sent_there(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="another branch"):
        bank.use_cases.stock.consign.transfer(bank.session(MARIA), [bank.device()], to_branch=BRANCH, why="x")


def test_what_came_back_is_not_sent_on(bank: Bank) -> None:
    certificate = bank.active()
    bank.revoked(certificate)
    bank.use_cases.stock.move.give_back(bank.session(MARIA), certificate.device_serial, why="x")
    with pytest.raises(InvalidRequest, match="a transfer begins at"):
        bank.use_cases.stock.consign.transfer(
            bank.session(MARIA), [certificate.device_serial], to_branch=ELSEWHERE, why="x"
        )
    consign = bank.use_cases.stock.consign
    gone = consign.destroy(bank.session(MARIA), [certificate.device_serial], why="x")
    assert consign.confirm(bank.session(SUPERVISOR), gone.id).serials == (certificate.device_serial,)


@pytest.mark.parametrize(
    "serials", [[], ["US1", "US1"], ["US1", "nowhere"], [f"US{number}" for number in range(MOST_AT_ONCE + 1)]]
)
def test_of_a_wrong_list_nothing_is_sent(bank: Bank, serials: list[str]) -> None:
    with pytest.raises((InvalidRequest, NotFound)):
        bank.use_cases.stock.consign.transfer(bank.session(MARIA), serials, to_branch=ELSEWHERE, why="x")
    assert held(bank) == [(Holder.VAULT, BRANCH)] * 2
