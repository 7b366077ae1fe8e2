"""Custody of U-Shields: rows to values and back."""

import json

from ca.adapters.db.mapping.common import Values, known
from ca.adapters.db.stock_rows import AlarmRow, BalanceRow, ConsignmentRow, MoveRow
from ca.domain.custody import Consignment, ConsignmentState, Holder, Move, Purpose
from ca.domain.errors import Tampered
from ca.domain.stock import Alarm, AlarmKind, Balance, BalanceState, Line


def to_move(row: MoveRow) -> Move:
    where = f"the ledger of {row.device_serial}"
    return Move(
        device_serial=row.device_serial,
        from_holder=known(Holder, row.from_holder, where),
        from_branch=row.from_branch,
        to_holder=known(Holder, row.to_holder, where),
        to_branch=row.to_branch,
        keeper=row.keeper,
        by_person=row.by_person,
        at=row.at,
        why=row.why,
        confirmed_by=row.confirmed_by,
        consignment=row.consignment,
    )


def move_values(move: Move) -> Values:
    return {
        "device_serial": move.device_serial,
        "from_holder": move.from_holder.value,
        "from_branch": move.from_branch,
        "to_holder": move.to_holder.value,
        "to_branch": move.to_branch,
        "keeper": move.keeper,
        "by_person": move.by_person,
        "at": move.at,
        "why": move.why,
        "confirmed_by": move.confirmed_by,
        "consignment": move.consignment,
    }


def to_consignment(row: ConsignmentRow) -> Consignment:
    where = f"consignment {row.id}"
    return Consignment(
        id=row.id,
        purpose=known(Purpose, row.purpose, where),
        serials=tuple(row.serials.split("\n")),
        origin=known(Holder, row.origin, where),
        from_branch=row.from_branch,
        to_branch=row.to_branch,
        why=row.why,
        sent_by=row.sent_by,
        sent_at=row.sent_at,
        state=known(ConsignmentState, row.state, where),
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        reason=row.reason,
    )


def consignment_values(consignment: Consignment) -> Values:
    return {
        "purpose": consignment.purpose.value,
        "serials": "\n".join(consignment.serials),
        "origin": consignment.origin.value,
        "from_branch": consignment.from_branch,
        "to_branch": consignment.to_branch,
        "why": consignment.why,
        "sent_by": consignment.sent_by,
        "sent_at": consignment.sent_at,
        "state": consignment.state.value,
        "ended_by": consignment.ended_by,
        "ended_at": consignment.ended_at,
        "reason": consignment.reason,
    }


def to_balance(row: BalanceRow) -> Balance:
    where = f"balance {row.id}"
    try:
        lines = tuple(Line(known(Holder, one[0], where), *map(int, one[1:])) for one in json.loads(row.lines))
        counted = {known(Holder, holder, where): int(number) for holder, number in json.loads(row.counted).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise Tampered(f"{where} cannot be read: somebody changed the record") from error
    return Balance(
        id=row.id,
        branch=row.branch,
        since=row.since,
        at=row.at,
        lines=lines,
        counted=counted,
        counted_by=row.counted_by,
        state=known(BalanceState, row.state, where),
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
    )


def balance_values(balance: Balance) -> Values:
    lines = [[one.holder.value, one.opening, one.arrived, one.left, one.closing] for one in balance.lines]
    return {
        "branch": balance.branch,
        "since": balance.since,
        "at": balance.at,
        "lines": json.dumps(lines),
        "counted": json.dumps({holder.value: number for holder, number in balance.counted.items()}),
        "counted_by": balance.counted_by,
        "state": balance.state.value,
        "confirmed_by": balance.confirmed_by,
        "confirmed_at": balance.confirmed_at,
    }


def to_alarm(row: AlarmRow) -> Alarm:
    return Alarm(
        id=row.id,
        kind=known(AlarmKind, row.kind, f"alarm {row.id}"),
        branch=row.branch,
        subject=row.subject,
        told=row.told,
        raised_by=row.raised_by,
        raised_at=row.raised_at,
        settled_by=row.settled_by,
        settled_at=row.settled_at,
        finding=row.finding,
    )


def alarm_values(alarm: Alarm) -> Values:
    return {
        "kind": alarm.kind.value,
        "branch": alarm.branch,
        "subject": alarm.subject,
        "told": alarm.told,
        "raised_by": alarm.raised_by,
        "raised_at": alarm.raised_at,
        "settled_by": alarm.settled_by,
        "settled_at": alarm.settled_at,
        "finding": alarm.finding,
    }
