"""U-Shields enter the stock, move between the branch's stock and its officers, and come back from customers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain.applications import ON_ITS_WAY
from ca.domain.audit import AuditEvent
from ca.domain.certificates import CertificateStatus
from ca.domain.custody import MOST_AT_ONCE, Holder, require_held
from ca.domain.devices import Device, DeviceState
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.names import verify_text
from ca.domain.officers import Officer, TrustedRole
from ca.domain.stock import AlarmKind, BatchRow, RowProblem, list_twice
from ca.ports import Clock, Random, UnitOfWork, Work
from ca.usecases.authorize import Authorize
from ca.usecases.custody import RaiseAlarm, move

KEEPERS = (TrustedRole.RA_OPERATOR, TrustedRole.RA_SUPERVISOR)
"""Who handles the stock."""
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a list: all its rows are in the stock, or none is and these are in the way."""

    received: int
    problems: tuple[RowProblem, ...] = ()


def known_elsewhere(work: Work, raise_alarm: RaiseAlarm, officer: Officer, device: Device, at: datetime) -> bool:
    """Whether a serial number is brought to one branch that another has: an alarm at both."""
    if device.branch == officer.branch:
        return False
    told = f"registered at {device.branch}, brought to {officer.branch}"
    for branch in (officer.branch, device.branch):
        raise_alarm(
            work,
            AlarmKind.SERIAL_TWICE,
            branch=branch,
            subject=device.serial,
            told=told,
            by=officer.person,
            at=at,
        )
    return True


@dataclass(frozen=True)
class EnterStock:
    """One U-Shield becomes known and is put where it will lie."""

    random: Random

    def __call__(self, work: Work, officer: Officer, serial: str, model: str, into: Holder, *, at: datetime) -> Device:
        """Raise InvalidTransition when it was registered a moment ago."""
        new = Device(
            id=self.random(8).hex(),
            serial=serial,
            model=model,
            branch=officer.branch,
            state=DeviceState.IN_STOCK,
            customer="",
            registered_by=officer.person,
            registered_at=at,
        )
        device = move(work, new, into, by=officer.person, at=at)
        details = {"branch": officer.branch, "holder": into.value}
        work.audit.append(AuditEvent("device.registered", serial, officer.person, at, details))
        return device


@dataclass(frozen=True)
class ReceiveBatch:
    """A delivery from the supplier enters the vault or the branch's stock, all of it or nothing."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    authorize: Authorize

    def __call__(self, session: str, rows: Sequence[BatchRow], *, model: str, into: Holder) -> Received:
        """Raise InvalidRequest for an empty or too long list; what is wrong with single rows is the answer."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *KEEPERS)
            model = verify_text(model, 64)
            if into not in {Holder.VAULT, Holder.BRANCH}:
                raise InvalidRequest("a delivery goes into the vault or the branch's stock")
            if not 0 < len(rows) <= MOST_AT_ONCE:
                raise InvalidRequest(f"a list has one to {MOST_AT_ONCE} U-Shields; this one has {len(rows)}")
            # In one order, so that two lists with the same serial numbers never wait for each other.
            rows = sorted(rows, key=lambda row: (row.serial, row.number))
            problems = self._problems(work, officer, rows, now)
            if problems:
                details = {"rows": str(len(rows)), "wrong": str(len(problems)), "branch": officer.branch}
                work.audit.append(AuditEvent("delivery.refused", officer.branch, officer.person, now, details))
                work.commit()
                return Received(0, tuple(problems))
            enter = EnterStock(self.random)
            for row in rows:
                enter(work, officer, row.serial, model, into, at=now)
            details = {"rows": str(len(rows)), "holder": into.value, "model": model}
            work.audit.append(AuditEvent("delivery.received", officer.branch, officer.person, now, details))
            work.commit()
        return Received(len(rows))

    def _problems(self, work: Work, officer: Officer, rows: Sequence[BatchRow], now: datetime) -> list[RowProblem]:
        found = list_twice(sorted(rows, key=lambda row: row.number))
        raise_alarm = RaiseAlarm(self.random)
        for row in rows:
            if not _SERIAL.fullmatch(row.serial):
                text = "a serial number is letters and digits, with . _ : - between them, at most 64"
                found.append(RowProblem(row.number, row.serial[:64], text))
                continue
            known = work.devices.find(row.serial)
            if known is None:
                continue
            elsewhere = known_elsewhere(work, raise_alarm, officer, known, now)
            text = "registered at another branch: an alarm was raised" if elsewhere else "registered already"
            found.append(RowProblem(row.number, row.serial, text))
        return sorted(found, key=lambda problem: problem.row)


