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
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.domain.times import timestamp
from ca.portal_records import Notify
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.authorize import Authorize, require_branch
from ca.usecases.receipts import OpenReceipt
from ca.usecases.second_officer import SecondOfficer, WantedRevocation, case_details

_HOLDERS = (TrustedRole.RA_OPERATOR, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR, TrustedRole.HOTLINE)
REVOKERS = (TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR)
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
    second: SecondOfficer

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
            customer = self._record(work, held, officer, _HELD, {}, now)
            work.commit()
        return self._told(customer, held, Notice.HELD_BY_BANK)

    def undo_hold(self, session: str, serial: int) -> Certificate:
        """Take back one's own hold, soon after it and before anything else happened to the certificate.

        Raises NotAllowed for what somebody else did, InvalidTransition when it is too late.
        """
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_HOLDERS)
            current = self._find(work, officer, serial, everywhere=TrustedRole.HOTLINE in officer.roles)
            _require_own_hold(work, current, officer, now - self.authorize.policy().hold_undo)
            customer = self._record(work, released := current.resume(), officer, _RELEASED, {"why": "undo"}, now)
            work.commit()
        return self._told(customer, released, Notice.RELEASED)

    def release(self, session: str, serial: int) -> Certificate:
        """Lift a hold. Raises InvalidTransition while a revocation waits for a second officer."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_SUPERVISOR)
            released = self._find(work, officer, serial).resume()
            self.second.require_none_waiting(work, serial, now)
            self.second.overtake(work, serial, officer, now)
            customer = self._record(work, released, officer, _RELEASED, {}, now)
            work.commit()
        return self._told(customer, released, Notice.RELEASED)

    def revoke(
        self, session: str, serial: int, reason: RevocationReason, invalid_since: datetime | None = None, why: str = ""
    ) -> Certificate:
        """End it for good; a compromised key is blocked for everyone, forever, and takes the renewals with it.

        Where its profile asks for a second officer it is on hold instead, at once, and a case with `why` waits for one.
        Raises InvalidRequest for an invalidity date that cannot be (`Certificate.revoke`), or when `why` is missing.
        """
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *REVOKERS)
            current = self._find(work, officer, serial)
            if self.second.is_needed(current, reason):
                wanted = WantedRevocation(reason, invalid_since, why)
                changed, notice = self._propose(work, officer, current, wanted, now)
                customer = work.customers.get(current.customer)
            else:
                changed, notice = current.revoke(reason, at=now, invalid_since=invalid_since), Notice.REVOKED
                if reason is RevocationReason.KEY_COMPROMISE:
                    self._compromised(work, changed, officer, now)
                self.second.overtake(work, serial, officer, now)
                customer = self.record_end(work, changed, officer, now)
            work.commit()
        return changed if notice is None else self._told(customer, changed, notice)

    def is_by_two(self, session: str, serial: int) -> bool:
        """Whether it would wait for a second officer, unless its key is compromised. Raises NotFound."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *REVOKERS)
            current = self._find(work, officer, serial)
            work.commit()
        return self.second.is_needed(current, RevocationReason.UNSPECIFIED)

    def record_end(self, work: Work, revoked: Certificate, officer: Officer, now: datetime) -> Customer:
        """Whose it was; nothing is committed and nobody told yet."""
        if revoked.revocation is None:
            raise InvalidTransition("only a revoked certificate is recorded as ended")
        details = {"reason": RFC_NAMES[revoked.revocation.reason]}
        if revoked.revocation.invalid_since is not None:
            details["invalid_since"] = timestamp(revoked.revocation.invalid_since)
        return self._record(work, revoked, officer, _REVOKED, details, now)

    def tell_end(self, customer: Customer, revoked: Certificate) -> Certificate:
        """After the commit: relying parties and the customer."""
        return self._told(customer, revoked, Notice.REVOKED)

    def _propose(
        self, work: Work, officer: Officer, current: Certificate, wanted: WantedRevocation, now: datetime
    ) -> tuple[Certificate, Notice | None]:
        """On hold, with an open case; and what the customer is to hear of it."""
        is_held = current.status is CertificateStatus.ON_HOLD
        held = current if is_held else current.suspend(at=now)
        held.revoke(wanted.reason, at=now, invalid_since=wanted.invalid_since)
        case = self.second.open_case(work, held, wanted, officer, now)
        if not is_held:
            self._record(work, held, officer, _HELD, {"why": "a second officer decides whether it ends"}, now)
        elif overtake_cancellation(work, held.serial):
            work.audit.append(AuditEvent("cancellation.overtaken", serial_text(held.serial), officer.person, now))
        details = case_details(case) | {"why": case.why}
        work.audit.append(AuditEvent("revocation.proposed", serial_text(held.serial), officer.person, now, details))
        return held, None if is_held else Notice.HELD_BY_BANK

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

    def _record(
        self, work: Work, certificate: Certificate, officer: Officer, name: str, details: dict[str, str], now: datetime
    ) -> Customer:
        """Whose it is, uncommitted. One instant for record and event: looking back, the two must tell the same."""
        customer = work.customers.get(certificate.customer)
        work.certificates.save(certificate)
        work.crls.set_due(certificate.issuer, due=True)
        event = AuditEvent(name, serial_text(certificate.serial), officer.person, now, details)
        work.audit.append(event)
        self.open_receipt(work, certificate)
        return customer

    def _told(self, customer: Customer, certificate: Certificate, notice: Notice) -> Certificate:
        self.publish_changes(certificate.issuer)
        self.notify(customer, certificate, notice)
        return certificate


def _require_own_hold(work: Work, certificate: Certificate, officer: Officer, earliest: datetime) -> None:
    # What the prober saw of it changed nothing.
    about = (each.event for each in work.audit.about(serial_text(certificate.serial)))
    last = [event for event in about if not event.name.startswith("receipt.")][-1:]
    if not last or (last[0].name, last[0].actor) != (_HELD, officer.person):
        raise NotAllowed("only your own hold can be undone, before anything else happens; ask a supervisor")
    if last[0].at < earliest:
        raise InvalidTransition("the time in which a hold can be undone is over; a supervisor can release it")


def overtake_cancellation(work: Work, serial: int) -> bool:
    """Whether there was an open one: whoever has the password could undo it, and the hold with it (T-45)."""
    cancellation = work.cancellations.find(serial)
    if cancellation is None or cancellation.state is not CancellationState.OPEN:
        return False
    work.cancellations.save(cancellation.become(CancellationState.OVERTAKEN))
    return True
