"""A customer is told what happened to their certificate, in their language and by the way they chose."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ca.domain.accounts import Account
from ca.domain.certificates import Certificate
from ca.domain.customers import Customer
from ca.domain.errors import InvalidRequest, NotReady, PKIError
from ca.domain.notices import Message, Notice, Way, code_messages, masked, messages
from ca.domain.serials import serial_text
from ca.ports import UnitOfWork, Work
from ca.usecases.portal_sessions import AccountBook

_log = logging.getLogger("vermilion.notices")


@dataclass(frozen=True)
class NotifyCustomer:
    """portal_records.Notify. It follows what it tells of and never holds it up."""

    unit_of_work: UnitOfWork
    accounts: AccountBook
    post: Callable[[Message], None]
    bank: str
    hotline: str

    def __call__(self, customer: Customer, certificate: Certificate, notice: Notice, **fields: str) -> None:
        """Trouble is logged; whoever wants to be sure looks into the history on the portal."""
        account = self._account(customer)
        for message in messages(
            notice,
            fields,
            serial=serial_text(certificate.serial),
            bank=self.bank,
            hotline=self.hotline,
            language=account.language,
            channel=account.channel,
            addresses={Way.EMAIL: customer.email, Way.SMS: customer.phone},
        ):
            try:
                self.post(message)
            except (OSError, ValueError) as error:
                _log.warning("a notice to a customer could not be written: %s", error)

    def _account(self, customer: Customer) -> Account:
        """As chosen; as it is for everybody when the account is not there or cannot be believed."""
        try:
            with self.unit_of_work.look() as work:
                found = self.accounts.find(work, customer.id)
        except PKIError as error:
            _log.warning("the choices of a customer could not be read: %s", error)
            found = None
        return found or Account(customer.id, 0)


@dataclass(frozen=True)
class SendCode:
    """An authorization code goes to the customer, past the officer who hands out the reference number."""

    accounts: AccountBook
    post: Callable[[Message], None]
    bank: str
    hotline: str

    def __call__(self, work: Work, customer: Customer, code: str, expires_at: datetime) -> list[str]:
        """Where it went, masked. Raises InvalidRequest without an address, NotReady when it could not be written."""
        account = self.accounts.find(work, customer.id) or Account(customer.id, 0)
        written = code_messages(
            code,
            expires_at,
            bank=self.bank,
            hotline=self.hotline,
            language=account.language,
            channel=account.channel,
            addresses={Way.EMAIL: customer.email, Way.SMS: customer.phone},
        )
        if not written:
            raise InvalidRequest("no e-mail or phone was approved with this application; hand out a letter")
        try:
            for message in written:
                self.post(message)
        except (OSError, ValueError) as error:
            # `error` may name the file, never the code.
            raise NotReady("the message could not be written, and no code was handed out; hand out a letter") from error
        return [masked(message) for message in written]
