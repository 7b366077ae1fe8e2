"""The console in a real browser with a virtual authenticator: invitation, passkey, sign-in, approval."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ca.domain.applications import ApplicationState
from tests.browser.accessibility import require_accessible
from tests.browser.chromium import chromium, new_tab
from tests.browser.computer import picture
from tests.browser.served_console import served
from tests.fakes.console import ACTIVE, HELD, fill
from tests.fakes.console_signer import FakeSigner
from tests.fakes.letters import code_in

pytestmark = [pytest.mark.browser, pytest.mark.socket]

WHOLE = "one-time_code.7K3M-9QWX-2FH3"


@pytest.fixture
def signer(tmp_path):
    signer = FakeSigner(database=tmp_path / "console.sqlite3")
    fill(signer.database, signer)
    signer.invitations["invitation-2"] = {
        "person": "E-approver", "name": "Pavel Chen", "branch": "Pudong", "roles": ["ra-approver"],
        "code": "one-time_code.7K3M-9QWX-2FH3", "state": "open", "officer": "approver",
    }  # fmt: skip
    signer.invitations["invitation-3"] = {
        "person": "E-supervisor", "name": "Sun Li", "branch": "Pudong", "roles": ["ra-supervisor"],
        "code": "one-time_code.7K3M-9QWX-2FH3", "state": "open", "officer": "supervisor",
    }  # fmt: skip
    return signer


@pytest.fixture
def address(signer):
    """The console on plain http://localhost, as in a demo."""
    with served(signer) as url:
        yield url


@pytest.fixture
def tab():
    """A tab of Chromium whose machine has a fingerprint reader; script errors and CSP violations fail the test."""
    with chromium() as browser:
        tab = new_tab(browser)
        complaints = []
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("console", lambda message: complaints.append(message.text) if "policy" in message.text.lower() else None)
        yield tab
    assert complaints == []


def _become_approver(tab, address, invitation="invitation-2"):
    tab.goto(f"{address}/admin/invitation/{invitation}#{WHOLE}")
    tab.get_by_role("button", name="Make my passkey").click()
    tab.get_by_role("button", name="Sign in with your passkey").click()
    expect(tab.get_by_role("heading", name="Work", exact=True)).to_be_visible()


def test_a_passkey_button_waits_for_the_script_that_answers_for_it(tab, address):
    held = []

    def hold(route):
        held.append(route)

    tab.route("**/console.js", hold)
    with tab.expect_request("**/console.js"):
        tab.goto(f"{address}/admin/sign-in", wait_until="commit")
    button = tab.get_by_role("button", name="Sign in with your passkey")

    expect(button).to_be_disabled()
    held[0].continue_()

    expect(button).to_be_enabled()
    expect(tab.locator("[data-passkey-error]")).to_be_hidden()


def test_an_invited_officer_makes_a_passkey_signs_in_and_approves(tab, address, signer):
    _become_approver(tab, address)

    tab.locator(".queue a").first.click()
    tab.get_by_role("button", name="Approve and seal with passkey").click()

    expect(tab.locator(".standing")).to_contain_text("approved")
    assert signer.cases["application-1"].state is ApplicationState.APPROVED


def test_a_batch_is_approved_by_one_signature(tab, address, signer):
    _become_approver(tab, address)

    tab.goto(f"{address}/admin/batches/batch-1")
    require_accessible(tab)
    picture(tab, "console-batch")
    tab.get_by_role("button", name="Approve 2 and seal with passkey").click()

    expect(tab.get_by_text("2 of 2").nth(1)).to_be_visible()
    assert signer.cases["application-unusual"].state is ApplicationState.APPROVED


