"""A screen that nobody sees (Xvfb), and a person at its keyboard (xdotool): for the tool's own windows."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Screen:
    """What is on it is asked of X, as xdotool does."""

    display: str

    def windows(self, title: str) -> list[str]:
        return self._xdotool("search", "--onlyvisible", "--name", f"^{title}$").split()

    def answer(self, title: str, *lines: str) -> None:
        """Type into the fields of the next window with this title, press Return, and see it go."""
        window = self.try_out(title, *lines)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while window in self.windows(title):
            assert time.monotonic() < deadline, f"the window {title} stays"
            time.sleep(0.05)

    def try_out(self, title: str, *lines: str) -> str:
        """The same without waiting for it to go."""
        window = self.wait(title)
        self._xdotool("windowfocus", "--sync", window)
        self.type(*lines)
        return window

    def wait(self, title: str) -> str:
        """The window with this title, once there is one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := self.windows(title)):
            assert time.monotonic() < deadline, f"no window {title}"
            time.sleep(0.05)
        return found[0]

    def type(self, *lines: str) -> None:
        for place, line in enumerate(lines):
            if place:
                self._xdotool("key", "Tab")
            self._xdotool("type", "--delay", "5", line)
        self._xdotool("key", "Return")

    def press(self, window: str, *keys: str) -> None:
        self._xdotool("windowfocus", "--sync", window)
        for key in keys:
            self._xdotool("key", key)

    def picture(self, file: Path) -> None:
        """As PNG, where ImageMagick is installed."""
        if shutil.which("import"):
            subprocess.run(["import", "-window", "root", str(file)], env=self._environment(), check=False)

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "DISPLAY": self.display}

    def _xdotool(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=self._environment(), capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout


@contextmanager
def screen() -> Iterator[Screen]:
    """A display of its own; X picks a free number and says which."""
    read, write = os.pipe()
    with os.fdopen(read) as told:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
            pass_fds=(write,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        try:
            number = told.readline().strip()
            assert number, "Xvfb did not start"
            yield Screen(f":{number}")
        finally:
            server.terminate()
            server.wait(timeout=30)
