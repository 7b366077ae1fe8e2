"""Customers are told in their language, by the way they chose, and never not at all."""

import logging
import re

import pytest

from ca.domain.accounts import Account, Channel, Language
from ca.domain.customers import Customer
from ca.domain.notices import Message, Notice, Way
from ca.usecases.notices import NotifyCustomer
from ca.usecases.portal_sessions import ACCOUNT_SEAL, AccountBook
from tests.builders import a_certificate, a_customer
from tests.fakes.bank import Bank

MAIL, PHONE = "li@example.com", "+8613800138000"


@pytest.fixture
def posted() -> list[Message]:
    return []


@pytest.fixture
def notify(bank: Bank, posted: list[Message]) -> NotifyCustomer:
    return NotifyCustomer(bank.unit_of_work, AccountBook(bank.seals), posted.append, "Fake Bank", "95588")


def choose(bank: Bank, customer: Customer, language: Language, channel: Channel) -> None:
    account = Account(customer.id, 1, language=language, channel=channel)
    bank.stored.accounts[customer.id] = account, bank.seals.seal(ACCOUNT_SEAL, account.sealed_fields())


def test_a_notice_names_the_certificate_and_the_hotline_and_has_no_link(
    notify: NotifyCustomer, posted: list[Message]
) -> None:
    notify(a_customer(email=MAIL), a_certificate(serial=0xABCDEF123456), Notice.LOST)

    (message,) = posted
    assert (message.way, message.to) == (Way.EMAIL, MAIL)
    assert "123456: It is on hold" in message.text
    assert "95588" in message.text
    assert "http" not in message.text


@pytest.mark.parametrize(
    ("channel", "email", "phone", "ways"),
    [
        (Channel.BOTH, MAIL, PHONE, [Way.EMAIL, Way.SMS]),
        (Channel.EMAIL, MAIL, PHONE, [Way.EMAIL]),
        (Channel.SMS, MAIL, PHONE, [Way.SMS]),
        (Channel.SMS, MAIL, "", [Way.EMAIL]),
        (Channel.EMAIL, "", PHONE, [Way.SMS]),
        (Channel.BOTH, "", "", []),
    ],
)
def test_it_goes_the_chosen_way_or_the_one_there_is(
    bank: Bank, notify: NotifyCustomer, posted: list[Message], channel: Channel, email: str, phone: str, ways: list[Way]
) -> None:
    customer = a_customer(email=email, phone=phone)
    choose(bank, customer, Language.ENGLISH, channel)

    notify(customer, a_certificate(), Notice.REVOKED)

    assert [message.way for message in posted] == ways


def test_it_is_in_the_language_of_the_account(bank: Bank, notify: NotifyCustomer, posted: list[Message]) -> None:
    customer = a_customer(email=MAIL, phone=PHONE)
    choose(bank, customer, Language.CHINESE, Channel.BOTH)

    notify(customer, a_certificate(), Notice.COMPANY_APPLIED, name="Li {x}")

    for message in posted:
        assert "已用它为Li {x}申请证书" in message.text
        assert "95588" in message.text


def test_an_account_that_somebody_edited_chooses_nothing(
    bank: Bank, notify: NotifyCustomer, posted: list[Message], caplog: pytest.LogCaptureFixture
) -> None:
    customer = a_customer(email=MAIL, phone=PHONE)
    bank.stored.accounts[customer.id] = Account(customer.id, 1, channel=Channel.EMAIL), b"forged"

    with caplog.at_level(logging.WARNING):
        notify(customer, a_certificate(), Notice.REVOKED)

    assert {message.way for message in posted} == {Way.EMAIL, Way.SMS}
    assert "could not be read" in caplog.text


def test_trouble_with_one_way_is_logged_and_stops_neither_the_other_nor_anything_else(
    bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    went: list[Message] = []

    def post(message: Message) -> None:
        if message.way is Way.EMAIL:
            raise OSError("no room")
        went.append(message)

    notify = NotifyCustomer(bank.unit_of_work, AccountBook(bank.seals), post, "Fake Bank", "95588")
    with caplog.at_level(logging.WARNING):
        notify(a_customer(email=MAIL, phone=PHONE), a_certificate(), Notice.ACTIVE)

    assert [message.way for message in went] == [Way.SMS]
    assert "could not be written" in caplog.text
    assert MAIL not in caplog.text


@pytest.mark.parametrize("notice", list(Notice), ids=lambda notice: notice.name)
def test_both_languages_fill_in_the_same(notice: Notice) -> None:
    english, chinese = notice.value

    assert re.findall(r"{\w*}", english) == re.findall(r"{\w*}", chinese)
