"""Ending or suspending the validity of a certificate (CPS section 4.9; RFC 5280 section 5.3.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ca.domain.accounts import CancellationState
from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.customers import Customer
from ca.domain.errors import NotAllowed, NotFound
from ca.domain.notices import Notice
from ca.domain.officers import Officer, TrustedRole
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.portal_records import Notify
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.authorize import Authorize, require_branch
from ca.usecases.receipts import OpenReceipt


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
            roles = (TrustedRole.RA_OPERATOR, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR, TrustedRole.HOTLINE)
            officer = self.authorize(work, session, *roles)
            everywhere = TrustedRole.HOTLINE in officer.roles
            current = self._find(work, officer, serial, everywhere=everywhere)
            if current.status is CertificateStatus.ON_HOLD and overtake_cancellation(work, serial):
                # On hold already, because the customer cancelled it: from now on only the bank lifts that.
                work.audit.append(AuditEvent("cancellation.overtaken", serial_text(serial), officer.person, now))
                work.commit()
                return current
            held = current.suspend(at=now)
            customer = self._save(work, held, officer, "certificate.held", {}, now)
        return self._told(customer, held, Notice.HELD_BY_BANK)

    def release(self, session: str, serial: int) -> Certificate:
        """Lift a hold."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_SUPERVISOR)
            released = self._find(work, officer, serial).resume()
            customer = self._save(work, released, officer, "certificate.released", {}, now)
        return self._told(customer, released, Notice.RELEASED)

    def revoke(self, session: str, serial: int, reason: RevocationReason) -> Certificate:
        """End it for good; a compromised key is blocked for everyone, forever, and takes the renewals with it."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR)
            revoked = self._find(work, officer, serial).revoke(reason, at=now)
            if reason is RevocationReason.KEY_COMPROMISE:
                self._compromised(work, revoked, officer, now)
            customer = self._save(work, revoked, officer, "certificate.revoked", {"reason": RFC_NAMES[reason]}, now)
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
                event = AuditEvent("certificate.revoked", serial_text(successor.serial), officer.person, now, details)
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


def overtake_cancellation(work: Work, serial: int) -> bool:
    """Whether there was an open one: whoever has the password could undo it, and the hold with it (T-45)."""
    cancellation = work.cancellations.find(serial)
    if cancellation is None or cancellation.state is not CancellationState.OPEN:
        return False
    work.cancellations.save(cancellation.become(CancellationState.OVERTAKEN))
    return True
