"""Rows of a branch's stock for the console's tests."""

from datetime import timedelta
from typing import Any

from ca.adapters.db import rows, stock_rows, unlock_rows
from tests.fakes.console_signer import HOSTILE, NOW

HOUR = timedelta(hours=1)


def stock() -> list[rows.Row]:
    """U-Shields in the vault, at the counter, on their way; an alarm of each kind, a balance that differs."""
    moves = [
        _move("US-2026-000123", "supplier", "branch", NOW - 72 * HOUR),
        _move("US-2026-000123", "branch", "customer", NOW - 30 * HOUR, keeper="customer-1"),
        _move("US-2026-000201", "supplier", "vault", NOW - 5 * HOUR),
        _move("US-2026-000202", "supplier", "branch", NOW - 5 * HOUR, why=HOSTILE),
        _move("US-2026-000203", "vault", "in-transit", NOW - HOUR, consignment="consignment-1"),
    ]
    devices = [
        _device("US-2026-000201", "vault"),
        _device("US-2026-000202", "branch"),
        _device("US-2026-000203", "in-transit"),
        _device("US-2026-000204", "officer", keeper="E-maker"),
        _device("US-2026-000205", "customer", state="assigned", customer="customer-2"),
    ]
    alarms = [
        _alarm("alarm-1", "serial-at-two-branches", "US-2026-000201", "registered at Pudong, brought to Xuhui"),
        _alarm("alarm-2", "consignment-refused", "consignment-1", HOSTILE),
        _alarm("alarm-3", "count-differs", "balance-1", "vault -1"),
        _alarm(
            "alarm-4", "one-key-on-two-u-shields", "US-2026-000202", "x", settled_by="E-supervisor", finding="known"
        ),
        _alarm("alarm-6", "key-not-born-on-u-shield", "US-2026-000123", SILENCE),
        _alarm("alarm-5", "count-differs", "balance-2", "Xuhui only", branch="Xuhui"),
    ]
    return [*moves, *devices, *alarms, *_consignments(), *_balances(), _unlock()]


def _consignments() -> list[rows.Row]:
    sent = {"why": "new counter", "sent_by": "E-maker", "sent_at": NOW - HOUR, "ended_by": "", "reason": ""}
    return [
        stock_rows.ConsignmentRow(
            id="consignment-1", purpose="transfer", serials="US-2026-000203", origin="vault", from_branch="Pudong",
            to_branch="Pudong", state="on-its-way", **sent,
        ),
        stock_rows.ConsignmentRow(
            id="consignment-2", purpose="destruction", serials="US-2026-000210\nUS-2026-000211", origin="returned",
            from_branch="Pudong", to_branch="Pudong", state="on-its-way", **sent,
        ),
        stock_rows.ConsignmentRow(
            id="consignment-3", purpose="transfer", serials="US-2026-000299", origin="vault", from_branch="Xuhui",
            to_branch="Minhang", state="on-its-way", **sent,
        ),
    ]  # fmt: skip


def _balances() -> list[rows.Row]:
    lines = '[["vault",0,2,0,2],["branch",1,0,0,1],["officer",0,0,0,0],["returned",0,0,0,0],["in-transit",0,0,0,0]]'
    counted = {"lines": lines, "counted_by": "E-maker", "since": None, "branch": "Pudong"}
    wrong = '{"vault":1,"branch":1,"officer":0,"returned":0}'
    right = '{"vault":2,"branch":1,"officer":0,"returned":0}'
    return [
        stock_rows.BalanceRow(
            id="balance-0", at=NOW - 24 * HOUR, counted=right, state="confirmed", confirmed_by="E-supervisor",
            confirmed_at=NOW - 23 * HOUR, **counted,
        ),
        stock_rows.BalanceRow(
            id="balance-1", at=NOW - HOUR, counted=wrong, state="proposed", confirmed_by="", **counted
        ),
    ]  # fmt: skip


def _unlock() -> rows.Row:
    return unlock_rows.UnlockRow(
        reference="1000000000", version=1, device_serial="US-2026-000123", customer="customer-1", branch="Pudong",
        reason="ID card seen", maker_person="E-maker", opened_at=NOW - HOUR, expires_at=NOW + HOUR, state="proposed",
        code_mac=b"m", approved_by="", attempts_left=5, answers=0, seal=b"s",
    )  # fmt: skip


def _move(serial: str, origin: str, holder: str, at: Any, **changes: str) -> rows.Row:
    rest = dict.fromkeys(("keeper", "why", "confirmed_by", "consignment"), "")
    return stock_rows.MoveRow(
        device_serial=serial, from_holder=origin, from_branch="Pudong", to_holder=holder, to_branch="Pudong",
        by_person="E-maker", at=at, **rest | changes,
    )  # fmt: skip


def _device(serial: str, holder: str, *, state: str = "in-stock", customer: str = "", keeper: str = "") -> rows.Row:
    return rows.DeviceRow(
        id=serial, serial=serial, model="U-Shield 3", branch="Pudong", state=state, customer=customer,
        registered_by="E-maker", registered_at=NOW - 5 * HOUR, holder=holder, keeper=keeper,
    )  # fmt: skip


SILENCE = "nothing was said of where the key was made, by an older tool or another program; application 4711"


def _alarm(alarm: str, kind: str, subject: str, told: str, **changes: str) -> rows.Row:
    rest = {"branch": "Pudong", "settled_by": "", "finding": ""}
    return stock_rows.AlarmRow(
        id=alarm, kind=kind, subject=subject, told=told, raised_by="E-maker", raised_at=NOW - HOUR,
        settled_at=NOW if changes.get("settled_by") else None, **rest | changes,
    )  # fmt: skip
