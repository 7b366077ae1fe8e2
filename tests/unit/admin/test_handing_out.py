"""The console hands out codes: a receipt on the page, the authorization code in a letter or past the officer."""

import sqlite3
from contextlib import closing

import pytest

from admin.paper import qr_code
from ca.adapters.db.rows import db
from tests.fakes.letters import code_in, letter_in


def test_the_codes_are_on_one_page_that_is_not_stored(at, signer):
    response = at("maker").post("/admin/cases/application-approved/codes")

    page = response.get_data(as_text=True)
    assert response.headers["Cache-Control"] == "no-store"
    assert "4711081521" in page
    assert "7KQM" not in page
    assert code_in(letter_in(page)) == "7KQM-3F9X-2TBB"
    assert "7KQM" not in at("maker").text("/admin/applications/details/?id=application-approved")


def test_the_letter_has_the_whole_command_and_what_to_compare_the_root_with(at):
    page = at("maker").post("/admin/cases/application-approved/codes").get_data(as_text=True)

    command = "ushield download --server https://enrol.bank.example --reference 4711081521 --ca-file root.pem"
    assert command in page
    assert " ".join(["abab"] * 16) in page


def test_the_receipt_has_who_and_until_when_and_a_way_to_the_download_page(at):
    page = at("maker").post("/admin/cases/application-approved/codes").get_data(as_text=True)

    receipt = page.partition("<main")[2]
    for told in ("Zhang Wei", "Pudong", "Maria Lin", "30 Nov 2026"):
        assert told in receipt
    assert f'<path d="{qr_code("https://enrol.bank.example/download#4711081521").path}"' in receipt


def test_a_message_takes_the_code_past_the_officer(at, signer):
    choice = at("maker").text("/admin/applications/details/?id=application-approved")
    page = at("maker").post("/admin/cases/application-approved/codes", {"by": "message"}).get_data(as_text=True)

    assert 'value="message"' in choice
    assert "went to z•••@example.com" in page
    assert "data:application/pdf" not in page
    assert [asked.by for asked in signer.commands()] == ["message"]


@pytest.fixture
def unreachable(app):
    """The customer of the approved application has neither e-mail nor phone."""
    with app.app_context():
        database = db.engine.url.database
    with closing(sqlite3.connect(database)) as connection:
        (email,) = connection.execute("SELECT email FROM customers WHERE id = 'customer-1'").fetchone()
        for address in ("", email):
            with connection:
                connection.execute("UPDATE customers SET email = ? WHERE id = 'customer-1'", [address])
            if not address:
                yield


def test_a_customer_without_an_address_gets_a_letter(at, unreachable):
    assert 'value="message"' not in at("maker").text("/admin/applications/details/?id=application-approved")


def test_codes_are_never_handed_out_by_looking(at, signer):
    assert at("maker").get("/admin/cases/application-approved/codes").status_code == 405
    assert signer.commands() == []
