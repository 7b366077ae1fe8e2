"""The port to the custody of U-Shields: ledger, consignments, balances, alarms."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ca.domain.custody import Consignment, Holder, Move
from ca.domain.stock import Alarm, AlarmKind, Balance, MoveSum


class Stock(Protocol):
    def add_move(self, move: Move) -> None: ...

    def list_moves(self, device_serial: str) -> Sequence[Move]:
        """A U-Shield's ledger, the first move first."""

    def count_held(self, branch: str) -> Mapping[Holder, int]:
        """How many U-Shields a branch answers for, by holder; none is left out of the mapping."""

    def sum_moves(self, branch: str, since: datetime | None, until: datetime) -> Sequence[MoveSum]:
        """What moved to and from a branch after `since` (None: ever), until and with `until`."""

    def find_consignment(self, consignment: str) -> Consignment | None:
        """Locks the row in PostgreSQL: two officers who decide take turns."""

    def save_consignment(self, consignment: Consignment) -> None: ...

    def find_balance(self, balance: str) -> Balance | None:
        """Locks the row in PostgreSQL."""

    def find_last_balance(self, branch: str) -> Balance | None:
        """The youngest that was confirmed."""

    def list_proposed(self, branch: str) -> Sequence[Balance]:
        """Those that wait for a second officer."""

    def save_balance(self, balance: Balance) -> None: ...

    def find_alarm(self, alarm: str) -> Alarm | None:
        """Locks the row in PostgreSQL."""

    def find_open_alarm(self, kind: AlarmKind, branch: str, subject: str) -> Alarm | None: ...

    def save_alarm(self, alarm: Alarm) -> None: ...
