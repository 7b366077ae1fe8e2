"""Custody of U-Shields in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import known
from ca.adapters.db.mapping.stock import (
    alarm_values,
    balance_values,
    consignment_values,
    move_values,
    to_alarm,
    to_balance,
    to_consignment,
    to_move,
)
from ca.adapters.db.repositories.statements import find_row, insert_row, list_rows, put_row
from ca.adapters.db.rows import DeviceRow
from ca.adapters.db.stock_rows import AlarmRow, BalanceRow, ConsignmentRow, MoveRow
from ca.domain.custody import Consignment, Holder, Move
from ca.domain.stock import AT_A_BRANCH, Alarm, AlarmKind, Balance, BalanceState, MoveSum

_TAKEN = "another record has this name already; try again"


class SqlStock:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add_move(self, move: Move) -> None:
        insert_row(self._session, MoveRow, move_values(move))

    def list_moves(self, device_serial: str) -> Sequence[Move]:
        wanted = select(MoveRow).where(MoveRow.device_serial == device_serial).order_by(MoveRow.id)
        return [to_move(row) for row in list_rows(self._session, wanted)]

    def count_held(self, branch: str) -> Mapping[Holder, int]:
        # Without the customers' own: those are many, and nobody counts them.
        wanted = (
            select(DeviceRow.holder, func.count())
            .where(DeviceRow.branch == branch, DeviceRow.holder.in_([holder.value for holder in AT_A_BRANCH]))
            .group_by(DeviceRow.holder)
        )
        return {known(Holder, holder, branch): count for holder, count in self._session.execute(wanted)}

    def sum_moves(self, branch: str, since: datetime | None, until: datetime) -> Sequence[MoveSum]:
        ways = (MoveRow.from_holder, MoveRow.from_branch, MoveRow.to_holder, MoveRow.to_branch)
        wanted = (
            select(*ways, func.count())
            .where(or_(MoveRow.from_branch == branch, MoveRow.to_branch == branch), MoveRow.at <= until)
            .group_by(*ways)
            .order_by(*ways)
        )
        if since is not None:
            wanted = wanted.where(MoveRow.at > since)
        return [
            MoveSum(known(Holder, origin, branch), left, known(Holder, holder, branch), arrived, count)
            for origin, left, holder, arrived, count in self._session.execute(wanted)
        ]

    def find_consignment(self, consignment: str) -> Consignment | None:
        row = find_row(self._session, select(ConsignmentRow).where(ConsignmentRow.id == consignment), lock=True)
        return to_consignment(row) if row else None

    def save_consignment(self, consignment: Consignment) -> None:
        key, values = {"id": consignment.id}, consignment_values(consignment)
        put_row(self._session, ConsignmentRow, key, values, refusal=_TAKEN)

    def find_balance(self, balance: str) -> Balance | None:
        row = find_row(self._session, select(BalanceRow).where(BalanceRow.id == balance), lock=True)
        return to_balance(row) if row else None

    def find_last_balance(self, branch: str) -> Balance | None:
        confirmed = select(BalanceRow).where(
            BalanceRow.branch == branch, BalanceRow.state == BalanceState.CONFIRMED.value
        )
        row = find_row(self._session, confirmed.order_by(BalanceRow.at.desc()))
        return to_balance(row) if row else None

    def list_proposed(self, branch: str) -> Sequence[Balance]:
        proposed = select(BalanceRow).where(
            BalanceRow.branch == branch, BalanceRow.state == BalanceState.PROPOSED.value
        )
        return [to_balance(row) for row in list_rows(self._session, proposed.order_by(BalanceRow.at))]

    def save_balance(self, balance: Balance) -> None:
        put_row(self._session, BalanceRow, {"id": balance.id}, balance_values(balance), refusal=_TAKEN)

    def find_alarm(self, alarm: str) -> Alarm | None:
        row = find_row(self._session, select(AlarmRow).where(AlarmRow.id == alarm), lock=True)
        return to_alarm(row) if row else None

    def find_open_alarm(self, kind: AlarmKind, branch: str, subject: str) -> Alarm | None:
        wanted = select(AlarmRow).where(
            AlarmRow.kind == kind.value,
            AlarmRow.branch == branch,
            AlarmRow.subject == subject,
            AlarmRow.settled_by == "",
        )
        row = find_row(self._session, wanted)
        return to_alarm(row) if row else None

    def save_alarm(self, alarm: Alarm) -> None:
        put_row(self._session, AlarmRow, {"id": alarm.id}, alarm_values(alarm), refusal=_TAKEN)
