"""A revocation by two officers in a real browser: proposed on one page, read and sealed on another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import require_accessible
from tests.browser.chromium import chromium, new_tab
from tests.browser.computer import picture
from tests.browser.served_console import served
from tests.fakes.console import ACTIVE, fill
from tests.fakes.console_signer import FakeSigner
from tests.fakes.revocation_answers import CASE, LATE, WAITING

pytestmark = [pytest.mark.browser, pytest.mark.socket]
WHOLE = "one-time_code.7K3M-9QWX-2FH3"


@pytest.fixture
def signer(tmp_path: Path) -> FakeSigner:
    signer = FakeSigner(database=tmp_path / "console.sqlite3", by_two=True)
    fill(tmp_path / "console.sqlite3", signer)
    signer.invitations["invitation-3"] = {
        "person": "E-supervisor", "name": "Sun Li", "branch": "Pudong", "roles": ["ra-supervisor"],
        "code": WHOLE, "state": "open", "officer": "supervisor",
    }  # fmt: skip
    told = {"act": "approve-revocation", "case": "revocation-9", "person": "E-both", "digest": "e1" * 32}
    signer.ended_by_two = told | {"at": "2026-11-22T08:04:05Z", "wrong": "no signature of the second officer is kept"}
    return signer


@pytest.fixture
def address(signer: FakeSigner) -> Iterator[str]:
    with served(signer) as url:
        yield url


@pytest.fixture
def tab() -> Iterator[Page]:
    with chromium() as browser:
        tab = new_tab(browser)
        complaints: list[str] = []
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("console", lambda message: complaints.append(message.text) if "policy" in message.text.lower() else None)
        yield tab
    assert complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_second_officer_sees_what_happens_and_seals_it(
    tab: Page, address: str, signer: FakeSigner, width: int, scheme: str
) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.goto(f"{address}/admin/invitation/invitation-3#{WHOLE}")
    tab.get_by_role("button", name="Make my passkey").click()
    tab.get_by_role("button", name="Sign in with your passkey").click()
    expect(tab.get_by_role("heading", name="Revocations to approve")).to_be_visible()
    pages = {
        "work": "/admin/",
        "proposing": f"/admin/certificates/{ACTIVE}/revoke",
        "certificate": f"/admin/certificates/details/?id={WAITING}",
        "late": f"/admin/revocations/{LATE}",
        "case": f"/admin/revocations/{CASE}",
    }
    for name, path in pages.items():
        tab.goto(f"{address}{path}")
        require_accessible(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        picture(tab, f"console-revocation-{name}-{scheme}-{width}")

    tab.get_by_role("button", name="Approve and revoke with passkey").click()

    expect(tab).to_have_url(f"{address}/admin/certificates/details/?id={WAITING}")
    assert signer.commands()[-1].path == "revocations/approve"
