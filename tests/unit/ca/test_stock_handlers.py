"""ca/stock_handlers.py: the stock's operations reach their use cases."""

from typing import Any

import pytest

from ca import stock_operations as stock
from ca.domain.errors import InvalidTransition
from ca.handlers import Handlers
from ca.operations import Operation
from tests.fakes.bank import MARIA, SUPERVISOR, Bank


def test_u_shields_are_received_moved_counted_and_destroyed() -> None:
    bank = Bank()
    table = Handlers(bank.use_cases).table()

    def ask(operation: Operation) -> dict[str, Any]:
        # Over JSON and back, as it travels.
        kind = type(operation)
        return table[kind](kind.model_validate(operation.payload()))

    maker, supervisor = bank.session(MARIA), bank.session(SUPERVISOR)
    rows = [stock.BatchRowMessage(row=row, serial=f"US{row}") for row in (1, 2, 3)]
    batch = stock.ReceiveBatch(session=maker, model="U-Shield 2", into="vault", rows=rows)
    assert ask(batch) == {"received": 3, "problems": []}
    again = ask(batch)
    assert (again["received"], again["problems"][0]) == (
        0,
        {"row": 1, "serial": "US1", "problem": "registered already"},
    )
    sent = ask(stock.SendDevices(session=maker, serials=["US1", "US2"], to_branch="pudong", reason="counter"))
    assert sent["state"] == "on-its-way"
    ended = ask(stock.ConfirmConsignment(session=supervisor, consignment=sent["consignment"]))
    assert ended == {"consignment": sent["consignment"], "state": "confirmed"}
    assert ask(stock.TakeDevice(session=maker, serial="US1")) == {"device": "US1"}
    counted = ask(stock.CountStock(session=maker, vault=1, branch=1, officer=2, returned=0))["balance"]
    confirmed = ask(stock.ConfirmBalance(session=supervisor, balance=counted))
    assert confirmed == {"balance": counted, "state": "confirmed"}
    (alarm,) = bank.stored.alarms
    assert ask(stock.SettleAlarm(session=supervisor, alarm=alarm, finding="miscounted")) == {"alarm": alarm}
    assert ask(stock.PutDeviceBack(session=maker, serial="US1")) == {"device": "US1"}
    gone = ask(stock.DestroyDevices(session=maker, serials=["US3"], reason="broken"))
    refused = ask(stock.RefuseConsignment(session=supervisor, consignment=gone["consignment"], reason="not destroyed"))
    assert refused["state"] == "refused"
    codes = bank.codes()
    serial = bank.application(codes.application).case.device_serial
    with pytest.raises(InvalidTransition, match="is open"):
        ask(stock.ReturnDevice(session=maker, serial=serial, reason="x"))
