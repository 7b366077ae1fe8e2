"""Notices to customers, written into the outbox by the signer, which has no network.

An e-mail is a file `*.eml` (RFC 5322), which `./pki notices send` gives to the bank's mail server. A text message is a
file in `sms/` as the SMS Server Tools and gateways like them read it: `To`, the alphabet, an empty line, the text.
"""

import secrets
import smtplib
import ssl
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from ca.adapters.files import write_atomically
from ca.domain.notices import Message, Way
from ca.ports import Clock

_TIMEOUT_SECONDS = 20.0


class Outbox:
    """One file a message, for its owner alone."""

    def __init__(self, directory: Path, clock: Clock, *, sender: str) -> None:
        self._directory, self._clock, self._sender = directory, clock, sender

    def __call__(self, message: Message) -> None:
        """Raises OSError; ValueError for an address that is none."""
        number = secrets.token_hex(16)
        if message.way is Way.SMS:
            place, content = self._directory / "sms" / number, self._sms(message)
        else:
            place, content = self._directory / f"{number}.eml", bytes(self._mail(message, number))
        # Closed, whatever the umask: addresses of customers are in there.
        for directory in (self._directory, place.parent):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(place, content, mode=0o600)

    def _mail(self, message: Message, number: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._sender, message.to
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{number}@{self._sender.rpartition('@')[2]}>"
        mail.set_content(message.text)
        return mail

    def _sms(self, message: Message) -> bytes:
        return f"To: {message.to.removeprefix('+')}\nAlphabet: UTF-8\n\n{message.text}\n".encode()


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
