"""A second passkey, recovery codes and changes of roles in a real browser, over the signer's use cases in memory."""

import logging
import threading
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect
from werkzeug.serving import WSGIRequestHandler, make_server

from ca.adapters.db.rows import db
from ca.adapters.webauthn import WebAuthnAuthenticators
from ca.domain.officers import Invitation, InvitationState, TrustedRole, whole_code
from ca.domain.policy import USUAL
from ca.usecases.officers import open_invitation, propose_invitation
from tests.browser.accessibility import require_accessible
from tests.browser.chromium import AUTHENTICATOR, PATIENCE_MS, chromium
from tests.browser.computer import picture
from tests.fakes.bank import Bank
from tests.fakes.bank_console import BankSigner
from tests.fakes.console import console, fill
from tests.fakes.console_signer import FakeSigner

pytestmark = [pytest.mark.browser, pytest.mark.socket]

PERSON = "E4001"
WIDTHS = (390, 1280)


class _Quiet(WSGIRequestHandler):
    def log(self, kind, message, *args):
        logging.getLogger("console").debug(message, *args)


@contextmanager
def _served(database, signer_at):
    """The console on plain http://localhost, as in a demo; `signer_at` makes its signer, given the address."""
    server = make_server("localhost", 0, lambda _environ, _start: [], threaded=True, request_handler=_Quiet)
    url = f"http://localhost:{server.server_port}"
    fake = FakeSigner(origins=(url,))
    fill(database, fake)
    server.app = app = console(database, fake)
    app.extensions["vermilion_signer"] = signer_at(url, fake)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


class Desk:
    """A tab whose computer has one fingerprint reader at a time; script errors and CSP violations are kept."""

    def __init__(self, browser):
        context = browser.new_context()
        context.set_default_timeout(PATIENCE_MS)
        self.tab = context.new_page()
        self.complaints = []
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("console", self._heard)
        self._devtools = context.new_cdp_session(self.tab)
        self._devtools.send("WebAuthn.enable")
        self._reader = ""

    def _heard(self, message):
        if "policy" in message.text.lower():
            self.complaints.append(message.text)

    def another_device(self):
        """The officer sits down at a device that has none of their passkeys."""
        if self._reader:
            self._devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self._reader})
        made = self._devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        self._reader = made["authenticatorId"]

    def press(self, name):
        self.tab.get_by_role("button", name=name, exact=True).click()

    def look(self, name):
        """As it is now, at both widths: accessible, nothing sideways, and a picture for people."""
        for width, scheme in zip(WIDTHS, ("dark", "light"), strict=True):
            self.tab.set_viewport_size({"width": width, "height": 900})
            self.tab.emulate_media(color_scheme=scheme)
            require_accessible(self.tab)
            assert self.tab.evaluate("document.documentElement.scrollWidth") <= width, name
            picture(self.tab, f"{name}-{width}")


@pytest.fixture
def desk():
    with chromium() as browser:
        desk = Desk(browser)
        yield desk
    assert desk.complaints == []


def _invited(bank):
    """The link's path and code for a new officer, as two security officers hand them out."""
    invitation = Invitation(
        id="invitation-9",
        person=PERSON,
        name="Nina Luo",
        branch="Pudong",
        roles=frozenset({TrustedRole.RA_APPROVER}),
        proposed_by="E2001",
        state=InvitationState.PROPOSED,
        expires_at=bank.clock.now() + USUAL.invitation_life,
    )
    with bank.unit_of_work() as work:
        proposed = propose_invitation(work, bank.seals, bank.random, invitation)
        half = open_invitation(work, bank.seals, bank.random, proposed.invitation, "E2002")
        work.commit()
    return f"/admin/invitation/{invitation.id}#{whole_code(half, proposed.half)}"


