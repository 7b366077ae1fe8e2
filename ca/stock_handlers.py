"""Which use case answers which operation of the stock. No rule lives here."""

from dataclasses import asdict, dataclass
from typing import Any

from ca import stock_operations as ops
from ca.domain.custody import Consignment, Holder
from ca.domain.stock import BatchRow
from ca.operations import Operation
from ca.ports import Clock, Random, UnitOfWork
from ca.signer import Handler
from ca.usecases.authorize import Authorize
from ca.usecases.balances import CountStock, SettleAlarm
from ca.usecases.consignments import SendConsignment
from ca.usecases.stock import MoveDevice, ReceiveBatch


@dataclass(frozen=True)
class Stockroom:
    """The use cases of the stock."""

    receive: ReceiveBatch
    move: MoveDevice
    consign: SendConsignment
    balance: CountStock
    settle: SettleAlarm

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        consign, move = self.consign, self.move
        return {
            ops.ReceiveBatch: self._receive,
            ops.TakeDevice: lambda op: {"device": move.take(op.session, op.serial).serial},
            ops.PutDeviceBack: lambda op: {"device": move.put_back(op.session, op.serial).serial},
            ops.ReturnDevice: lambda op: {"device": move.give_back(op.session, op.serial, why=op.reason).serial},
            ops.SendDevices: lambda op: _consignment(
                consign.transfer(op.session, op.serials, to_branch=op.to_branch, why=op.reason)
            ),
            ops.DestroyDevices: lambda op: _consignment(consign.destroy(op.session, op.serials, why=op.reason)),
            ops.ConfirmConsignment: lambda op: _consignment(consign.confirm(op.session, op.consignment)),
            ops.RefuseConsignment: lambda op: _consignment(
                consign.refuse(op.session, op.consignment, reason=op.reason)
            ),
            ops.CountStock: self._count,
            ops.ConfirmBalance: self._confirm,
            ops.SettleAlarm: lambda op: {"alarm": self.settle(op.session, op.alarm, finding=op.finding).id},
        }

    def _receive(self, op: ops.ReceiveBatch) -> dict[str, Any]:
        rows = [BatchRow(one.row, one.serial) for one in op.rows]
        received = self.receive(op.session, rows, model=op.model, into=Holder(op.into))
        return {"received": received.received, "problems": [asdict(problem) for problem in received.problems]}

    def _count(self, op: ops.CountStock) -> dict[str, Any]:
        counted = {
            Holder.VAULT: op.vault,
            Holder.BRANCH: op.branch,
            Holder.OFFICER: op.officer,
            Holder.RETURNED: op.returned,
        }
        return {"balance": self.balance.count(op.session, counted).id}

    def _confirm(self, op: ops.ConfirmBalance) -> dict[str, Any]:
        confirmed = self.balance.confirm(op.session, op.balance)
        return {"balance": confirmed.id, "state": confirmed.state.value}


def stockroom(unit_of_work: UnitOfWork, clock: Clock, random: Random, authorize: Authorize) -> Stockroom:
    """All of them, over one database."""
    return Stockroom(
        ReceiveBatch(unit_of_work, clock, random, authorize),
        MoveDevice(unit_of_work, clock, authorize),
        SendConsignment(unit_of_work, clock, random, authorize),
        CountStock(unit_of_work, clock, random, authorize),
        SettleAlarm(unit_of_work, clock, authorize),
    )


def _consignment(consignment: Consignment) -> dict[str, Any]:
    return {"consignment": consignment.id, "state": consignment.state.value}
