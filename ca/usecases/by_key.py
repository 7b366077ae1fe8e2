"""A customer acts by a signature of their U-Shield: signs in, or ends their certificate at once (CPS section 4.9.3).

Stronger than a password, so nothing waits: whoever has U-Shield and certificate password is the customer. The statement
is bound to one operation, to our own origin and to a nonce that is good for five minutes and once (T-43, T-44).
"""

from collections.abc import Callable
from dataclasses import dataclass

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.customers import Customer
from ca.domain.drafting import verify_signed
from ca.domain.errors import InvalidRequest, NotAuthenticated, NotFound, SigningRefused
from ca.domain.keys import PublicKey
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.domain.tbs import read_certificate
from ca.domain.tool_jobs import ToolOperation, statement
from ca.portal_records import Notify
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.portal_sessions import PortalSignIn
from ca.usecases.receipts import OpenReceipt
from ca.usecases.tool_jobs import purpose_of

REFUSED = "this U-Shield did not prove that it is yours; try again, or ask your branch"
_ENDED = RevocationReason.CESSATION_OF_OPERATION
_HOLDING = frozenset({CertificateStatus.ACTIVE})
_STOPPABLE = frozenset({CertificateStatus.ACTIVE, CertificateStatus.ON_HOLD})


@dataclass(frozen=True, slots=True)
class Stated:
    """What came from the tool by way of the page."""

    certificate_der: bytes
    nonce: bytes
    signature: bytes


@dataclass(frozen=True)
class ActByKey:
    """Statements are checked here, whatever the web tier says of them."""

    unit_of_work: UnitOfWork
    clock: Clock
    origin: str
    sign_in: PortalSignIn
    publish_changes: Callable[[str], None]
    open_receipt: OpenReceipt
    notify: Notify

    def open_session(self, stated: Stated, *, source: str) -> tuple[str, Customer]:
        """A session's token. Raises NotAuthenticated, without saying what was wrong."""
        self._take(ToolOperation.SIGN_IN, stated)
        with self.unit_of_work() as work:
            certificate = self._proved(work, ToolOperation.SIGN_IN, stated, _HOLDING)
            customer = work.customers.get(certificate.customer)
            token = self.sign_in.begin(work, customer, source=source, by=serial_text(certificate.serial))
            work.commit()
        return token, customer

    def cancel(self, stated: Stated, serial: int) -> Certificate:
        """Revoke at once; from hold too. Raises NotAuthenticated, InvalidRequest when another one was shown."""
        self._take(ToolOperation.CANCEL, stated)
        now = self.clock.now()
        with self.unit_of_work() as work:
            certificate = self._proved(work, ToolOperation.CANCEL, stated, _STOPPABLE)
            if certificate.serial != serial:
                raise InvalidRequest("the U-Shield signed for another certificate than the one that was shown")
            customer = work.customers.get(certificate.customer)
            revoked = certificate.revoke(_ENDED, at=now)
            work.certificates.save(revoked)
            work.crls.set_due(revoked.issuer, due=True)
            details = {"reason": RFC_NAMES[_ENDED], "why": "cancelled with the U-Shield"}
            work.audit.append(AuditEvent("certificate.revoked", serial_text(serial), "customer", now, details))
            self.open_receipt(work, revoked)
            work.commit()
        self.publish_changes(revoked.issuer)
        self.notify(customer, revoked, "It has ended: you cancelled it with your U-Shield. This cannot be undone.")
        return revoked

    def _take(self, operation: ToolOperation, stated: Stated) -> None:
        with self.unit_of_work() as work:
            challenge = work.challenges.take(purpose_of(operation), stated.nonce)
            work.commit()  # it stays used, whatever comes of it
        if challenge is None or challenge.is_over(self.clock.now()):
            raise NotAuthenticated(REFUSED)

    def _proved(
        self, work: Work, operation: ToolOperation, stated: Stated, allowed: frozenset[CertificateStatus]
    ) -> Certificate:
        """The customer's certificate whose key made the statement. Raises NotAuthenticated."""
        try:
            shown = read_certificate(stated.certificate_der)
            current = work.certificates.get(shown.serial)
            # That it stands in our records proves nothing: somebody may have put it there.
            verify_signed(current.der, work.issuers.get(current.issuer).spki_der)
            message = statement(operation, self.origin, stated.nonce, current.der)
            PublicKey.from_spki(shown.spki_der).verify(stated.signature, message)
        except (InvalidRequest, NotFound, SigningRefused) as error:
            raise NotAuthenticated(REFUSED) from error
        is_theirs = current.der == stated.certificate_der and current.application and current.customer
        if not is_theirs or current.status not in allowed or current.is_expired(self.clock.now()):
            raise NotAuthenticated(REFUSED)
        return current
