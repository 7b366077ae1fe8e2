"""Notices to customers by e-mail: written to a directory, or given to the bank's mail server (RFC 5321).

A notice follows what it tells of and never holds it up: trouble is logged, and whoever wants to be sure looks into the
history on the portal. It names the certificate by the last octets of its serial number and carries no link: customers
are told that the bank's mails have none.
"""

import logging
import secrets
import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from ca.adapters.files import write_atomically
from ca.domain.certificates import Certificate
from ca.domain.customers import Customer
from ca.domain.serials import serial_text
from ca.ports import Clock

_log = logging.getLogger("vermilion.notices")
_TIMEOUT_SECONDS = 20.0

Send = Callable[[EmailMessage], None]


class NoticesByMail:
    """usecases.own_certificates.Notify."""

    def __init__(self, send: Send, clock: Clock, *, sender: str, organization: str, hotline: str) -> None:
        self._send, self._clock = send, clock
        self._sender, self._organization, self._hotline = sender, organization, hotline
        self._behind = ThreadPoolExecutor(1, thread_name_prefix="notices")

    def __call__(self, customer: Customer, certificate: Certificate, what: str) -> None:
        if customer.email:
            self._behind.submit(self._deliver, self._message(customer, certificate, what))

    def close(self) -> None:
        """What was handed over is delivered first."""
        self._behind.shutdown(wait=True)

    def _message(self, customer: Customer, certificate: Certificate, what: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._sender, customer.email
        message["Subject"] = f"{self._organization}: your certificate"
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{secrets.token_hex(16)}@{self._sender.rpartition('@')[2]}>"
        message.set_content(
            f"Your certificate ending in {serial_text(certificate.serial)[-6:]}: {what}\n\n"
            f"If this was not you, call the hotline at once: {self._hotline}.\n"
            "This message has no link; we never send one. Type the bank's address yourself.\n"
        )
        return message

    def _deliver(self, message: EmailMessage) -> None:
        try:
            self._send(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            _log.warning("a notice to a customer could not be sent: %s", error)


@dataclass(frozen=True)
class Outbox:
    """A directory of messages, for a demo or for another program that fetches them."""

    directory: Path

    def __call__(self, message: EmailMessage) -> None:
        write_atomically(self.directory / f"{secrets.token_hex(16)}.eml", bytes(message), mode=0o600)


@dataclass(frozen=True)
class MailServer:
    """The bank's, by STARTTLS (RFC 3207) or on this machine."""

    host: str
    port: int
    ca_file: str = ""

    def __call__(self, message: EmailMessage) -> None:
        with smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS) as server:
            if self.ca_file:
                server.starttls(context=ssl.create_default_context(cafile=self.ca_file))
            server.send_message(message)
