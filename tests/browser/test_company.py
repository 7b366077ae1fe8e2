"""A company's whole day: real extension, tool and tokens; openssl judges what relying parties see (docs/adr/0030)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ca import case_operations as case_ops
from ca import operations as ops
from tests.browser.computer import Computer, picture
from tests.browser.screen import screen
from tests.integration.system.clients import ask_ocsp, openssl
from tests.integration.system.running import Demo

pytestmark = [pytest.mark.browser, pytest.mark.socket, pytest.mark.softhsm, pytest.mark.window, pytest.mark.openssl]

PASSWORD = "Branch26"
TITLE = "U-Shield"


@pytest.fixture
def computer(demo: Demo, tmp_path: Path) -> Iterator[Computer]:
    with screen() as shown:
        yield Computer(tmp_path, demo, shown)


def test_an_administrator_applies_for_an_operator_and_holds_their_certificate(
    computer: Computer, demo: Demo, tmp_path: Path
) -> None:
    computer.download(PASSWORD, "company-administrator")
    computer.install()

    with computer.browser() as browser:
        page = browser.new_page()
        page.goto(f"{demo.url}/sign-in")
        page.get_by_role("button", name="Sign in with my U-Shield").click()
        computer.screen.answer(TITLE, PASSWORD)
        page.get_by_role("link", name="My company").click()
        page.get_by_role("link", name="Apply for a new operator").click()
        page.get_by_label("Name as on").fill("Zhao Min")
        page.get_by_label("Number of the identity document").fill("ID4711")
        picture(page, "company-1-apply")
        page.get_by_role("button", name="Apply, signed with my U-Shield").click()
        computer.screen.answer(TITLE, PASSWORD)
        expect(page.get_by_text("Your application is with the bank.")).to_be_visible()

        operator = approved_and_downloaded(computer, page, demo, tmp_path / "operator")
        certificate = operator.home / "own.pem"
        subject = openssl("x509", "-in", certificate, "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus_space")
        assert "CN = Zhao Min" in subject.replace("CN=", "CN = ")
        assert "Demo Trading" in subject
        assert "good" in ask_ocsp(demo, tmp_path, "-cert", certificate)

        page.goto(f"{demo.url}/me/company")
        expect(page.locator("article .status")).to_contain_text("active")
        picture(page, "company-3-operator")
        page.get_by_role("link", name="Hold this certificate").click()
        page.get_by_role("button", name="Hold it, signed with my U-Shield").click()
        computer.screen.answer(TITLE, PASSWORD)
        expect(page.locator("article .status")).to_contain_text("on hold")
        picture(page, "company-4-held")

    answer = ask_ocsp(demo, tmp_path, "-cert", certificate)
    assert "revoked" in answer
    assert "certificateHold" in answer


def approved_and_downloaded(computer: Computer, page: Page, demo: Demo, home: Path) -> Computer:
    """The bank's part, and the operator's on another computer."""
    application = page.locator("article code").first.inner_text()
    demo.checker.approve(application)
    case = demo.maker.call(case_ops.ShowCase, application=application)["case"]
    assert case["asked"]["administrator"]
    codes = demo.maker.call(ops.HandOutCodes, application=application)
    page.reload()
    expect(page.get_by_text(codes["reference_number"])).to_be_visible()
    home.mkdir()
    operator = Computer(home, demo, computer.screen)
    operator.new_ushield("Operator")
    operator.download_with(codes, PASSWORD)
    return operator
