"""Who looked at a customer's data (personal data belongs to the customer, who sees each look in the own history)."""

from dataclasses import dataclass
from datetime import timedelta

from ca.domain.audit import AuditEvent
from ca.ports import Clock, UnitOfWork
from ca.usecases.authorize import Authorize

LOOKED, EXPORTED = "customer.looked-at", "customers.exported"
ONE_LOOK = timedelta(minutes=10)
"""Pages that an officer opens one after the other while the customer waits are one look."""


@dataclass(frozen=True)
class NoteLook:
    """The console says so before it shows a page, or gives out a sheet of many customers: no look without a trace."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize

    def __call__(self, session: str, customer_id: str, page: str) -> None:
        """Without a customer it is a sheet of many. Raises NotAuthenticated, NotFound."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize.who(work, session)
            if not customer_id:
                work.audit.append(AuditEvent(EXPORTED, page, officer.person, now))
                work.commit()
                return
            customer = work.customers.get(customer_id)
            last = work.audit.find_last(LOOKED, customer.id, now)
            if last is None or last.event.actor != officer.person or now - last.event.at > ONE_LOOK:
                work.audit.append(AuditEvent(LOOKED, customer.id, officer.person, now, {"page": page}))
            work.commit()
