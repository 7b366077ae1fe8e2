"""What every act that moves a U-Shield does: its record says who holds it, the ledger how it came there."""

from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.custody import AT_THE_COUNTER, Consignment, ConsignmentState, Holder, Move
from ca.domain.devices import Device
from ca.domain.errors import InvalidRequest
from ca.domain.officers import Officer
from ca.domain.stock import Alarm, AlarmKind
from ca.ports import Random, Work


def move(work: Work, device: Device, to: Holder, *, by: str, at: datetime, keeper: str = "", why: str = "") -> Device:
    """Save the device with its new holder, and the entry in the ledger. Raises InvalidTransition.

    `keeper`: the officer's employee number or the customer's id; `by`: who did it.
    """
    moved = device.move(to, officer=keeper if to is Holder.OFFICER else "")
    work.devices.save(moved)
    work.stock.add_move(_entry(device, moved, keeper=keeper, by_person=by, at=at, why=why))
    return moved


def move_in(work: Work, device: Device, to: Holder, consignment: Consignment, *, at: datetime) -> Device:
    """The same as a part of a consignment, as it stands now: sent, confirmed by the second person, or refused."""
    arrived = consignment.state is ConsignmentState.CONFIRMED
    moved = device.move(to, branch=consignment.to_branch if arrived else device.branch)
    work.devices.save(moved)
    entry = _entry(
        device,
        moved,
        by_person=consignment.sent_by if arrived else consignment.ended_by or consignment.sent_by,
        confirmed_by=consignment.ended_by if arrived else "",
        at=at,
        why=consignment.reason or consignment.why,
        consignment=consignment.id,
    )
    work.stock.add_move(entry)
    return moved


def _entry(before: Device, after: Device, *, by_person: str, at: datetime, **rest: str) -> Move:
    return Move(
        device_serial=before.serial,
        from_holder=before.holder,
        from_branch=before.branch,
        to_holder=after.holder,
        to_branch=after.branch,
        keeper=rest.pop("keeper", ""),
        by_person=by_person,
        at=at,
        **rest,
    )


def require_at_counter(device: Device, officer: Officer) -> None:
    """Raise InvalidRequest unless this officer can take it from the branch's stock or their own."""
    if device.holder not in AT_THE_COUNTER:
        raise InvalidRequest(
            f"U-Shield {device.serial} is with: {device.holder.value}; take one from the branch's stock"
        )
    if device.holder is Holder.OFFICER and device.keeper != officer.person:
        raise InvalidRequest(f"U-Shield {device.serial} is with officer {device.keeper}; that officer hands it out")


def hand_over(work: Work, device: Device, customer: str, *, by: str, at: datetime) -> Device:
    """To the customer, who may have it already."""
    if device.holder is Holder.CUSTOMER:
        return device
    return move(work, device, Holder.CUSTOMER, by=by, at=at, keeper=customer)


@dataclass(frozen=True)
class RaiseAlarm:
    """An event in the log each time; a second line in the list only once the first was settled."""

    random: Random

    def __call__(
        self, work: Work, kind: AlarmKind, *, branch: str, subject: str, told: str, by: str, at: datetime
    ) -> None:
        details = {"kind": kind.value, "branch": branch, "told": told}
        work.audit.append(AuditEvent("stock.alarmed", subject, by, at, details))
        if work.stock.find_open_alarm(kind, branch, subject) is None:
            work.stock.save_alarm(Alarm(self.random(8).hex(), kind, branch, subject, told, by, at))
