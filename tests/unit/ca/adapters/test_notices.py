"""ca/adapters/notices.py: a customer is told in words, without a link, and trouble with mail stops nothing."""

import email
import logging
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
from tests.builders import a_certificate, a_customer
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def outbox(directory: Path) -> Outbox:
    return Outbox(directory, FakeClock(NOW), sender="ca@bank.example", organization="Fake Bank", hotline="95588")


def test_a_notice_names_the_certificate_and_the_hotline_and_has_no_link(tmp_path: Path) -> None:
    notify, before = outbox(tmp_path / "outbox"), os.umask(0)
    try:
        notify(a_customer(email="li@example.com"), a_certificate(serial=0xABCDEF123456), "It is on hold.")
    finally:
        os.umask(before)

    (file,) = (tmp_path / "outbox").iterdir()
    message = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    text = message.get_content()
    assert (message["To"], message["From"]) == ("li@example.com", "ca@bank.example")
    assert "123456: It is on hold." in text
    assert "95588" in text
    assert "http" not in text
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_whoever_has_no_address_is_not_written_to(tmp_path: Path) -> None:
    outbox(tmp_path / "outbox")(a_customer(email=""), a_certificate(), "It is on hold.")

    assert not (tmp_path / "outbox").exists()


def test_an_outbox_that_cannot_be_written_is_logged_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "outbox").write_text("")
    with caplog.at_level(logging.WARNING):
        outbox(tmp_path / "outbox")(a_customer(email="li@example.com"), a_certificate(), "It is on hold.")

    assert "could not be written" in caplog.text
    assert "li@example.com" not in caplog.text


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
    notify = outbox(tmp_path)
    for what in ("first", "second", "third"):
        notify(a_customer(email="li@example.com"), a_certificate(), what)
    host, port = mail_server.server_address[:2]

    with pytest.raises(smtplib.SMTPException):
        MailServer(str(host), int(port)).send_all(tmp_path)

    assert len(list(tmp_path.iterdir())) == 2
    assert len(mail_server.messages) == 1  # type: ignore[attr-defined]


def test_an_empty_outbox_needs_no_mail_server(tmp_path: Path) -> None:
    assert MailServer("192.0.2.1", 25).send_all(tmp_path) == 0
