"""Chromium on a computer with a fingerprint reader, patient enough for the slowest machine that tests run on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import sync_playwright as playwright_in_this_thread

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    # Containers often have a /dev/shm too small for its pages, which then crash now and then.
    "--disable-dev-shm-usage",
]  # fmt: skip
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
PATIENCE_MS = 120_000
"""For a page that is as it should be this costs nothing; playwright's own five seconds are short under load."""

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    with playwright_in_this_thread() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE_MS)
        yield browser
        browser.close()


def new_tab(browser: Browser, **options: Any) -> Page:
    """A tab of a browser profile of its own, with a virtual authenticator."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    devtools = context.new_cdp_session(tab)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return tab
