"""What every database must do with the custody of U-Shields."""

from dataclasses import replace
from datetime import timedelta

from ca.domain.custody import Consignment, Holder, Move, Purpose
from ca.domain.stock import COUNTED, Alarm, AlarmKind, Balance, Line, MoveSum
from ca.ports import UnitOfWork
from tests.builders import NOW, a_device

SECOND = timedelta(seconds=1)
MOVE = Move("US1", Holder.SUPPLIER, "0001", Holder.VAULT, "0001", "", "P-1", NOW)
CONSIGNMENT = Consignment("c-1", Purpose.TRANSFER, ("US1", "US2"), Holder.VAULT, "0001", "0002", "stock", "P-1", NOW)
BALANCE = Balance("b-1", "0001", None, NOW, (Line(Holder.VAULT, 0, 3, 1, 2),), dict.fromkeys(COUNTED, 1), "P-1")
ALARM = Alarm("a-1", AlarmKind.SERIAL_TWICE, "0001", "US1", "told", "P-1", NOW)


class StockContract:
    def test_the_ledger_of_a_u_shield_is_read_in_its_order(self, unit_of_work: UnitOfWork) -> None:
        second = replace(MOVE, from_holder=Holder.VAULT, to_holder=Holder.IN_TRANSIT, why="x", consignment="c-1")
        with unit_of_work() as work:
            for one in (MOVE, replace(MOVE, device_serial="US2"), second):
                work.stock.add_move(one)
            assert work.stock.list_moves("US1") == [MOVE, second]

    def test_what_a_branch_holds_is_counted_without_its_customers(self, unit_of_work: UnitOfWork) -> None:
        held = [Holder.VAULT, Holder.VAULT, Holder.BRANCH, Holder.CUSTOMER, Holder.DESTROYED]
        with unit_of_work() as work:
            for number, holder in enumerate(held):
                work.devices.save(a_device(id=f"device-{number}", serial=f"US{number}", holder=holder))
            work.devices.save(a_device(id="other", serial="other", holder=Holder.VAULT, branch="0002"))
            assert work.stock.count_held("0001") == {Holder.VAULT: 2, Holder.BRANCH: 1}

    def test_moves_are_summed_by_their_way_within_a_time(self, unit_of_work: UnitOfWork) -> None:
        sent = replace(MOVE, from_holder=Holder.IN_TRANSIT, to_holder=Holder.BRANCH, to_branch="0002")
        late, strange = replace(sent, at=NOW + SECOND), replace(MOVE, from_branch="0003", to_branch="0003")
        expected = MoveSum(Holder.IN_TRANSIT, "0001", Holder.BRANCH, "0002", 2)
        with unit_of_work() as work:
            for one in (MOVE, sent, sent, late, strange):
                work.stock.add_move(one)
            both = [expected, MoveSum(Holder.SUPPLIER, "0001", Holder.VAULT, "0001", 1)]
            assert sorted(work.stock.sum_moves("0001", None, NOW)) == both
            assert work.stock.sum_moves("0002", NOW - SECOND, NOW) == [expected]
            assert work.stock.sum_moves("0002", NOW, NOW + SECOND) == [replace(expected, count=1)]

    def test_a_consignment_is_kept_and_ended(self, unit_of_work: UnitOfWork) -> None:
        confirmed = CONSIGNMENT.confirm("P-2", NOW + SECOND)
        with unit_of_work() as work:
            assert work.stock.find_consignment("c-1") is None
            work.stock.save_consignment(CONSIGNMENT)
            assert work.stock.find_consignment("c-1") == CONSIGNMENT
            work.stock.save_consignment(confirmed)
            assert work.stock.find_consignment("c-1") == confirmed

    def test_the_last_balance_is_the_youngest_confirmed_one(self, unit_of_work: UnitOfWork) -> None:
        first = BALANCE.confirm("P-2", NOW)
        second = replace(first, id="b-2", at=NOW + SECOND, since=NOW)
        proposed = replace(BALANCE, id="b-3", at=NOW + 2 * SECOND)
        with unit_of_work() as work:
            assert work.stock.find_last_balance("0001") is None
            for one in (BALANCE, first, second, proposed, replace(second, id="b-4", branch="0002")):
                work.stock.save_balance(one)
            assert work.stock.find_last_balance("0001") == second
            assert work.stock.find_balance("b-1") == first
            assert work.stock.find_balance("none") is None
            assert work.stock.list_proposed("0001") == [proposed]

    def test_an_alarm_is_open_until_it_is_settled(self, unit_of_work: UnitOfWork) -> None:
        which = AlarmKind.SERIAL_TWICE, "0001", "US1"
        with unit_of_work() as work:
            work.stock.save_alarm(ALARM)
            assert work.stock.find_open_alarm(*which) == ALARM
            assert work.stock.find_open_alarm(AlarmKind.SAME_KEY, "0001", "US1") is None
            settled = ALARM.settle("P-2", NOW, "a typing error")
            work.stock.save_alarm(settled)
            assert work.stock.find_open_alarm(*which) is None
            assert work.stock.find_alarm("a-1") == settled
            assert work.stock.find_alarm("none") is None