def test_a_supervisor_approves_an_unlock_with_a_passkey_and_sees_one_half_of_the_code(tab, address):
    _become_approver(tab, address, "invitation-3")

    tab.goto(f"{address}/admin/unlocks/1000000005")
    expect(tab.get_by_text("ID card seen")).to_be_visible()
    picture(tab, "console-unlock-1-case")
    tab.get_by_role("button", name="Approve and seal with passkey").click()

    expect(tab.locator("[data-code=half]")).to_have_text("WX2FHE")
    picture(tab, "console-unlock-2-half")
    tab.goto(f"{address}/admin/u-shields/US-1/prepare")
    picture(tab, "console-unlock-3-prepare")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_receipt_is_on_the_page_and_the_code_in_the_letter_that_it_carries(tab, address, width, scheme):
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=scheme)
    _become_approver(tab, address)
    tab.goto(f"{address}/admin/applications/details/?id=application-approved")
    require_accessible(tab)
    picture(tab, f"console-codes-1-choice-{scheme}")
    tab.get_by_label("Sealed letter (PDF)").check()
    tab.get_by_role("button", name="Hand out the two codes").click()

    expect(tab.locator("[data-code=reference]")).to_have_text("4711081521")
    expect(tab.get_by_role("img", name="QR code")).to_be_visible()
    assert "7KQM" not in tab.locator("main").inner_text()
    with tab.expect_download() as coming:
        tab.get_by_role("link", name="Save the sealed letter (PDF)").click()
    assert code_in(Path(coming.value.path()).read_bytes()) == "7KQM-3F9X-2TBB"
    require_accessible(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    picture(tab, f"console-codes-2-receipt-{scheme}")
    tab.emulate_media(media="print")
    expect(tab.locator("[data-letter]")).to_be_hidden()
    picture(tab, f"console-codes-3-print-{scheme}")


def test_a_code_sent_to_the_customer_is_nowhere_on_the_page(tab, address):
    _become_approver(tab, address)
    tab.goto(f"{address}/admin/applications/details/?id=application-approved")
    tab.get_by_label("Message to the customer").check()
    tab.get_by_role("button", name="Hand out the two codes").click()

    expect(tab.get_by_role("status")).to_contain_text("went to z•••@example.com")
    expect(tab.locator("[data-letter]")).to_have_count(0)
    require_accessible(tab)
    picture(tab, "console-codes-4-message")


def test_the_letter_for_the_portal_is_a_sheet_that_the_page_carries(tab, address):
    _become_approver(tab, address, "invitation-3")
    tab.goto(f"{address}/admin/customers/details/?id=customer-1")
    tab.get_by_role("button", name="Letter for the portal").click()

    with tab.expect_download() as coming:
        tab.get_by_role("link", name="Save the sealed letter (PDF)").click()
    assert code_in(Path(coming.value.path()).read_bytes()) == "7KQM-3F9X-2TBB"
    require_accessible(tab)
    picture(tab, "console-letter")


def test_the_invitation_shows_who_is_invited_and_hides_its_code(tab, address):
    tab.goto(f"{address}/admin/invitation/invitation-2#{WHOLE}")

    expect(tab.locator("[data-field=name]")).to_have_text("Pavel Chen")
    expect(tab.locator("[data-field=roles]")).to_have_text("ra-approver")
    assert tab.url == f"{address}/admin/invitation/invitation-2"


def test_a_link_that_is_one_half_opens_with_the_other(tab, address):
    tab.goto(f"{address}/admin/invitation/invitation-2#one-time_code")
    button = tab.get_by_role("button", name="Open the invitation")
    expect(tab.get_by_role("button", name="Make my passkey")).to_be_hidden()
    tab.get_by_label("The other half").fill("0000-0000-0000")
    button.click()
    expect(tab.get_by_role("alert")).to_contain_text("There is no such invitation.")

    tab.get_by_label("The other half").fill("7K3M-9QWX-2FH3")
    button.click()

    expect(tab.locator("[data-field=name]")).to_have_text("Pavel Chen")
    expect(tab.get_by_role("alert")).to_be_hidden()
    assert tab.url == f"{address}/admin/invitation/invitation-2"
    tab.get_by_role("button", name="Make my passkey").click()
    expect(tab.get_by_role("button", name="Sign in with your passkey")).to_be_visible()


def test_a_used_invitation_says_so(tab, address, signer):
    signer.invitations["invitation-2"]["state"] = "redeemed"

    tab.goto(f"{address}/admin/invitation/invitation-2#{WHOLE}")

    expect(tab.get_by_role("alert")).to_contain_text("used already or is out of date")
    expect(tab.get_by_role("button", name="Make my passkey")).to_be_hidden()


def test_a_passkey_nobody_knows_signs_nobody_in(tab, address, signer):
    _become_approver(tab, address)
    signer.passkeys.clear()
    tab.get_by_role("button", name="Sign out").click()

    tab.get_by_role("button", name="Sign in with your passkey").click()

    expect(tab.get_by_role("alert").first).to_contain_text("This passkey did not sign you in; try again.")


def test_signing_out_ends_the_session(tab, address, signer):
    _become_approver(tab, address)

    tab.get_by_role("button", name="Sign out").click()

    expect(tab.get_by_role("button", name="Sign in with your passkey")).to_be_visible()
    assert tab.context.cookies() == [] or all(cookie["name"] != "vermilion_officer" for cookie in tab.context.cookies())
    assert signer.sessions == {}


def test_rejecting_needs_a_reason(tab, address, signer):
    _become_approver(tab, address)
    tab.goto(f"{address}/admin/cases/application-1")

    tab.get_by_text("Return or reject…").click()
    tab.get_by_label("Reason").fill("document number differs")
    tab.get_by_role("button", name="Reject this application").click()

    expect(tab.get_by_text("document number differs").first).to_be_visible()
    assert signer.cases["application-1"].state is ApplicationState.REJECTED


def test_hostile_names_do_not_run(tab, address):
    dialogs = []
    tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    _become_approver(tab, address)

    tab.goto(f"{address}/admin/cases/application-hostile")

    expect(tab.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")
    assert dialogs == []


CHANGES = [*(f"certificates/{ACTIVE}/{act}" for act in ("hold", "revoke")), f"certificates/{HELD}/release"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark")])  # test_console_pages.py has every page in every form
def test_every_page_is_accessible_and_none_scrolls_sideways(tab, address, signer, width, scheme):
    with closing(sqlite3.connect(signer.database)) as connection, connection:
        connection.execute("UPDATE certificates SET subject = 'CN=' || ?", ["w" * 80])
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)
    _become_approver(tab, address)

    wide = []
    rooms = (
        "",
        "search?q=",
        "search?q=Pudong",
        "applications/",
        "certificates/",
        "customers/",
        "u-shields/",
        "cases/application-hostile",
    )
    rows = (f"certificates/details/?id={ACTIVE}", "applications/details/?id=application-hostile")
    for path in (*rooms, *rows, *CHANGES):
        tab.goto(f"{address}/admin/{path}")
        require_accessible(tab)
        wide += [path] * (tab.evaluate("document.documentElement.scrollWidth") > width)

    assert wide == []


def test_a_slash_and_a_name_open_the_customers_page(tab, address):
    _become_approver(tab, address)
    tab.wait_for_load_state("load")
    tab.keyboard.press("/")
    tab.keyboard.type("zhang wei")
    tab.keyboard.press("Enter")

    expect(tab.get_by_role("heading", name="Zhang Wei", exact=True)).to_be_visible()
    if directory := os.environ.get("SCREENSHOTS"):
        tab.goto(f"{address}/admin/search?q=Pudong")
        tab.screenshot(path=f"{directory}/console-search.png", full_page=True)


def test_a_hint_in_a_field_can_be_read_in_the_dark(tab, address):
    tab.emulate_media(color_scheme="dark")
    _become_approver(tab, address)
    tab.goto(f"{address}/admin/certificates/")

    hint = tab.evaluate("getComputedStyle(document.querySelector('#search'), '::placeholder').color")
    muted = tab.evaluate("getComputedStyle(document.querySelector('.muted, .rail a:not([aria-current])')).color")

    assert hint == muted


def test_the_columns_of_a_row_stand_on_one_line(tab, address):
    tab.set_viewport_size({"width": 1280, "height": 800})
    _become_approver(tab, address)
    tab.goto(f"{address}/admin/certificates/")

    lines = tab.evaluate(
        """() => [...document.querySelector('tbody tr:has(.groups)').cells].map(cell => {
            const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT, node =>
                node.data.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP);
            const range = document.createRange();
            if (!texts.nextNode()) return null;
            range.selectNodeContents(texts.currentNode);
            return range.getClientRects()[0].bottom;
        }).filter(bottom => bottom !== null)"""
    )

    assert max(lines) - min(lines) < 8
