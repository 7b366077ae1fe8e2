"""The home page and a certificate's page in a real browser: accessible, within the window, in light and dark."""

import pytest

from tests.browser.accessibility import require_accessible
from tests.browser.computer import picture
from tests.browser.test_console import _become_approver, address, signer, tab  # noqa: F401 - fixtures
from tests.fakes.console import ACTIVE, HELD

pytestmark = [pytest.mark.campaign, pytest.mark.browser, pytest.mark.socket]

PAGES = {"home": "", "certificate": f"certificates/details/?id={ACTIVE}", "held": f"certificates/details/?id={HELD}"}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark")])
def test_home_and_certificate_are_accessible_and_within_the_window(tab, address, width, scheme):  # noqa: F811
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)
    _become_approver(tab, address)

    for name, path in PAGES.items():
        tab.goto(f"{address}/admin/{path}")
        for summary in tab.locator("main details summary").all():
            summary.click()
        require_accessible(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
        picture(tab, f"{name}-{width}-{scheme}")
