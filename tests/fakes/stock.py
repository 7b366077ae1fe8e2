"""stock_records.Stock in memory, and each of its operations as somebody without a session asks it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ca import stock_operations as stock
from ca.domain.custody import Consignment, Holder, Move
from ca.domain.devices import Device
from ca.domain.stock import AT_A_BRANCH, Alarm, AlarmKind, Balance, BalanceState, MoveSum
from ca.operations import Operation

STOCK_ACTS: tuple[Operation, ...] = (
    stock.ReceiveBatch(session="none", model="M", into="vault", rows=[stock.BatchRowMessage(row=1, serial="US1")]),
    stock.TakeDevice(session="none", serial="US1"),
    stock.PutDeviceBack(session="none", serial="US1"),
    stock.ReturnDevice(session="none", serial="US1", reason="x"),
    stock.SendDevices(session="none", serials=["US1"], to_branch="pudong", reason="x"),
    stock.DestroyDevices(session="none", serials=["US1"], reason="x"),
    stock.ConfirmConsignment(session="none", consignment="none"),
    stock.RefuseConsignment(session="none", consignment="none", reason="x"),
    stock.CountStock(session="none", vault=0, branch=0, officer=0, returned=0),
    stock.ConfirmBalance(session="none", balance="none"),
    stock.SettleAlarm(session="none", alarm="none", finding="x"),
)


@dataclass
class FakeStock:
    moves: list[Move]
    consignments: dict[str, Consignment]
    balances: dict[str, Balance]
    alarms: dict[str, Alarm]
    devices: dict[str, Device]

    def add_move(self, move: Move) -> None:
        self.moves.append(move)

    def list_moves(self, device_serial: str) -> Sequence[Move]:
        return [one for one in self.moves if one.device_serial == device_serial]

    def count_held(self, branch: str) -> Mapping[Holder, int]:
        return Counter(
            one.holder for one in self.devices.values() if one.branch == branch and one.holder in AT_A_BRANCH
        )

    def sum_moves(self, branch: str, since: datetime | None, until: datetime) -> Sequence[MoveSum]:
        ways = Counter(
            (one.from_holder, one.from_branch, one.to_holder, one.to_branch)
            for one in self.moves
            if branch in (one.from_branch, one.to_branch) and (since is None or one.at > since) and one.at <= until
        )
        return [MoveSum(*way, count) for way, count in sorted(ways.items())]

    def find_consignment(self, consignment: str) -> Consignment | None:
        return self.consignments.get(consignment)

    def save_consignment(self, consignment: Consignment) -> None:
        self.consignments[consignment.id] = consignment

    def find_balance(self, balance: str) -> Balance | None:
        return self.balances.get(balance)

    def find_last_balance(self, branch: str) -> Balance | None:
        confirmed = [one for one in self._of(branch) if one.state is BalanceState.CONFIRMED]
        return max(confirmed, key=lambda one: one.at, default=None)

    def list_proposed(self, branch: str) -> Sequence[Balance]:
        proposed = [one for one in self._of(branch) if one.state is BalanceState.PROPOSED]
        return sorted(proposed, key=lambda one: one.at)

    def _of(self, branch: str) -> list[Balance]:
        return [one for one in self.balances.values() if one.branch == branch]

    def save_balance(self, balance: Balance) -> None:
        self.balances[balance.id] = balance

    def find_alarm(self, alarm: str) -> Alarm | None:
        return self.alarms.get(alarm)

    def find_open_alarm(self, kind: AlarmKind, branch: str, subject: str) -> Alarm | None:
        wanted = (kind, branch, subject)
        found = (one for one in self.alarms.values() if (one.kind, one.branch, one.subject) == wanted)
        return next((one for one in found if not one.settled_by), None)

    def save_alarm(self, alarm: Alarm) -> None:
        self.alarms[alarm.id] = alarm