@dataclass(frozen=True)
class MoveDevice:
    """An officer takes a U-Shield from the branch's stock, puts it back, or takes one back from a customer."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize

    def take(self, session: str, serial: str) -> Device:
        """Out of the branch's stock, into the officer's own keeping."""
        return self._move(session, serial, Holder.OFFICER)

    def put_back(self, session: str, serial: str) -> Device:
        """By who has it, or a supervisor."""
        return self._move(session, serial, Holder.BRANCH)

    def _move(self, session: str, serial: str, to: Holder) -> Device:
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *KEEPERS)
            device = find_here(work, officer, serial)
            if device.holder is Holder.CUSTOMER:
                raise InvalidTransition("this U-Shield is with its customer; take it back as returned")
            others = device.holder is Holder.OFFICER and device.keeper != officer.person
            if others and TrustedRole.RA_SUPERVISOR not in officer.roles:
                raise NotAllowed(
                    f"officer {device.keeper} has this U-Shield; that officer or a supervisor puts it back"
                )
            # Out of a consignment it comes by its second person alone.
            require_held(serial, device.holder, {Holder.BRANCH if to is Holder.OFFICER else Holder.OFFICER}, to)
            moved = move(
                work, device, to, by=officer.person, at=now, keeper=officer.person if to is Holder.OFFICER else ""
            )
            name = "device.taken" if to is Holder.OFFICER else "device.put-back"
            work.audit.append(AuditEvent(name, serial, officer.person, now, {"branch": device.branch}))
            work.commit()
        return moved

    def give_back(self, session: str, serial: str, *, why: str) -> Device:
        """From its customer; it stays out of the stock and waits for destruction. Raises InvalidTransition while a
        certificate on it holds or an application waits for it."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *KEEPERS)
            device = find_here(work, officer, serial)
            why = verify_text(why, _LONGEST_REASON)
            _require_empty(work, device, now)
            returned = move(work, device, Holder.RETURNED, by=officer.person, at=now, why=why)
            work.devices.save(returned.become(DeviceState.RETURNED))
            details = {"branch": device.branch, "customer": device.customer, "reason": why}
            work.audit.append(AuditEvent("device.returned", serial, officer.person, now, details))
            work.commit()
        return returned


def find_here(work: Work, officer: Officer, serial: str) -> Device:
    """A U-Shield of the officer's own branch: the stock is moved by those who stand before it. Raises NotFound."""
    device = work.devices.find(serial)
    if device is None or device.branch != officer.branch:
        raise NotFound(f"there is no U-Shield {serial} at your branch")
    return device


def _require_empty(work: Work, device: Device, now: datetime) -> None:
    applications = work.applications.list_by_device(device.serial)
    if any(one.state in ON_ITS_WAY for one in applications):
        raise InvalidTransition("an application for this U-Shield is open; it must end first")
    people = {one.case.customer for one in applications}
    theirs = (one for person in sorted(people) for one in work.certificates.list_by_customer(person))
    on_it = (one for one in theirs if one.device_serial == device.serial)
    if any(one.status is not CertificateStatus.REVOKED and not one.is_expired(now) for one in on_it):
        raise InvalidTransition("a certificate on this U-Shield is not revoked; revoke it first")
