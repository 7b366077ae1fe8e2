"""ca/adapters/notices.py: a customer is told in words, without a link, and trouble with mail stops nothing."""

import email
import os
import smtplib
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from pathlib import Path

import pytest

from ca.adapters.notices import MailServer, Outbox
from ca.domain.notices import Message, Way
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def outbox(directory: Path) -> Outbox:
    return Outbox(directory, FakeClock(NOW), sender="ca@bank.example")


def mail(text: str = "It is on hold.", to: str = "li@example.com") -> Message:
    return Message(Way.EMAIL, to, "Fake Bank: your certificate", text)


def test_a_mail_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    post, before = outbox(tmp_path / "outbox"), os.umask(0)
    try:
        post(mail("您的证书已暂停。"))
    finally:
        os.umask(before)

    (file,) = (tmp_path / "outbox").iterdir()
    message = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (message["To"], message["From"]) == ("li@example.com", "ca@bank.example")
    assert "您的证书已暂停。" in message.get_content()
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_text_message_is_a_file_for_the_gateway(tmp_path: Path) -> None:
    outbox(tmp_path)(Message(Way.SMS, "+8613800138000", "not in a text message", "银行已将其暂停。"))

    (file,) = (tmp_path / "sms").iterdir()
    assert file.read_text("utf-8") == "To: 8613800138000\nAlphabet: UTF-8\n\n银行已将其暂停。\n"
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_line_break_in_an_address_makes_no_second_header(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"linefeed|header"):
        outbox(tmp_path)(mail(to="li@example.com\nBcc: all@example.com"))


class _Session(socketserver.StreamRequestHandler):
    """A mail server of a few words; the second message of a connection is refused."""

    def handle(self) -> None:
        taken = 0
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().strip():
            if line.upper() == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part)
                self.server.messages.append(b"".join(lines))  # type: ignore[attr-defined]
                taken += 1
                self.wfile.write(b"250 taken\r\n")
            elif line.upper() == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            elif line.upper().startswith(b"MAIL") and taken:
                self.wfile.write(b"451 later\r\n")
            else:
                self.wfile.write(b"250 fine\r\n")


@pytest.fixture
def mail_server() -> Iterator[socketserver.TCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.messages = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.socket
def test_what_the_mail_server_took_is_gone_and_the_rest_stays(
    tmp_path: Path, mail_server: socketserver.TCPServer
) -> None:
    for what in ("first", "second", "third"):
        outbox(tmp_path)(mail(what))
    host, port = mail_server.server_address[:2]

    with pytest.raises(smtplib.SMTPException):
        MailServer(str(host), int(port)).send_all(tmp_path)

    assert len(list(tmp_path.iterdir())) == 2
    assert len(mail_server.messages) == 1  # type: ignore[attr-defined]


def test_an_empty_outbox_needs_no_mail_server(tmp_path: Path) -> None:
    assert MailServer("192.0.2.1", 25).send_all(tmp_path) == 0
