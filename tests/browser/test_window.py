"""The tool's window alone: one U-Shield among several is chosen by keyboard, in either language."""

import subprocess
import sys

import pytest

from tests.browser.screen import Screen, screen
from tests.integration.system.running import REPOSITORY, environment

pytestmark = pytest.mark.window

CHOOSE = (
    "from ushield.window import Window; from ushield.words import Words; "
    "print(Window('Bank', 'https://bank.example', 'Sign in to the bank', '', Words({language!r}))"
    ".choose(['Mine · 0A1B · SoftHSM', 'Other · 77FF · OpenSC'], {first}))"
)


def chosen(shown: Screen, language: str, first: int, *keys: str) -> str:
    running = subprocess.Popen(
        [sys.executable, "-c", CHOOSE.format(language=language, first=first)],
        env=environment(DISPLAY=shown.display),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    window = shown.wait("U-Shield")
    shown.press(window, *keys)
    return running.communicate(timeout=60)[0].strip()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_marked_u_shield_is_taken_by_return_and_another_by_keys(language: str) -> None:
    with screen() as shown:
        assert chosen(shown, language, 1, "Return") == "1"
        assert chosen(shown, language, 0, "Tab", "space", "Return") == "1"
