"""How the console's fake signer answers for the stock: with the real use cases where it has a database."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from ca import stock_operations as stock
from ca.adapters.clock import SystemClock, system_random
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.officers import Officer, OfficerState, TrustedRole
from ca.operations import Operation
from ca.stock_handlers import stockroom

CANNED: dict[type[Operation], dict[str, Any]] = {
    stock.ReceiveBatch: {"received": 1, "problems": []},
    stock.TakeDevice: {"device": "US-1"},
    stock.PutDeviceBack: {"device": "US-1"},
    stock.ReturnDevice: {"device": "US-1"},
    stock.SendDevices: {"consignment": "consignment-1", "state": "on-its-way"},
    stock.DestroyDevices: {"consignment": "consignment-2", "state": "on-its-way"},
    stock.ConfirmConsignment: {"consignment": "consignment-1", "state": "confirmed"},
    stock.RefuseConsignment: {"consignment": "consignment-1", "state": "refused"},
    stock.CountStock: {"balance": "balance-1"},
    stock.ConfirmBalance: {"balance": "balance-1", "state": "confirmed"},
    stock.SettleAlarm: {"alarm": "alarm-1"},
}


@dataclass
class KnownOfficer:
    """Authorize, for an officer whom the fake signer knows already."""

    officer: Officer

    def __call__(self, _work: Any, _session: str, *roles: TrustedRole) -> Officer:
        self.officer.require(*roles)
        return self.officer


def answer(operation: Operation, who: dict[str, Any], database: Path | None) -> dict[str, Any]:
    """What the signer would say."""
    if database is None:
        return CANNED[type(operation)]
    roles = frozenset(TrustedRole(role) for role in who["roles"])
    officer = Officer(who["id"], who["person"], who["name"], who["branch"], roles, OfficerState.ACTIVE, ())
    # No pool: the connection ends with its session.
    engine = create_engine(f"sqlite:///{database}", poolclass=NullPool)
    room = stockroom(SqlUnitOfWork(engine), SystemClock(), system_random, KnownOfficer(officer))
    return room.table()[type(operation)](operation)
