"""Signing in and cancelling by a signature of the U-Shield: real extension, tool and token, openssl as judge."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.computer import Computer, picture
from tests.browser.screen import screen
from tests.integration.system.clients import ask_ocsp
from tests.integration.system.running import Demo

pytestmark = [pytest.mark.browser, pytest.mark.socket, pytest.mark.softhsm, pytest.mark.window, pytest.mark.openssl]

PASSWORD = "Branch26"
TITLE = "U-Shield"


@pytest.fixture
def computer(demo: Demo, tmp_path: Path) -> Iterator[Computer]:
    with screen() as shown:
        yield Computer(tmp_path, demo, shown)


def test_signed_in_by_ushield_the_certificate_is_ended_by_ushield(
    computer: Computer, demo: Demo, tmp_path: Path
) -> None:
    computer.download(PASSWORD)
    computer.install()

    with computer.browser() as browser:
        page = browser.new_page()
        page.goto(f"{demo.url}/sign-in")
        page.get_by_role("button", name="Sign in with my U-Shield").click()
        computer.screen.answer(TITLE, "Wrong123")
        expect(page.locator("#say")).to_contain_text("D-20")
        page.get_by_role("button", name="Sign in with my U-Shield").click()
        computer.screen.answer(TITLE, PASSWORD)
        expect(page.locator("article .status")).to_contain_text("active")
        picture(page, "by-ushield-1-home")

        page.get_by_role("link", name="Cancel my Certificate").click()
        page.get_by_role("button", name="End it now with my U-Shield").click()
        computer.screen.wait(TITLE)
        picture(page, "by-ushield-2-cancel")
        assert "good" in ask_ocsp(demo, tmp_path, "-cert", tmp_path / "own.pem")
        computer.screen.answer(TITLE, PASSWORD)
        expect(page.locator("article .status")).to_contain_text("ended")

    answer = ask_ocsp(demo, tmp_path, "-cert", tmp_path / "own.pem")
    assert "revoked" in answer
    assert "cessationOfOperation" in answer


def test_the_certificate_password_is_changed_and_seen_by_no_page(computer: Computer, demo: Demo) -> None:
    computer.download(PASSWORD)
    computer.install()
    sent: list[str] = []

    with computer.browser() as browser:
        browser.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
        page = browser.new_page()
        page.goto(f"{demo.url}/certificate-password")
        page.get_by_role("button", name="Change my certificate password").click()
        computer.screen.answer(TITLE, PASSWORD)
        computer.screen.answer(TITLE, "Quiet777", "Quiet777")
        expect(page.locator("#done")).to_be_visible()
        picture(page, "by-ushield-3-password")

    (computer.home / "new").write_text("Quiet777")
    said = computer.tool("test", "--token-dir", computer.tokens, "--password-file", computer.home / "new")
    assert said["result"] == "good"
    assert not [one for one in sent if PASSWORD in one or "Quiet777" in one]
