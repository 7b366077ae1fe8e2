"""Ending or suspending the validity of a certificate (CPS section 4.9; RFC 5280 section 5.3.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ca.domain.accounts import CancellationState
from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.customers import Customer
from ca.domain.errors import InvalidTransition, NotAllowed, NotFound
from ca.domain.notices import Notice
from ca.domain.officers import Officer, TrustedRole
from ca.domain.revocation import HOLD_UNDO_WINDOW, RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.domain.times import timestamp
from ca.portal_records import Notify
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.authorize import Authorize, require_branch
from ca.usecases.receipts import OpenReceipt

_HOLDERS = (TrustedRole.RA_OPERATOR, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR, TrustedRole.HOTLINE)
_HELD, _RELEASED, _REVOKED = "certificate.held", "certificate.released", "certificate.revoked"


@dataclass(frozen=True)
class ChangeStatus:
    """Hold, release, revoke: each recorded with its event, and pushed to the CRL at once."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize
    publish_changes: Callable[[str], None]
    open_receipt: OpenReceipt
    notify: Notify

    def hold(self, session: str, serial: int) -> Certificate:
        """Suspend; the hotline may do it for every branch, because a stolen U-Shield does not wait."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_HOLDERS)
            current = self._find(work, officer, serial, everywhere=TrustedRole.HOTLINE in officer.roles)
            if current.status is CertificateStatus.ON_HOLD and overtake_cancellation(work, serial):
                # On hold already, because the customer cancelled it: from now on only the bank lifts that.
                work.audit.append(AuditEvent("cancellation.overtaken", serial_text(serial), officer.person, now))
                work.commit()
                return current
            held = current.suspend(at=now)
            customer = self._save(work, held, officer, _HELD, {}, now)
        return self._told(customer, held, Notice.HELD_BY_BANK)

    def undo_hold(self, session: str, serial: int) -> Certificate:
        """Take back one's own hold, soon after it and before anything else happened to the certificate.

        Raises NotAllowed for what somebody else did, InvalidTransition when it is too late.
        """
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_HOLDERS)
            current = self._find(work, officer, serial, everywhere=TrustedRole.HOTLINE in officer.roles)
            _require_own_hold(work, current, officer, now)
            customer = self._save(work, released := current.resume(), officer, _RELEASED, {"why": "undo"}, now)
        return self._told(customer, released, Notice.RELEASED)

    def release(self, session: str, serial: int) -> Certificate:
        """Lift a hold."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_SUPERVISOR)
            released = self._find(work, officer, serial).resume()
            customer = self._save(work, released, officer, _RELEASED, {}, now)
        return self._told(customer, released, Notice.RELEASED)

    def revoke(
        self, session: str, serial: int, reason: RevocationReason, invalid_since: datetime | None = None
    ) -> Certificate:
        """End it for good; a compromised key is blocked for everyone, forever, and takes the renewals with it.

        Raises InvalidRequest for an invalidity date that cannot be (`Certificate.revoke`).
        """
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR)
            revoked = self._find(work, officer, serial).revoke(reason, at=now, invalid_since=invalid_since)
            if reason is RevocationReason.KEY_COMPROMISE:
                self._compromised(work, revoked, officer, now)
            details = {"reason": RFC_NAMES[reason]}
            if invalid_since is not None:
                details["invalid_since"] = timestamp(invalid_since)
            customer = self._save(work, revoked, officer, _REVOKED, details, now)
        return self._told(customer, revoked, Notice.REVOKED)

    def _compromised(self, work: Work, certificate: Certificate, officer: Officer, now: datetime) -> None:
        """Block the key; whoever had it may have renewed the certificate, so what follows it ends with it."""
        reason = RevocationReason.KEY_COMPROMISE
        work.blocked_keys.add(certificate.public_key, f"key compromise of {serial_text(certificate.serial)}", now)
        for listed in work.certificates.list_successors(certificate.serial):
            successor = work.certificates.get(listed.serial)
            if successor.status is not CertificateStatus.REVOKED:
                revoked = successor.revoke(reason, at=now)
                work.certificates.save(revoked)
                self.open_receipt(work, revoked)
                details = {"reason": RFC_NAMES[reason], "predecessor": serial_text(certificate.serial)}
                event = AuditEvent(_REVOKED, serial_text(successor.serial), officer.person, now, details)
                work.audit.append(event)
                self._compromised(work, revoked, officer, now)

    def _find(self, work: Work, officer: Officer, serial: int, *, everywhere: bool = False) -> Certificate:
        try:
            certificate = work.certificates.get(serial)
        except NotFound as error:
            raise NotFound("there is no such certificate at your branch") from error
        if not certificate.application:
            raise NotAllowed("the CA's own certificates are ended in a key ceremony, not here")
        if not everywhere:
            require_branch(officer, certificate.branch, "certificate")
        return certificate

    def _save(
        self, work: Work, certificate: Certificate, officer: Officer, name: str, details: dict[str, str], now: datetime
    ) -> Customer:
        """Whose it is. One instant for record and event: looking back, the two must tell the same."""
        customer = work.customers.get(certificate.customer)
        work.certificates.save(certificate)
        work.crls.set_due(certificate.issuer, due=True)
        event = AuditEvent(name, serial_text(certificate.serial), officer.person, now, details)
        work.audit.append(event)
        self.open_receipt(work, certificate)
        work.commit()
        return customer

    def _told(self, customer: Customer, certificate: Certificate, notice: Notice) -> Certificate:
        self.publish_changes(certificate.issuer)
        self.notify(customer, certificate, notice)
        return certificate


def _require_own_hold(work: Work, certificate: Certificate, officer: Officer, now: datetime) -> None:
    # What the prober saw of it changed nothing.
    about = (each.event for each in work.audit.about(serial_text(certificate.serial)))
    last = [event for event in about if not event.name.startswith("receipt.")][-1:]
    if not last or (last[0].name, last[0].actor) != (_HELD, officer.person):
        raise NotAllowed("only your own hold can be undone, before anything else happens; ask a supervisor")
    if now > last[0].at + HOLD_UNDO_WINDOW:
        raise InvalidTransition("the time in which a hold can be undone is over; a supervisor can release it")


def overtake_cancellation(work: Work, serial: int) -> bool:
    """Whether there was an open one: whoever has the password could undo it, and the hold with it (T-45)."""
    cancellation = work.cancellations.find(serial)
    if cancellation is None or cancellation.state is not CancellationState.OPEN:
        return False
    work.cancellations.save(cancellation.become(CancellationState.OVERTAKEN))
    return True
