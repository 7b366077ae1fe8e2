"""A customer's whole day in Chinese: check, download, sign in, password, renewal, notices, history, cancellation.

The same functions as in the other tests; here every word on page and window is Chinese.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.computer import Computer, picture
from tests.browser.screen import screen
from tests.integration.system.clients import ask_ocsp
from tests.integration.system.running import Demo

pytestmark = [
    pytest.mark.campaign, pytest.mark.browser, pytest.mark.socket, pytest.mark.softhsm, pytest.mark.window,
    pytest.mark.openssl,
]  # fmt: skip
PASSWORD, OTHER, TITLE = "Branch26", "Quiet777", "U-Shield"
ENGLISH = re.compile(r"\b(the|your|is|and|not|with)\b", re.IGNORECASE)


@pytest.fixture
def computer(renewing_demo: Demo, tmp_path: Path) -> Iterator[Computer]:
    with screen() as shown:
        yield Computer(tmp_path, renewing_demo, shown)


def _look(page: Page, name: str) -> None:
    picture(page, f"zh-{name}")
    shown = page.locator("main").inner_text()
    english = [line for line in shown.splitlines() if ENGLISH.search(line)]
    assert english == []


def _download(page: Page, computer: Computer, codes: dict[str, str]) -> None:
    page.goto(f"{computer.demo.url}/download")
    expect(page.locator("#check-status")).to_have_class("good")
    _look(page, "1-check")
    page.get_by_role("textbox", name="参考号").fill(codes["reference_number"])
    page.get_by_role("button", name="下载我的证书").click()
    computer.screen.wait(TITLE)
    computer.screen.picture(computer.home / "window.png")
    computer.screen.answer(TITLE, codes["authorization_code"])
    computer.screen.try_out(TITLE, "12345678", "12345678")
    computer.screen.answer(TITLE, PASSWORD, PASSWORD)
    expect(page.get_by_role("heading", name="证书已存入您的 U盾")).to_be_visible()
    _look(page, "2-downloaded")


def test_every_function_speaks_chinese(computer: Computer, tmp_path: Path) -> None:
    demo = computer.demo
    serial = computer.new_ushield()
    computer.install()
    (codes,) = demo.codes("personal-signing", device_serial=serial)

    with computer.browser("--lang=zh-CN") as browser:
        browser.set_extra_http_headers({"Accept-Language": "zh-CN"})
        page = browser.new_page()
        _download(page, computer, codes)
        page.goto(f"{demo.url}/sign-in")
        _look(page, "3-sign-in")
        page.get_by_role("button", name="用 U盾登录").click()
        computer.screen.answer(TITLE, "Wrong123")
        expect(page.locator("#say")).to_contain_text("密码不正确")
        page.get_by_role("button", name="用 U盾登录").click()
        computer.screen.answer(TITLE, PASSWORD)
        expect(page.locator("article .status")).to_contain_text("有效")
        _look(page, "4-home")

        page.goto(f"{demo.url}/certificate-password")
        page.get_by_role("button", name="修改证书密码").click()
        computer.screen.answer(TITLE, PASSWORD)
        computer.screen.answer(TITLE, OTHER, OTHER)
        expect(page.locator("#done")).to_be_visible()
        _look(page, "5-password")

        page.goto(f"{demo.url}/me")
        page.get_by_role("link", name="更新我的证书").first.click()
        page.get_by_role("button", name="更新我的证书").click()
        computer.screen.answer(TITLE, OTHER)
        expect(page.locator("#done")).to_be_visible()
        _look(page, "6-renewed")

        page.goto(f"{demo.url}/me/history")
        _look(page, "7-history")
        page.goto(f"{demo.url}/me")
        page.get_by_role("link", name="注销我的证书").first.click()
        page.get_by_role("button", name="用 U盾立即注销").click()
        computer.screen.answer(TITLE, OTHER)
        expect(page.locator("article .status")).to_contain_text(["已失效", "已失效"])
        _look(page, "8-cancelled")

    (tmp_path / "password").write_text(OTHER)
    shown = computer.tool("show", "--token-dir", computer.tokens, "--password-file", tmp_path / "password")
    for number, entry in enumerate(shown["entries"]):
        (tmp_path / f"{number}.pem").write_text(entry["certificate"]["certificate"])
        assert "revoked" in ask_ocsp(demo, tmp_path, "-cert", tmp_path / f"{number}.pem")
