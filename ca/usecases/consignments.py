"""U-Shields go from one keeping to another, or are destroyed: one person begins, another one ends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.custody import MOST_AT_ONCE, Consignment, ConsignmentState, Holder, Purpose, require_held
from ca.domain.devices import Device, DeviceState
from ca.domain.errors import InvalidRequest, NotAllowed, NotFound
from ca.domain.names import verify_text
from ca.domain.officers import Officer, TrustedRole
from ca.domain.stock import AlarmKind
from ca.ports import Clock, Random, UnitOfWork, Work
from ca.usecases.authorize import Authorize
from ca.usecases.custody import RaiseAlarm, move_in
from ca.usecases.stock import KEEPERS, find_here

_LONGEST_REASON = 300


@dataclass(frozen=True)
class SendConsignment:
    """Begin a transfer or a destruction, confirm it, refuse it."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    authorize: Authorize

    def transfer(self, session: str, serials: Sequence[str], *, to_branch: str, why: str) -> Consignment:
        """From the vault or the stock to a branch's stock. Raises InvalidRequest, NotFound; then nothing moved."""
        return self._send(session, Purpose.TRANSFER, serials, to_branch=verify_text(to_branch, 64), why=why)

    def destroy(self, session: str, serials: Sequence[str], *, why: str) -> Consignment:
        """They are set aside; a witness confirms that they were destroyed."""
        return self._send(session, Purpose.DESTRUCTION, serials, to_branch="", why=why)

    def _send(self, session: str, purpose: Purpose, serials: Sequence[str], *, to_branch: str, why: str) -> Consignment:
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *KEEPERS)
            devices = self._devices(work, officer, serials)
            consignment = Consignment(
                id=self.random(8).hex(),
                purpose=purpose,
                serials=tuple(device.serial for device in devices),
                origin=devices[0].holder,
                from_branch=officer.branch,
                to_branch=to_branch or officer.branch,
                why=verify_text(why, _LONGEST_REASON),
                sent_by=officer.person,
                sent_at=now,
            )
            for device in devices:
                move_in(work, device, Holder.IN_TRANSIT, consignment, at=now)
            work.stock.save_consignment(consignment)
            details = {"purpose": purpose.value, "to": consignment.to_branch, "count": str(len(devices))}
            work.audit.append(AuditEvent("consignment.sent", consignment.id, officer.person, now, details))
            work.commit()
        return consignment

    def _devices(self, work: Work, officer: Officer, serials: Sequence[str]) -> list[Device]:
        if not 0 < len(serials) <= MOST_AT_ONCE:
            raise InvalidRequest(f"a consignment has one to {MOST_AT_ONCE} U-Shields; this one has {len(serials)}")
        if len(set(serials)) != len(serials):
            raise InvalidRequest("a serial number is there twice")
        # In one order, so that two consignments with the same U-Shields never wait for each other.
        devices = [find_here(work, officer, serial) for serial in sorted(serials)]
        for device in devices:
            if device.state not in {DeviceState.IN_STOCK, DeviceState.RETURNED}:
                raise InvalidRequest(f"U-Shield {device.serial} is {device.state.value}; it is not in the stock")
            if device.holder is not devices[0].holder:
                raise InvalidRequest(
                    f"U-Shield {device.serial} is with: {device.holder.value}, {devices[0].serial} with: "
                    f"{devices[0].holder.value}; send them apart"
                )
        return devices

    def confirm(self, session: str, consignment_id: str) -> Consignment:
        """By a supervisor of the branch where it ends. Raises NotFound, NotAllowed, InvalidTransition."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_SUPERVISOR)
            consignment = _find(work, officer, consignment_id)
            if officer.branch != consignment.to_branch:
                raise NotAllowed("the branch that receives it confirms it")
            confirmed = consignment.confirm(officer.person, now)
            destroys = consignment.purpose is Purpose.DESTRUCTION
            for serial in consignment.serials:
                device = _sent(work, serial)
                moved = move_in(work, device, Holder.DESTROYED if destroys else Holder.BRANCH, confirmed, at=now)
                if destroys:
                    work.devices.save(moved.become(DeviceState.DESTROYED))
            self._end(work, confirmed, officer, now)
            work.commit()
        return confirmed

    def refuse(self, session: str, consignment_id: str, *, reason: str) -> Consignment:
        """It did not arrive whole or was not destroyed: by the receiving supervisor, or the sender takes it back."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *KEEPERS)
            consignment = _find(work, officer, consignment_id)
            sender = officer.person == consignment.sent_by
            receives = officer.branch == consignment.to_branch and TrustedRole.RA_SUPERVISOR in officer.roles
            if not sender and not receives:
                raise NotAllowed(
                    "only its sender, or a supervisor of the branch that receives it, refuses a consignment"
                )
            refused = consignment.refuse(officer.person, now, verify_text(reason, _LONGEST_REASON))
            for serial in consignment.serials:
                move_in(work, _sent(work, serial), consignment.origin, refused, at=now)
            self._end(work, refused, officer, now)
            if not sender:
                self._alarm(work, refused, officer, now)
            work.commit()
        return refused

    def _end(self, work: Work, consignment: Consignment, officer: Officer, now: datetime) -> None:
        work.stock.save_consignment(consignment)
        details = {"purpose": consignment.purpose.value, "sent_by": consignment.sent_by, "reason": consignment.reason}
        confirmed = consignment.state is ConsignmentState.CONFIRMED
        name = "consignment.confirmed" if confirmed else "consignment.refused"
        work.audit.append(AuditEvent(name, consignment.id, officer.person, now, details))

    def _alarm(self, work: Work, refused: Consignment, officer: Officer, now: datetime) -> None:
        told = f"{len(refused.serials)} U-Shields sent by {refused.sent_by}: {refused.reason}"
        raise_alarm = RaiseAlarm(self.random)
        for branch in sorted({refused.from_branch, refused.to_branch}):
            raise_alarm(
                work, AlarmKind.REFUSED, branch=branch, subject=refused.id, told=told, by=officer.person, at=now
            )


def _find(work: Work, officer: Officer, consignment_id: str) -> Consignment:
    consignment = work.stock.find_consignment(consignment_id)
    if consignment is None or officer.branch not in {consignment.from_branch, consignment.to_branch}:
        raise NotFound("there is no such consignment at your branch")
    return consignment


def _sent(work: Work, serial: str) -> Device:
    device = work.devices.find(serial)
    if device is None:
        raise NotFound(f"there is no U-Shield {serial} any more")
    require_held(serial, device.holder, {Holder.IN_TRANSIT}, Holder.BRANCH)
    return device
