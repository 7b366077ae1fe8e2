"""A page of the console on paper: A4, under the bank's mark, without what only a screen can use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import chromium, new_tab
from tests.browser.computer import picture
from tests.browser.served_console import served
from tests.fakes.console import ACTIVE, fill
from tests.fakes.console_signer import FakeSigner

pytestmark = [pytest.mark.browser, pytest.mark.socket]

SCREEN_ONLY = (".top", ".rail", ".crumbs", ".search", ".chips", ".acts", ".decide", ".copy", "button")


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[tuple[Page, str]]:
    """A tab where a supervisor is signed in, and the console's address."""
    signer = FakeSigner(database=tmp_path / "console.sqlite3")
    fill(tmp_path / "console.sqlite3", signer)
    with served(signer) as address, chromium() as browser:
        tab = new_tab(browser)
        session = signer.session_of("supervisor")
        tab.context.add_cookies([{"name": "vermilion_officer", "value": session, "url": f"{address}/admin/"}])
        yield tab, address


def _paper(tab: Page, name: str) -> bytes:
    tab.emulate_media(media="print", color_scheme="dark")
    picture(tab, f"printed-{name}")
    for what in SCREEN_ONLY:
        assert [one for one in tab.locator(what).all() if one.is_visible()] == [], what
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    return tab.pdf(prefer_css_page_size=True)


def test_a_certificates_page_is_printed_on_a4_under_the_mark(supervisor: tuple[Page, str]) -> None:
    tab, address = supervisor
    tab.goto(f"{address}/admin/certificates/details/?id={ACTIVE}")

    printed = _paper(tab, "certificate")

    expect(tab.locator(".printhead img")).to_be_visible()
    assert b"/MediaBox [0 0 594.9" in printed  # 210 mm in points
    assert printed.count(b"/Type /Page\n") > 1


def test_a_list_is_printed_as_a_table_with_its_headings(supervisor: tuple[Page, str]) -> None:
    tab, address = supervisor
    tab.set_viewport_size({"width": 642, "height": 970})  # what A4 leaves between its margins
    tab.goto(f"{address}/admin/certificates/")

    _paper(tab, "list")

    expect(tab.get_by_role("columnheader", name="Valid until")).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 642


def test_the_letter_with_the_codes_is_one_sheet_with_one_mark(supervisor: tuple[Page, str]) -> None:
    tab, address = supervisor
    tab.goto(f"{address}/admin/applications/details/?id=application-approved")
    tab.get_by_role("button", name="Hand out the two codes").click()
    expect(tab.locator("[data-code=reference]")).to_be_visible()

    printed = _paper(tab, "codes")

    expect(tab.locator(".letterhead img")).to_be_visible()
    expect(tab.locator(".printhead")).to_be_hidden()
    assert printed.count(b"/Type /Page\n") == 1