def test_an_officer_adds_a_passkey_and_gets_back_in_with_a_recovery_code(tmp_path, desk):
    bank, tab = Bank(), desk.tab

    def signer_at(url, _fake):
        bank.authenticators = WebAuthnAuthenticators("localhost", (url,))
        bank._wire(bank.unit_of_work)
        return BankSigner(bank)

    with _served(tmp_path / "console.sqlite3", signer_at) as address:
        desk.another_device()
        tab.goto(address + _invited(bank))
        desk.press("Make my passkey")
        desk.press("Sign in with your passkey")
        tab.get_by_role("link", name="Nina Luo").click()
        expect(tab.get_by_text("This is your only passkey")).to_be_visible()
        desk.look("access-1-only-passkey")

        desk.press("Show that it is me")
        expect(tab.get_by_text("You have shown that it is you")).to_be_visible()
        desk.press("Make recovery codes")
        expect(tab.locator(".recovery li")).to_have_count(10)
        code = tab.locator(".recovery li").first.inner_text()
        desk.look("access-2-codes")
        tab.get_by_role("link", name="Done: forget them").click()

        # The device that has the passkey must not make a second one: it would be lost with the first.
        tab.get_by_label("A name for this passkey").fill("same laptop")
        desk.press("Add a passkey")
        expect(tab.locator("[data-passkey-error]")).to_contain_text("already has a passkey for you")
        desk.another_device()
        tab.get_by_label("A name for this passkey").fill("blue key")
        desk.press("Add a passkey")
        expect(tab.get_by_role("button", name="Remove the passkey blue key")).to_be_visible()
        desk.look("access-3-two-passkeys")
        desk.press("Sign out")
        desk.press("Sign in with your passkey")
        tab.get_by_role("link", name="Nina Luo").click()
        expect(tab.locator(".cards li", has_text="blue key")).to_contain_text("last used")
        desk.press("Sign out")

        # Both are lost.
        desk.another_device()
        tab.get_by_role("link", name="Passkeys lost? Use a recovery code.").click()
        desk.look("access-4-recover")
        tab.get_by_label("Employee number").fill(PERSON)
        tab.get_by_label("Recovery code").fill("0000-0000-0000-0000-0000")
        desk.press("Make my passkey")
        expect(tab.locator("[data-passkey-error]")).to_contain_text("is not right")
        tab.get_by_label("Recovery code").fill(code.lower())
        desk.press("Make my passkey")
        expect(tab.get_by_text("Your passkey is registered.")).to_be_visible()
        desk.press("Sign in with your passkey")
        tab.get_by_role("link", name="Nina Luo").click()

        expect(tab.locator(".cards li", has_text="my new passkey")).to_be_visible()
        expect(tab.locator(".facts")).to_contain_text("9")
    assert bank.event_names.count("recovery.code-used") == 1
    assert bank.event_names.count("recovery.code-missed") == 1


@pytest.mark.campaign
def test_what_a_security_officer_sees_of_roles_and_sessions(tmp_path, desk):
    tab = desk.tab

    def signer_at(_url, fake):
        fake.session_of("security")
        return fake

    with _served(tmp_path / "console.sqlite3", signer_at) as address:
        cookie = {"name": "vermilion_officer", "value": "token-of-security", "domain": "localhost", "path": "/admin"}
        tab.context.add_cookies([cookie | {"secure": True, "httpOnly": True, "sameSite": "Strict"}])
        for name, path in {
            "roles-1-home": "",
            "roles-2-officer": "officers/details/?id=maker",
            "roles-3-propose": "officers/maker/roles",
            "roles-4-decide": "officer-changes/change-1",
            "roles-9-reinstate": "officers/away/reinstate",
            "roles-10-decide-reinstatement": "officer-changes/change-back",
            "roles-11-suspended": "officers/details/?id=away",
            "roles-12-suspend": "officers/security/suspend",
            "roles-5-end-sessions": "officers/maker/end-sessions",
            "roles-6-end-all": "officers/end-all-sessions",
            "roles-7-officers": "officers/",
            "roles-8-my-access": "my-access",
            "door-1-propose": "officers/maker/certificates",
            "door-2-decide": "certificate-bindings/binding-1",
            "door-3-bound": "certificate-bindings/binding-bound",
            "door-4-no-certificate": "sign-in/certificate",
            "door-5-sign-in": "sign-in",
        }.items():
            tab.goto(f"{address}/admin/{path}")
            desk.look(name)
