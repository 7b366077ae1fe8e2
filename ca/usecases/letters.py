"""The branch hands a customer the one-time letter that opens their account on the portal, or opens it anew."""

from dataclasses import dataclass
from datetime import datetime

from ca.domain.accounts import Account
from ca.domain.audit import AuditEvent
from ca.domain.codes import new_authorization_code
from ca.domain.errors import NotFound
from ca.domain.officers import TrustedRole
from ca.ports import Clock, Random, Seals, UnitOfWork
from ca.usecases.authorize import Authorize, require_branch
from ca.usecases.portal_sessions import LETTER_SEAL, AccountBook, letter_message


@dataclass(frozen=True)
class Letter:
    """Exists on one printed page, once."""

    number: str
    code: str
    expires_at: datetime


@dataclass(frozen=True)
class HandOutLetter:
    """An officer of the customer's branch, to the customer at the counter."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authorize: Authorize
    accounts: AccountBook

    def __call__(self, session: str, number: str) -> Letter:
        """The letter before it is void; the password in use stays until the new one is set. Raises NotFound."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_OPERATOR, TrustedRole.RA_SUPERVISOR)
            customer = work.customers.find_by_number(number)
            if customer is None:
                raise NotFound("there is no such customer at your branch")
            require_branch(officer, customer.branch, "customer")
            account = self.accounts.find(work, customer.id) or Account(customer.id, 0)
            code = new_authorization_code(self.random)
            expires_at = now + self.authorize.policy().letter_life
            mac = self.seals.seal(LETTER_SEAL, letter_message(customer.id, code))
            self.accounts.save(work, account.with_letter(mac, expires_at=expires_at))
            work.audit.append(AuditEvent("account.letter-handed-out", customer.id, officer.person, now))
            work.commit()
        return Letter(customer.number, code, expires_at)
