"""Renew my Certificate in the browser: the old key asks, the new one proves itself, the old certificate ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from playwright.sync_api import Page, expect

from tests.browser.computer import Computer, picture
from tests.browser.screen import screen
from tests.integration.system.clients import ask_ocsp
from tests.integration.system.running import Demo

pytestmark = [pytest.mark.browser, pytest.mark.socket, pytest.mark.softhsm, pytest.mark.window, pytest.mark.openssl]

PASSWORD, TITLE = "Branch26", "U-Shield"


@pytest.fixture
def computer(renewing_demo: Demo, tmp_path: Path) -> Iterator[Computer]:
    with screen() as shown:
        made = Computer(tmp_path, renewing_demo, shown)
        made.download(PASSWORD)
        made.install()
        yield made


def _renewing(page: Page, computer: Computer) -> None:
    """Signed in with the U-Shield, on the page that renews the certificate."""
    page.goto(f"{computer.demo.url}/sign-in")
    page.get_by_role("button", name="Sign in with my U-Shield").click()
    computer.screen.answer(TITLE, PASSWORD)
    page.get_by_role("link", name="Renew my Certificate").first.click()


def test_pulled_out_and_plugged_in_again_a_certificate_is_renewed_and_the_old_one_ends(
    computer: Computer, tmp_path: Path
) -> None:
    bank = computer.demo
    tokens, away, old = computer.tokens / "tokens", computer.tokens / "away", tmp_path / "own.pem"
    with computer.browser() as browser:
        page = browser.new_page()
        _renewing(page, computer)
        picture(page, "renew-1-page")
        page.get_by_role("button", name="Renew my Certificate").click()
        computer.screen.wait(TITLE)
        tokens.rename(away)
        computer.screen.answer(TITLE, PASSWORD)
        expect(page.locator("#say")).to_contain_text("Nothing is lost")
        assert "good" in ask_ocsp(bank, tmp_path, "-cert", old)
        away.rename(tokens)

        page.get_by_role("button", name="Renew my Certificate").click()
        computer.screen.answer(TITLE, PASSWORD)
        expect(page.locator("#done")).to_be_visible()
        picture(page, "renew-2-done")
        page.goto(f"{bank.url}/me")
        expect(page.locator("article .status")).to_contain_text(["active", "ended"])
        page.goto(f"{bank.url}/check")
        expect(page.locator("#check-issued")).to_contain_text("the bank gave it to you")
        expect(page.locator("#check-status")).to_contain_text("your certificate holds")
        picture(page, "renew-3-check")

    answer = ask_ocsp(bank, tmp_path, "-cert", old)
    assert "revoked" in answer
    assert "superseded" in answer


def test_where_the_profile_allows_it_a_renewal_keeps_the_key(computer: Computer, tmp_path: Path) -> None:
    bank, old = computer.demo, tmp_path / "own.pem"
    done = computer.tool(
        *("renew", "--same-key", "--server", bank.url, "--ca-file", bank.root_pem, "--token-dir", computer.tokens),
        *("--password-file", tmp_path / "password"),
    )
    (tmp_path / "new.pem").write_text(done["certificate"])
    keys = {
        x509.load_pem_x509_certificate(file.read_bytes()).public_key().public_numbers()  # type: ignore[union-attr]
        for file in (old, tmp_path / "new.pem")
    }

    assert done["status"] == "active"
    assert len(keys) == 1
    assert "superseded" in ask_ocsp(bank, tmp_path, "-cert", old)
    assert "good" in ask_ocsp(bank, tmp_path, "-cert", tmp_path / "new.pem")
