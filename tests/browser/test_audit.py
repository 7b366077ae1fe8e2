"""The audit room in a real browser: it can be read everywhere, and a verification goes on by itself to its end."""

import os

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import require_accessible
from tests.browser.test_console import address, signer, tab  # noqa: F401 - fixtures
from tests.fakes.console import ACTIVE

pytestmark = [pytest.mark.browser, pytest.mark.socket]


def _picture(page, name):
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{directory}/{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light")])
def test_the_audit_room_is_accessible_and_verifies_to_the_end(tab, address, signer, width, scheme):  # noqa: F811
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)
    session = {"name": "vermilion_officer", "value": signer.session_of("auditor"), "domain": "localhost"}
    tab.context.add_cookies([{**session, "path": "/admin", "secure": True, "sameSite": "Strict"}])
    # The last one is where the verification begins.
    dossier = f"certificates/details/?id={ACTIVE}"
    for path in (dossier, "audit/", "audit/?name=nothing", "audit/details/?id=2", "audit/verify"):
        tab.goto(f"{address}/admin/{path}")
        require_accessible(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        _picture(tab, f"{path.split('?')[0].strip('/').replace('/', '-')}-{len(path)}-{width}-{scheme}")

    tab.get_by_role("button", name="Verify from the first event").click()

    expect(tab.get_by_role("status")).to_contain_text("All 5000 events follow one another")
    require_accessible(tab)
    _picture(tab, f"audit-verified-{width}-{scheme}")


def test_a_verification_needs_no_script(tab, address, signer):  # noqa: F811
    tab.route("**/verify.js", lambda route: route.abort())
    session = {"name": "vermilion_officer", "value": signer.session_of("auditor"), "domain": "localhost"}
    tab.context.add_cookies([{**session, "path": "/admin", "secure": True, "sameSite": "Strict"}])
    tab.goto(f"{address}/admin/audit/verify")
    tab.get_by_role("button", name="Verify from the first event").click()
    expect(tab.get_by_role("progressbar")).to_be_visible()
    require_accessible(tab)
    _picture(tab, "audit-progress")

    tab.get_by_role("button", name="Go on").click()
    expect(tab.get_by_text("4000 of 5000")).to_be_visible()
    tab.get_by_role("button", name="Go on").click()

    expect(tab.get_by_role("status")).to_contain_text("All 5000 events follow one another")
