"""A customer's computer: a browser with the bank's extension, the bank's tool, and U-Shields (SoftHSM tokens)."""

import json
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import sync_playwright as playwright_in_this_thread

from tests.browser.chromium import ARGUMENTS, CHROMIUM, PATIENCE_MS
from tests.browser.screen import Screen
from tests.integration.system.running import Demo, environment, run


def picture(page: Page, name: str) -> None:
    """Kept in the directory that SCREENSHOTS names."""
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(directory) / f"{name}.png"), full_page=True)


@dataclass(frozen=True)
class Computer:
    """A customer's, with the tool installed from what the bank offers."""

    home: Path
    demo: Demo
    screen: Screen

    @property
    def profile(self) -> Path:
        return self.home / "profile"

    @property
    def tokens(self) -> Path:
        return self.home / "tokens"

    def tool(self, command: str, *options: object) -> dict[str, Any]:
        pyz = self.demo.offered / "ushield.pyz"
        ran = run(sys.executable, pyz, command, *options, "--json", HOME=str(self.home), PYTHONPATH="")
        assert ran.status == 0, ran
        return json.loads(ran.out)

    def new_ushield(self, label: str = "My U-Shield") -> str:
        return self.tool("init", "--label", label, "--token-dir", self.tokens)["serial"]

    def install(self) -> None:
        self.tool("install", "--profile", self.profile, "--token-dir", self.tokens)

    @contextmanager
    def browser(self, *more: str) -> Iterator[BrowserContext]:
        extension = self.home / "extension"
        zipfile.ZipFile(self.demo.offered / "ushield-chromium.zip").extractall(extension)
        with playwright_in_this_thread() as playwright:
            context = playwright.chromium.launch_persistent_context(
                self.profile,
                executable_path=CHROMIUM,
                headless=False,
                args=[*ARGUMENTS, "--headless=new", f"--load-extension={extension}",
                      f"--disable-extensions-except={extension}", *more],
                env=environment(HOME=str(self.home), DISPLAY=self.screen.display),
                ignore_https_errors=True,
                viewport={"width": 900, "height": 1100},
                timeout=PATIENCE_MS,
            )  # fmt: skip
            context.set_default_timeout(PATIENCE_MS)
            try:
                yield context
            finally:
                context.close()

    def download(self, password: str, profile: str = "personal-signing") -> str:
        """A certificate by the command line; its serial number in hex."""
        (codes,) = self.demo.codes(profile, device_serial=self.new_ushield())
        return self.download_with(codes, password)

    def download_with(self, codes: Mapping[str, Any], password: str) -> str:
        """The same with codes that are there, into the one U-Shield of this computer."""
        (self.home / "code").write_text(codes["authorization_code"])
        (self.home / "password").write_text(password)
        done = self.tool(
            *("download", "--server", self.demo.url, "--ca-file", self.demo.root_pem, "--token-dir", self.tokens),
            *("--reference", codes["reference_number"], "--code-file", self.home / "code"),
            *("--password-file", self.home / "password"),
        )
        (self.home / "own.pem").write_text(done["certificate"])
        return str(done["serial"])
