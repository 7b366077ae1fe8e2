"""The U-Shield pulled out as each step of a download begins, in the browser; then the button pressed again."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.computer import Computer
from tests.browser.screen import screen
from tests.integration.system.running import REPOSITORY, Demo
from ushield.download import Step

pytestmark = [
    pytest.mark.campaign, pytest.mark.browser, pytest.mark.socket, pytest.mark.softhsm, pytest.mark.window
]  # fmt: skip
PASSWORD, TITLE = "Branch26", "U-Shield"


@pytest.fixture
def computer(demo: Demo, tmp_path: Path) -> Iterator[Computer]:
    with screen() as shown:
        yield Computer(tmp_path, demo, shown)


@contextmanager
def plugged_out(computer: Computer, step: Step) -> Iterator[None]:
    """Whoever starts the tool meanwhile has it pulled out at this step."""
    (launcher,) = (computer.home / ".local" / "state" / "ushield").glob("*host*")
    installed = launcher.read_text()
    search = f"{computer.demo.offered / 'ushield.pyz'}:{REPOSITORY}"
    words = [sys.executable, "-P", str(REPOSITORY / "tests" / "browser" / "pulling_host.py"), step.name]
    words += [str(computer.tokens / "tokens"), str(computer.tokens / "away")]
    lines = [line for line in installed.splitlines() if not line.startswith("exec ")]
    lines += [f"export PYTHONPATH={shlex.quote(search)}", f'exec {shlex.join(words)} "$@"']
    launcher.write_text("\n".join(lines) + "\n")
    yield
    launcher.write_text(installed)
    (computer.tokens / "away").rename(computer.tokens / "tokens")


def _type_until_told(page: Page, computer: Computer, answers: list[tuple[str, ...]]) -> None:
    """Answer the tool's windows, as many as come before the page tells how it ended."""
    answers = list(answers)
    told = page.locator("#failed:visible, #done:visible")
    while not told.count():
        if answers and computer.screen.windows(TITLE):
            computer.screen.answer(TITLE, *answers.pop(0))
        page.wait_for_timeout(100)


@pytest.mark.parametrize("step", list(Step), ids=lambda step: step.name)
def test_a_download_goes_on_from_any_step(computer: Computer, demo: Demo, step: Step) -> None:
    serial = computer.new_ushield()
    computer.install()
    (codes,) = demo.codes("personal-signing", device_serial=serial)

    answers = [(codes["authorization_code"],), (PASSWORD, PASSWORD)]

    with computer.browser() as browser:
        page = browser.new_page()
        page.goto(f"{demo.url}/download")
        expect(page.locator("#check-password")).to_have_class("good")
        page.get_by_role("textbox", name="Reference number").fill(codes["reference_number"])
        with plugged_out(computer, step):
            page.get_by_role("button", name="Download my Certificate").click()
            _type_until_told(page, computer, answers)
            failed = page.locator("#failed")
            # What a driver tells of a U-Shield that is gone differs; what to do does not.
            assert not failed.is_visible() or "run the same command" in (failed.text_content() or "")

        if failed.is_visible():
            page.get_by_role("button", name="Download my Certificate").click()
            # With the certificate on the U-Shield the bank need not be asked for it: the password is all.
            again = [(PASSWORD,)] if step in {Step.CHECK, Step.CONFIRM} else answers
            _type_until_told(page, computer, again)
        expect(page.locator("#done-status")).to_have_text("active")

    (computer.home / "password").write_text(PASSWORD)
    shown = computer.tool("show", "--token-dir", computer.tokens, "--password-file", computer.home / "password")
    assert [entry["certificate_matches_key"] for entry in shown["entries"]] == [True]
    # SoftHSM does not tell that it is gone while the note is removed, so the note is there again with the U-Shield.
    assert shown["unfinished"] == [] or step is Step.TIDY
