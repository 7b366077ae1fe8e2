"""U-Shields enter a branch's stock (STANDARDS 2.4: custody is recorded from the first day)."""

from dataclasses import dataclass, replace

from ca.domain.audit import AuditEvent
from ca.domain.custody import Holder
from ca.domain.customers import CustomerKind
from ca.domain.devices import Device, DeviceState
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound
from ca.domain.names import verify_text
from ca.domain.officers import TrustedRole
from ca.ports import Clock, Random, UnitOfWork
from ca.usecases.authorize import Authorize, require_branch
from ca.usecases.custody import RaiseAlarm, hand_over, require_at_counter
from ca.usecases.stock import KEEPERS, EnterStock, known_elsewhere
from ca.usecases.unlock import SoPasswords


@dataclass(frozen=True)
class RegisterDevice:
    """An RA operator takes a U-Shield into the branch's stock."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    authorize: Authorize

    def __call__(self, session: str, *, serial: str, model: str) -> Device:
        """Raise InvalidRequest when the serial number is registered already; at another branch that is an alarm."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *KEEPERS)
            serial, model = (verify_text(text, 64) for text in (serial, model))
            known = work.devices.find(serial)
            if known is not None:
                if known_elsewhere(work, RaiseAlarm(self.random), officer, known, now):
                    work.commit()
                raise InvalidRequest(f"U-Shield {serial} is registered already")
            device = EnterStock(self.random)(work, officer, serial, model, Holder.BRANCH, at=now)
            work.commit()
        return device


@dataclass(frozen=True)
class PrepareDevice:
    """A supervisor's tool gives a U-Shield in the stock the bank's SO password, so that it can be unlocked one day."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    authorize: Authorize
    so_passwords: SoPasswords

    def __call__(self, session: str, *, serial: str, token_serial: str, public_key: bytes) -> str:
        """A JWS for the tool; the same passwords as often as asked, as long as it is in the stock. Raises NotFound."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_SUPERVISOR)
            device = work.devices.find(serial)
            if device is None:
                raise NotFound("there is no such U-Shield at your branch")
            require_branch(officer, device.branch, "U-Shield")
            if device.state is not DeviceState.IN_STOCK:
                raise InvalidTransition(f"this U-Shield is {device.state.value}; only one in the stock is prepared")
            if device.token_serial and device.token_serial.casefold() != token_serial.strip().casefold():
                raise InvalidRequest(f"the tool has another U-Shield before it than {serial}; plug in that one")
            prepared = replace(device, so_use=max(1, device.so_use))
            work.devices.save(prepared)
            work.audit.append(AuditEvent("device.prepared", serial, officer.person, now, {"branch": device.branch}))
            answer = self.so_passwords.answer(prepared, serial, token_serial, public_key, self.random(32))
            work.commit()
        return answer


@dataclass(frozen=True)
class HandDeviceToCompany:
    """A company gets a U-Shield for an operator whom its administrator will name."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize

    def __call__(self, session: str, *, number: str, serial: str) -> Device:
        """Raise NotFound for another branch's company, InvalidRequest unless the U-Shield is in the branch's stock."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *KEEPERS)
            company = work.customers.find_by_number(number)
            if company is None:
                raise NotFound("there is no such customer at your branch")
            require_branch(officer, company.branch, "customer")
            if company.kind is not CustomerKind.COMPANY:
                raise InvalidRequest("only a company is handed U-Shields before it is known whose they will be")
            device = work.devices.find(serial)
            if device is None or device.branch != officer.branch or device.state is not DeviceState.IN_STOCK:
                raise InvalidRequest("enter the serial number of a U-Shield from your branch's stock")
            require_at_counter(device, officer)
            handed = hand_over(work, device.assign(company.id), company.id, by=officer.person, at=now)
            work.audit.append(AuditEvent("device.assigned", serial, officer.person, now, {"customer": company.id}))
            work.commit()
        return handed
