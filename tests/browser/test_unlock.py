"""A forgotten certificate password on the portal: real extension, tool and token, two officers of the running bank."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.computer import Computer, picture
from tests.browser.screen import screen
from tests.integration.system.clients import ask_ocsp
from tests.integration.system.running import Demo
from tests.integration.system.unlocking import FORGOTTEN, NEW, Customer

pytestmark = [pytest.mark.browser, pytest.mark.socket, pytest.mark.softhsm, pytest.mark.window, pytest.mark.openssl]

TITLE = "U-Shield"


def test_a_u_shield_is_unlocked_from_the_page_and_no_page_sees_code_or_password(demo: Demo, tmp_path: Path) -> None:
    customer = Customer(tmp_path, demo)
    assert customer.prepare().status == 0
    customer.download()
    reference, code = customer.unlock_codes()
    sent: list[str] = []

    with screen() as shown:
        computer = Computer(tmp_path, demo, shown)
        computer.install()
        with computer.browser() as browser:
            browser.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
            page = browser.new_page()
            page.goto(f"{demo.url}/certificate-password?language=zh")
            picture(page, "unlock-1-zh")
            page.goto(f"{demo.url}/certificate-password?language=en")
            page.get_by_label("Reference number").fill("123")
            page.get_by_role("button", name="Unlock my U-Shield").click()
            expect(page.locator("#unlock-say")).to_contain_text("10 digits")
            page.get_by_label("Reference number").fill(f"{reference[:4]} {reference[4:]}")
            page.get_by_role("button", name="Unlock my U-Shield").click()
            shown.wait(TITLE)
            picture(page, "unlock-2-window")
            shown.answer(TITLE, code)
            shown.answer(TITLE, NEW, NEW)
            expect(page.locator("#unlocked")).to_be_visible()
            picture(page, "unlock-3-done")

            page.get_by_role("button", name="Unlock my U-Shield").click()
            shown.answer(TITLE, code)
            shown.answer(TITLE, FORGOTTEN, FORGOTTEN)
            expect(page.locator("#unlock-say")).to_contain_text("D-89")

    assert customer.opens_with(NEW)
    assert not customer.opens_with(FORGOTTEN)
    (tmp_path / "own.pem").write_text(customer.certificate["certificate"])
    assert "good" in ask_ocsp(demo, tmp_path, "-cert", tmp_path / "own.pem")
    assert not [one for one in sent if code in one or NEW in one]
