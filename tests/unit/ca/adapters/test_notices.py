"""ca/adapters/notices.py: a customer is told in words, without a link, and trouble with mail stops nothing."""

import email
import logging
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from ca.adapters.notices import NoticesByMail, Outbox
from tests.builders import a_certificate, a_customer
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def notices(send) -> NoticesByMail:
    return NoticesByMail(send, FakeClock(NOW), sender="ca@bank.example", organization="Fake Bank", hotline="95588")


def test_a_notice_names_the_certificate_and_the_hotline_and_has_no_link(tmp_path: Path) -> None:
    notify = notices(Outbox(tmp_path / "outbox"))
    notify(a_customer(email="li@example.com"), a_certificate(serial=0xABCDEF123456), "It is on hold.")
    notify.close()

    (file,) = (tmp_path / "outbox").iterdir()
    message = email.message_from_bytes(file.read_bytes())
    text = str(message.get_payload())
    assert (message["To"], message["From"]) == ("li@example.com", "ca@bank.example")
    assert "123456: It is on hold." in text
    assert "95588" in text
    assert "http" not in text
    assert file.stat().st_mode & 0o077 == 0


def test_whoever_has_no_address_is_not_written_to(tmp_path: Path) -> None:
    notify = notices(Outbox(tmp_path / "outbox"))
    notify(a_customer(email=""), a_certificate(), "It is on hold.")
    notify.close()

    assert not (tmp_path / "outbox").exists()


def test_a_mail_server_that_fails_is_logged_and_the_next_notice_goes(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[EmailMessage] = []

    def send(message: EmailMessage) -> None:
        if not sent:
            sent.append(message)
            raise OSError("connection refused")
        sent.append(message)

    notify = notices(send)
    with caplog.at_level(logging.WARNING):
        notify(a_customer(email="li@example.com"), a_certificate(), "first")
        notify(a_customer(email="li@example.com"), a_certificate(), "second")
        notify.close()

    assert len(sent) == 2
    assert "connection refused" in caplog.text
    assert "li@example.com" not in caplog.text
