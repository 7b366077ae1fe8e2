"""A customer stops their own certificates: lost U-Shield, cancellation, and what can be undone (CPS section 4.9; T-45).

Signed in by password, a customer holds and nothing more: who steals a password must not be able to end a certificate at
once. A cancellation holds at once, can be undone for a day, and only then revokes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain.accounts import Cancellation, CancellationState
from ca.domain.applications import CAME_TO_NOTHING
from ca.domain.audit import AuditEvent, ChainedEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.customers import Customer
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidTransition, NotFound
from ca.domain.notices import Notice
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.portal_records import Notify
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.portal_sessions import AuthorizeCustomer
from ca.usecases.receipts import OpenReceipt

_CUSTOMER, _SIGNER = "customer", "signer"
_CANCELLED = RevocationReason.CESSATION_OF_OPERATION
_LOST = "U-Shield lost"
_LONGEST_HISTORY = 200
_IN_HAND = {DeviceState.ASSIGNED, DeviceState.IN_USE, DeviceState.BLOCKED}


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate with what may be done to it."""

    certificate: Certificate
    cancellation: Cancellation | None
    """An open one: it can still be undone."""
    is_expired: bool


@dataclass(frozen=True)
class OwnCertificates:
    """What a signed-in customer sees and does."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: AuthorizeCustomer
    publish_changes: Callable[[str], None]
    open_receipt: OpenReceipt
    notify: Notify

    def list(self, token: str) -> tuple[Customer, Sequence[OwnCertificate]]:
        """The youngest first. Raises NotAuthenticated."""
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            found = [
                OwnCertificate(one, _open(work, one.serial), one.is_expired(self.clock.now()))
                for one in reversed(work.certificates.list_by_customer(customer.id))
            ]
            work.commit()
        return customer, found

    def list_devices(self, token: str) -> Sequence[str]:
        """Serial numbers of the U-Shields that the bank gave this customer. Raises NotAuthenticated.

        An operator's belongs to the company in the books; it is the operator's by what was applied for or issued.
        """
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            serials = {one.serial for one in work.devices.list_by_customer(customer.id)}
            serials |= {one.device_serial for one in work.certificates.list_by_customer(customer.id)}
            applications = work.applications.list_by_customer(customer.id)
            serials |= {one.case.device_serial for one in applications if one.state not in CAME_TO_NOTHING}
            found = [device for serial in sorted(serials) if serial and (device := work.devices.find(serial))]
            work.commit()
        return [device.serial for device in found if device.state in _IN_HAND]

    def history(self, token: str) -> Sequence[AuditEvent]:
        """What happened to the customer's account, applications and certificates, the youngest first."""
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            certificates = work.certificates.list_by_customer(customer.id)
            subjects = {customer.id, *(one.application for one in certificates if one.application)}
            subjects |= {serial_text(one.serial) for one in certificates}
            chained: list[ChainedEvent] = [event for subject in subjects for event in work.audit.about(subject)]
            work.commit()
        # What the prober measured is about our promises, and nothing that was done.
        told = [one for one in chained if not one.event.name.startswith("receipt.")]
        told.sort(key=lambda one: one.number, reverse=True)
        return [one.event for one in told[:_LONGEST_HISTORY]]

    def report_lost(self, token: str, serial: int) -> Certificate:
        """Hold at once; only the branch releases it. Raises NotFound, InvalidTransition."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            current = self._own(work, customer, serial)
            cancellation = _open(work, serial)
            if cancellation is None:
                held = current.suspend(at=now)
                self._save(work, held, "certificate.held", _CUSTOMER, now, {"why": _LOST})
            else:
                # It is on hold already; lost outweighs cancelled: what undoes the one must not undo the other.
                held = current
                work.cancellations.save(cancellation.become(CancellationState.OVERTAKEN))
                event = AuditEvent("cancellation.overtaken", serial_text(serial), _CUSTOMER, now, {"why": _LOST})
                work.audit.append(event)
                work.commit()
        self._told(customer, held, Notice.LOST)
        return held

    def cancel(self, token: str, serial: int) -> Cancellation:
        """Hold at once, revoke when the undo window is over. Raises NotFound, InvalidTransition."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            held = self._own(work, customer, serial).suspend(at=now)
            cancellation = Cancellation(serial, customer.id, now, now + self.authorize.policy().cancellation_undo)
            work.cancellations.save(cancellation)
            self._save(work, held, "certificate.held", _CUSTOMER, now, {"why": "cancelled by the customer"})
        self._told(customer, held, Notice.CANCELLED)
        return cancellation

    def undo(self, token: str, serial: int) -> Certificate:
        """Lift the hold of an open cancellation. Raises NotFound, InvalidTransition."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            current = self._own(work, customer, serial)
            cancellation = _open(work, serial)
            if cancellation is None or now >= cancellation.due_at:
                raise InvalidTransition("there is no cancellation of this certificate that can still be undone")
            released = current.resume()
            work.cancellations.save(cancellation.become(CancellationState.UNDONE))
            self._save(work, released, "certificate.released", _CUSTOMER, now, {"why": "cancellation undone"})
        self._told(customer, released, Notice.CANCELLATION_UNDONE)
        return released

    def finish_cancellations(self) -> int:
        """Revoke what was cancelled and cannot be undone any more; how many."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            due = work.cancellations.list_due(now)
        return sum(self._finish(one.serial, now) for one in due)

    def _finish(self, serial: int, now: datetime) -> bool:
        with self.unit_of_work() as work:
            # Read again under its lock: it may have been undone meanwhile, or an officer was faster.
            certificate = work.certificates.get(serial)
            cancellation = _open(work, serial)
            if cancellation is None:
                return False
            customer = work.customers.get(cancellation.customer)
            if certificate.status is not CertificateStatus.ON_HOLD or certificate.customer != customer.id:
                work.cancellations.save(cancellation.become(CancellationState.OVERTAKEN))
                work.audit.append(AuditEvent("cancellation.overtaken", serial_text(serial), _SIGNER, now))
                work.commit()
                return False
            work.cancellations.save(cancellation.become(CancellationState.DONE))
            revoked = certificate.revoke(_CANCELLED, at=now)
            details = {"reason": RFC_NAMES[_CANCELLED], "why": "cancelled by the customer"}
            self._save(work, revoked, "certificate.revoked", _SIGNER, now, details)
        self._told(customer, revoked, Notice.ENDED_AS_ASKED)
        return True

    def _own(self, work: Work, customer: Customer, serial: int) -> Certificate:
        try:
            certificate = work.certificates.get(serial)
        except NotFound:
            certificate = None
        # Another customer's certificate is as unknown as one that there is not (T-16).
        if certificate is None or certificate.customer != customer.id or not certificate.application:
            raise NotFound("you have no such certificate")
        return certificate

    def _save(
        self, work: Work, certificate: Certificate, name: str, actor: str, now: datetime, details: dict[str, str]
    ) -> None:
        work.certificates.save(certificate)
        work.crls.set_due(certificate.issuer, due=True)
        work.audit.append(AuditEvent(name, serial_text(certificate.serial), actor, now, details))
        self.open_receipt(work, certificate)
        work.commit()

    def _told(self, customer: Customer, certificate: Certificate, notice: Notice) -> None:
        self.publish_changes(certificate.issuer)
        self.notify(customer, certificate, notice)


def _open(work: Work, serial: int) -> Cancellation | None:
    found = work.cancellations.find(serial)
    return found if found is not None and found.state is CancellationState.OPEN else None
