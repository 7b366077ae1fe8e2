"""Notices to customers by e-mail (RFC 5322): written into the outbox by the signer, which has no network.

`./pki notices send` gives them to the bank's mail server. A notice follows what it tells of and never holds it up:
trouble is logged, and whoever wants to be sure looks into the history on the portal. It names the certificate by the
last digits of its serial number and carries no link: customers are told that the bank's mails have none.
"""

import logging
import secrets
import smtplib
import ssl
from dataclasses import dataclass
from email import message_from_bytes, policy
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


class Outbox:
    """portal_records.Notify: one file a message, for its owner alone."""

    def __init__(self, directory: Path, clock: Clock, *, sender: str, organization: str, hotline: str) -> None:
        self._directory, self._clock = directory, clock
        self._sender, self._organization, self._hotline = sender, organization, hotline

    def __call__(self, customer: Customer, certificate: Certificate, what: str) -> None:
        if not customer.email:
            return
        number = secrets.token_hex(16)
        try:
            message = self._message(customer, certificate, what, number)
            # Closed, whatever the umask: addresses of customers are in there.
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._directory / f"{number}.eml", bytes(message), mode=0o600)
        except (OSError, ValueError) as error:
            _log.warning("a notice to a customer could not be written: %s", error)

    def _message(self, customer: Customer, certificate: Certificate, what: str, number: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._sender, customer.email
        message["Subject"] = f"{self._organization}: your certificate"
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{number}@{self._sender.rpartition('@')[2]}>"
        message.set_content(
            f"Your certificate ending in {serial_text(certificate.serial)[-6:]}: {what}\n\n"
            f"If this was not you, call the hotline at once: {self._hotline}.\n"
            "This message has no link; we never send one. Type the bank's address yourself.\n"
        )
        return message


@dataclass(frozen=True)
class MailServer:
    """The bank's (RFC 5321), by STARTTLS (RFC 3207) unless it is on this machine."""

    host: str
    port: int
    ca_file: str = ""

    def send_all(self, outbox: Path) -> int:
        """How many were taken; each is removed once it was. Raises OSError, smtplib.SMTPException."""
        files = sorted(outbox.glob("*.eml"))
        if not files:
            return 0
        with smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS) as server:
            if self.ca_file:
                server.starttls(context=ssl.create_default_context(cafile=self.ca_file))
            for file in files:
                server.send_message(message_from_bytes(file.read_bytes(), policy=policy.default))
                file.unlink()
        return len(files)
