"""A customer acts by a signature of their U-Shield: signs in, or ends their certificate at once (CPS section 4.9.3).

Stronger than a password, so nothing waits: whoever has U-Shield and certificate password is the customer. The statement
is bound to one operation, to our own origin and to a nonce that is good for five minutes and once (T-43, T-44).
"""

from collections.abc import Callable
from dataclasses import dataclass

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.customers import Customer
from ca.domain.errors import InvalidRequest
from ca.domain.notices import Notice
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.domain.tool_jobs import ToolOperation
from ca.portal_records import Notify
from ca.ports import Clock, UnitOfWork
from ca.usecases.portal_sessions import PortalSignIn
from ca.usecases.receipts import OpenReceipt
from ca.usecases.statements import Stated, Statements

_ENDED = RevocationReason.CESSATION_OF_OPERATION
_HOLDING = frozenset({CertificateStatus.ACTIVE})
_STOPPABLE = frozenset({CertificateStatus.ACTIVE, CertificateStatus.ON_HOLD})


@dataclass(frozen=True)
class ActByKey:
    """What whoever has U-Shield and certificate password may do."""

    unit_of_work: UnitOfWork
    clock: Clock
    statements: Statements
    sign_in: PortalSignIn
    publish_changes: Callable[[str], None]
    open_receipt: OpenReceipt
    notify: Notify

    def open_session(self, stated: Stated, *, source: str) -> tuple[str, Customer]:
        """A session's token. Raises NotAuthenticated, without saying what was wrong."""
        self.statements.take(ToolOperation.SIGN_IN, stated)
        with self.unit_of_work() as work:
            certificate = self.statements.proved(work, ToolOperation.SIGN_IN, stated, _HOLDING)
            customer = work.customers.get(certificate.customer)
            token = self.sign_in.begin(work, customer, source=source, by=serial_text(certificate.serial))
            work.commit()
        return token, customer

    def cancel(self, stated: Stated, serial: int) -> Certificate:
        """Revoke at once; from hold too. Raises NotAuthenticated, InvalidRequest when another one was shown."""
        self.statements.take(ToolOperation.CANCEL, stated)
        now = self.clock.now()
        with self.unit_of_work() as work:
            certificate = self.statements.proved(work, ToolOperation.CANCEL, stated, _STOPPABLE)
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
        self.notify(customer, revoked, Notice.ENDED_BY_KEY)
        return revoked
