"""Who looked at a customer's data (personal data belongs to the customer, who sees each look in the own history)."""

from dataclasses import dataclass
from datetime import timedelta

from ca.domain.audit import AuditEvent
from ca.ports import Clock, UnitOfWork
from ca.usecases.authorize import Authorize

LOOKED = "customer.looked-at"
ONE_LOOK = timedelta(minutes=10)
"""Pages that an officer opens one after the other while the customer waits are one look."""


@dataclass(frozen=True)
class NoteLook:
    """The console says so before it shows a page: no look without a trace."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize

    def __call__(self, session: str, customer_id: str, page: str) -> None:
        """Raises NotAuthenticated, NotFound."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize.who(work, session)
            customer = work.customers.get(customer_id)
            last = work.audit.find_last(LOOKED, customer.id, now)
            if last is None or last.event.actor != officer.person or now - last.event.at > ONE_LOOK:
                work.audit.append(AuditEvent(LOOKED, customer.id, officer.person, now, {"page": page}))
            work.commit()
