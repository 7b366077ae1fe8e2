"""The console in Chinese in a real browser: switched in the top bar, accessible, nothing wider than the screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from admin.access import PUBLIC, ROOMS
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
    "codes": ("supervisor", "/admin/applications/details/?id=application-approved", "发放两码"),
    "letter": ("supervisor", "/admin/customers/details/?id=customer-1", "客户门户密码信函"),
    "half": ("supervisor", "/admin/u-shields/US-1/unlock", "发起解锁"),
    "empty": ("maker", "/admin/customers/register", "登记该客户"),
}


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


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light"), (390, "light"), (1280, "dark")])
def test_every_page_is_accessible_in_chinese(
    tab: Page, address: str, signer: FakeSigner, width: int, scheme: str
) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.goto(f"{address}/admin/sign-in?language=zh")
    require_accessible(tab)
    picture(tab, f"zh-{width}-{scheme}-sign-in")

    wide = []
    for name, path in PAGES.items():
        _become(tab, address, signer, _who_may(name))
        answer = tab.request.get(f"{address}{path}")
        if not answer.headers["content-type"].startswith("text/html"):
            continue  # a file to keep
        assert answer.status < 500, path
        tab.goto(f"{address}{path}")
        expect(tab.locator("html")).to_have_attribute("lang", "zh")
        require_accessible(tab)
        picture(tab, f"zh-{width}-{scheme}-{name}")
        wide += [path] * (tab.evaluate("document.documentElement.scrollWidth") > width)
    for name, (who, path, button) in FORMS.items():
        _become(tab, address, signer, who)
        tab.goto(f"{address}{path}")
        if name == "half":
            tab.get_by_role("textbox").last.fill("核对了身份证")
        tab.get_by_role("button", name=button).click()
        tab.wait_for_load_state()
        require_accessible(tab)
        picture(tab, f"zh-{width}-{scheme}-after-{name}")
        wide += [name] * (tab.evaluate("document.documentElement.scrollWidth") > width)

    assert wide == []
