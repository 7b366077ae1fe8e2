"""The console in both languages in a real browser: the switch in the top bar, axe, nothing wider than the screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from admin.access import PUBLIC, ROOMS
from admin.language import chinese
from ca.domain.officers import TrustedRole
from tests.browser.accessibility import require_accessible
from tests.browser.chromium import chromium, new_tab
from tests.browser.computer import picture
from tests.browser.served_console import served
from tests.fakes.console import fill
from tests.fakes.console_signer import OFFICERS, FakeSigner
from tests.unit.admin.test_routes import ROUTES

pytestmark = [pytest.mark.campaign, pytest.mark.browser, pytest.mark.socket]

PAGES = {name: path for name, (path, verbs) in ROUTES.items() if "GET" in verbs and name not in PUBLIC}
FORMS = {
    "codes": ("supervisor", "/admin/applications/details/?id=application-approved", "Hand out the two codes"),
    "letter": ("supervisor", "/admin/customers/details/?id=customer-1", "Letter for the portal"),
    "half": ("supervisor", "/admin/u-shields/US-1/unlock", "Open an unlock case"),
    "empty": ("maker", "/admin/customers/register", "Register this customer"),
}
SCREENS = [(390, "dark"), (1280, "light"), (390, "light"), (1280, "dark")]


@pytest.fixture
def signer(tmp_path: Path) -> FakeSigner:
    signer = FakeSigner(database=tmp_path / "console.sqlite3")
    fill(tmp_path / "console.sqlite3", signer)
    signer.invitations["invitation-1"] = {
        "person": "E-new", "name": "Nina Luo", "branch": "Pudong", "roles": ["ra-approver"],
        "proposed_by": "E-other", "expires_at": "2026-11-30T07:04:05Z", "state": "proposed", "code": "c",
    }  # fmt: skip
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


def _become(tab: Page, address: str, signer: FakeSigner, officer: str) -> None:
    tab.context.add_cookies(
        [{"name": "vermilion_officer", "value": signer.session_of(officer), "url": f"{address}/admin/"}]
    )


def _who_may(name: str) -> str:
    return next(who for who, known in OFFICERS.items() if {TrustedRole(role) for role in known["roles"]} & ROOMS[name])


def test_the_switch_in_the_top_bar_keeps_page_and_choice(tab: Page, address: str, signer: FakeSigner) -> None:
    _become(tab, address, signer, "approver")
    tab.goto(f"{address}/admin/search?q=Pudong")

    tab.get_by_role("link", name="中文").click()
    expect(tab.get_by_role("heading", name="Pudong")).to_be_visible()
    expect(tab.locator("html")).to_have_attribute("lang", "zh")
    tab.goto(f"{address}/admin/certificates/")
    expect(tab.get_by_role("heading", name="证书", exact=True)).to_be_visible()
    tab.get_by_role("link", name="English").click()

    expect(tab.get_by_role("heading", name="Certificates", exact=True)).to_be_visible()


def test_a_passkey_that_fails_is_told_in_chinese(tab: Page, address: str, signer: FakeSigner) -> None:
    tab.goto(f"{address}/admin/sign-in?language=zh")
    tab.get_by_role("button", name="用通行密钥登录").click()

    expect(tab.locator("[data-passkey-error]")).to_contain_text("请重试")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_every_page_is_accessible(
    tab: Page, address: str, signer: FakeSigner, width: int, scheme: str, language: str
) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.goto(f"{address}/admin/sign-in?language={language}")
    require_accessible(tab)
    picture(tab, f"{language}-{width}-{scheme}-sign-in")

    wide = []
    for name, path in PAGES.items():
        _become(tab, address, signer, _who_may(name))
        answer = tab.request.get(f"{address}{path}")
        if not answer.headers["content-type"].startswith("text/html"):
            continue  # a file to keep
        assert answer.status < 500, path
        tab.goto(f"{address}{path}")
        expect(tab.locator("html")).to_have_attribute("lang", language)
        require_accessible(tab)
        picture(tab, f"{language}-{width}-{scheme}-{name}")
        wide += [path] * (tab.evaluate("document.documentElement.scrollWidth") > width)
    for name, (who, path, button) in FORMS.items():
        _become(tab, address, signer, who)
        tab.goto(f"{address}{path}")
        if name == "half":
            tab.get_by_role("textbox").last.fill("核对了身份证")
        tab.get_by_role("button", name=chinese()[button] if language == "zh" else button, exact=True).click()
        tab.wait_for_load_state()
        require_accessible(tab)
        picture(tab, f"{language}-{width}-{scheme}-after-{name}")
        wide += [name] * (tab.evaluate("document.documentElement.scrollWidth") > width)

    assert wide == []
