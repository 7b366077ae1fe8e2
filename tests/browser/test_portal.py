"""A customer on the portal, in a real browser without JavaScript, on a phone: letter, sign-in, stop, undo, history.

Set SCREENSHOTS to a directory to keep a picture of each page.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import require_accessible
from tests.browser.chromium import PATIENCE_MS, chromium
from tests.integration.system.clients import ask_ocsp, openssl
from tests.integration.system.running import Demo, pki, run

pytestmark = [pytest.mark.browser, pytest.mark.socket, pytest.mark.softhsm, pytest.mark.openssl]

LOGIN_PASSWORD = "red paste on quiet paper"
PATHS = (
    *("/", "/me", "/me/settings", "/me/history", "/download", "/certificate-password", "/tool/", "/sign-in"),
    *("/first-password", "/me/company", "/check"),
)
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Customer:
    """With an active certificate on a U-Shield, and the letter for the portal."""

    number: str
    letter: str
    certificate: Path


@pytest.fixture
def customer(demo: Demo, tmp_path: Path) -> Customer:
    tool = (sys.executable, "-m", "ushield")
    tokens = ("--token-dir", tmp_path / "tokens", "--json")
    made = run(*tool, "init", "--label", "Mine", *tokens)
    (codes,) = demo.codes("personal-signing", device_serial=json.loads(made.out)["serial"])
    (tmp_path / "code").write_text(codes["authorization_code"])
    (tmp_path / "password").write_text("Branch26")
    done = run(
        *(*tool, "download", "--server", demo.url, "--ca-file", demo.root_pem, *tokens),
        *("--reference", codes["reference_number"], "--code-file", tmp_path / "code"),
        *("--password-file", tmp_path / "password"),
        HOME=str(tmp_path),
    )
    assert done.status == 0, done
    (tmp_path / "own.pem").write_text(json.loads(done.out)["certificate"])
    (number,) = re.findall(r"serial_number=(\w+)", codes["subject"])
    letter = pki(demo.state, "demo", "letter", number)
    assert letter.status == 0, letter
    return Customer(number, json.loads(letter.out)["code"], tmp_path / "own.pem")


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def _page(
    browser: Browser, *, language: str = "en", script: bool = False, scheme: Literal["light", "dark"] = "light"
) -> Page:
    context = browser.new_context(
        ignore_https_errors=True, viewport=PHONE, locale=language, java_script_enabled=script, color_scheme=scheme
    )  # fmt: skip
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def _picture(page: Page, name: str) -> None:
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(directory) / f"{name}.png"), full_page=True)


def _sign_in(page: Page, demo: Demo, customer: Customer) -> None:
    page.goto(f"{demo.url}/first-password")
    page.get_by_label("Customer number").fill(customer.number)
    page.get_by_label("Code of the letter").fill(customer.letter.lower())
    page.get_by_label("New login password").fill(LOGIN_PASSWORD)
    page.get_by_label("The same again").fill(LOGIN_PASSWORD)
    _picture(page, "portal-1-first-password")
    page.get_by_role("button", name="Set my login password").click()
    page.get_by_label("Customer number").fill(customer.number)
    page.get_by_label("Login password").fill(LOGIN_PASSWORD)
    _picture(page, "portal-2-sign-in")
    page.get_by_role("button", name="Sign in").click()


def test_a_customer_stops_and_undoes_without_javascript(
    demo: Demo, customer: Customer, browser: Browser, tmp_path: Path
) -> None:
    page = _page(browser)
    _sign_in(page, demo, customer)
    expect(page.locator(".status")).to_contain_text("active")
    _picture(page, "portal-3-home")

    page.get_by_role("link", name="Cancel my Certificate").click()
    expect(page.get_by_text("For 24 hours you can undo this here.")).to_be_visible()
    assert "good" in ask_ocsp(demo, tmp_path, "-cert", customer.certificate)
    _picture(page, "portal-4-cancel")
    page.get_by_role("button", name="Cancel my certificate").click()
    expect(page.locator(".status")).to_contain_text("on hold")
    assert "revoked" in ask_ocsp(demo, tmp_path, "-cert", customer.certificate)
    _picture(page, "portal-5-cancelled")
    page.get_by_role("button", name="Undo the cancellation").click()
    expect(page.locator(".status")).to_contain_text("active")
    assert "good" in ask_ocsp(demo, tmp_path, "-cert", customer.certificate)

    page.get_by_role("link", name="I lost my U-Shield").click()
    page.get_by_role("button", name="Stop my certificate now").click()
    expect(page.locator(".status")).to_contain_text("on hold")
    expect(page.get_by_role("link", name="Cancel my Certificate")).to_have_count(0)
    assert "revoked" in ask_ocsp(demo, tmp_path, "-cert", customer.certificate)

    page.get_by_role("link", name="History").first.click()
    expect(page.get_by_text("The certificate was put on hold").first).to_be_visible()
    expect(page.get_by_text("The application was approved")).to_be_visible()
    _picture(page, "portal-6-history")
    serial = openssl("x509", "-in", customer.certificate, "-noout", "-serial").strip().lower()
    for kept in ("*.eml", "sms/*"):
        notices = [path.read_text() for path in (demo.state / "outbox").glob(kept)]
        assert sum(serial[-6:] in notice for notice in notices) == 4


@pytest.mark.campaign
def test_the_portal_speaks_chinese_and_fits_a_phone(demo: Demo, customer: Customer, browser: Browser) -> None:
    page = _page(browser, script=True)
    _sign_in(page, demo, customer)
    chinese = _page(browser, language="zh-CN", script=True, scheme="dark")
    chinese.goto(f"{demo.url}/sign-in")
    chinese.get_by_label("客户号").fill(customer.number)
    chinese.get_by_label("登录密码").fill(LOGIN_PASSWORD)
    chinese.get_by_role("button", name="登录").click()
    expect(chinese.get_by_role("link", name="U盾丢失")).to_be_visible()
    _picture(chinese, "portal-7-home-zh")

    for tab in (page, chinese):
        for path in PATHS:
            tab.goto(f"{demo.url}{path}")
            assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
            require_accessible(tab)
            assert tab.evaluate("document.documentElement.lang") == ("zh" if tab is chinese else "en"), path
    chinese.goto(f"{demo.url}/download")
    expect(chinese.locator("#check-extension")).to_contain_text("未找到")
    chinese.goto(f"{demo.url}/me/settings")
    chinese.get_by_label("通知方式").select_option("sms")
    chinese.get_by_role("button", name="保存选择").click()
    expect(chinese.get_by_label("通知方式")).to_have_value("sms")
    _picture(chinese, "portal-8-settings-zh")
    chinese.get_by_role("button", name="退出其他所有登录").click()
    page.goto(f"{demo.url}/me")
    expect(page.get_by_text("Your session is over.")).to_be_visible()
