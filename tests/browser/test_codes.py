"""Codes typed on the portal's pages: a slip is told there, before anything leaves the browser."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from ca.domain.codes import new_authorization_code, new_reference
from customer.app import create_app
from customer.services import ToolPlace
from tests.browser.accessibility import require_accessible
from tests.browser.chromium import chromium, new_tab
from tests.browser.computer import picture
from tests.fakes.signer import FakeSigner
from tests.fakes.slips import CROCKFORD, slips
from tests.fakes.software_ca import SoftwareCA

pytestmark = [pytest.mark.browser, pytest.mark.socket]

ORIGIN = "https://bank.example"
CODES = [bytes(8), b"\xff" * 8, b"vermili!"]


@pytest.fixture
def posted() -> list[str]:
    return []


@pytest.fixture
def page(tmp_path: Path, posted: list[str]) -> Iterator[Page]:
    """A tab that gets the portal's pages straight from its app."""
    authority = SoftwareCA()
    (tmp_path / "chain.pem").write_bytes(authority.chain_pem)
    client = create_app(
        signer=FakeSigner(authority),
        organization="Test Bank",
        chain_pem_path=tmp_path / "chain.pem",
        enrolment_url=ORIGIN,
        public_url="http://status.bank.example",
        tool_place=ToolPlace(tmp_path / "tool", tmp_path / "tool-release.spki"),
        hotline="95588",
    ).test_client()

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            posted.append(route.request.post_data or "")
            route.fulfill(body="taken")
            return
        got = client.get(urlsplit(route.request.url).path, base_url=ORIGIN, buffered=True)
        route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.data)

    with chromium() as browser:
        tab = new_tab(browser)
        tab.route(f"{ORIGIN}/**", answer)
        yield tab


def test_a_slip_in_the_code_of_the_letter_is_told_and_nothing_is_sent(page: Page, posted: list[str]) -> None:
    page.goto(f"{ORIGIN}/first-password")
    page.wait_for_load_state("load")
    for label in ("Customer number", "New login password", "The same again"):
        page.get_by_label(label, exact=True).fill("three odd words")
    page.get_by_label("Code of the letter").fill("7KQM-3F9X-2TBC")
    page.get_by_role("button", name="Set my login password").click()

    expect(page.get_by_role("alert")).to_contain_text("the last proves the others")
    assert posted == []
    require_accessible(page)
    picture(page, "first-password-slip")

    page.get_by_label("Code of the letter").fill("7kqm 3f9x 2tbb")
    page.get_by_role("button", name="Set my login password").click()

    expect(page.get_by_text("taken")).to_be_visible()
    assert len(posted) == 1


@pytest.mark.parametrize("random", CODES)
def test_the_page_finds_every_slip_that_the_bank_finds(page: Page, random: bytes) -> None:
    page.goto(f"{ORIGIN}/first-password")
    reference, code = new_reference(lambda _: random), new_authorization_code(lambda _: random)

    taken = page.evaluate(
        """async ([references, codes]) => {
            const rule = await import("/static/codes.js");
            return [...references.filter((typed) => rule.referenceNumber(typed)), ...codes.filter(rule.isCode)];
        }""",
        [[reference, *slips(reference, "0123456789")], [code, *slips(code, CROCKFORD)]],
    )

    assert taken == [reference, code]
