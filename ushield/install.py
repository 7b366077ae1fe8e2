"""Telling the browsers of this computer about the native-messaging host: one small file each, for this user alone."""

import json
import shlex
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ushield.bank_file import BankFile
from ushield.errors import BrowserUnknown, NotesDirUnusable

HOST = "com.vermilion.ushield"
"""What the extension asks the browser for."""

# Where each browser looks, below the home directory (Chrome and Firefox documentation of native messaging).
_LINUX = {
    "chromium": ".config/chromium/NativeMessagingHosts",
    "chrome": ".config/google-chrome/NativeMessagingHosts",
    "edge": ".config/microsoft-edge/NativeMessagingHosts",
    "firefox": ".mozilla/native-messaging-hosts",
}
_MACOS = {
    "chromium": "Library/Application Support/Chromium/NativeMessagingHosts",
    "chrome": "Library/Application Support/Google/Chrome/NativeMessagingHosts",
    "edge": "Library/Application Support/Microsoft Edge/NativeMessagingHosts",
    "firefox": "Library/Application Support/Mozilla/NativeMessagingHosts",
}
# On Windows the place is free and a key of the registry names it.
_WINDOWS = {
    "chromium": r"Software\Chromium\NativeMessagingHosts",
    "chrome": r"Software\Google\Chrome\NativeMessagingHosts",
    "edge": r"Software\Microsoft\Edge\NativeMessagingHosts",
    "firefox": r"Software\Mozilla\NativeMessagingHosts",
}
_PLACES: Mapping[str, str] = _MACOS if sys.platform == "darwin" else _WINDOWS if sys.platform == "win32" else _LINUX
BROWSERS = tuple(_PLACES)
_LAUNCHER = "host.bat" if sys.platform == "win32" else "host"


@dataclass(frozen=True)
class Installer:
    """Writes the launcher once, and a file for each browser."""

    bank: BankFile
    home: Path
    directory: Path
    """Where the launcher is kept."""
    environment: Mapping[str, str]
    """What a browser does not pass on and the tool needs: the demo's U-Shields are in a directory of their own."""

    def __call__(self, browser: str) -> Path:
        """The file that was written. Raises BrowserUnknown, NotesDirUnusable."""
        if browser not in _PLACES:
            raise BrowserUnknown(f"There is no browser {browser} known here. Known are {', '.join(BROWSERS)}.")
        if sys.platform == "win32":
            return self._registered(browser)
        return self.into(self.home / _PLACES[browser], is_firefox=browser == "firefox")

    def into(self, place: Path, *, is_firefox: bool = False) -> Path:
        """The same for a browser whose folder is elsewhere, as one with a profile of its own."""
        description = {
            "name": HOST,
            "description": f"U-Shield tool of {self.bank.name}",
            "path": str(self._launcher()),
            "type": "stdio",
        }
        if is_firefox:
            description["allowed_extensions"] = [self.bank.firefox_extension]  # type: ignore[assignment]
        else:
            description["allowed_origins"] = [f"chrome-extension://{self.bank.extension}/"]  # type: ignore[assignment]
        return _written(place / f"{HOST}.json", json.dumps(description, indent=2) + "\n")

    def _registered(self, browser: str) -> Path:
        import winreg  # Windows only

        file = self.into(self.directory / browser, is_firefox=browser == "firefox")
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, rf"{_PLACES[browser]}\{HOST}") as key:  # type: ignore[attr-defined]
            winreg.SetValueEx(key, "", 0, winreg.REG_SZ, str(file))  # type: ignore[attr-defined]
        return file

    def _launcher(self) -> Path:
        """A browser starts one program without arguments of ours; it must name the interpreter by its whole path."""
        package = Path(__file__).resolve().parent
        archive = package.parent
        program = [sys.executable, "-I", str(archive)] if archive.is_file() else [sys.executable, "-P", "-m", "ushield"]
        search = {} if archive.is_file() else {"PYTHONPATH": str(archive)}
        variables = {**search, **self.environment}
        if sys.platform == "win32":
            lines = ["@echo off", *(f'set "{name}={value}"' for name, value in variables.items())]
            lines.append(" ".join(f'"{word}"' for word in program) + " host %*")
        else:
            lines = ["#!/bin/sh", *(f"export {name}={shlex.quote(value)}" for name, value in variables.items())]
            lines.append("exec " + shlex.join(program) + ' host "$@"')
        launcher = _written(self.directory / _LAUNCHER, "\n".join(lines) + "\n")
        launcher.chmod(stat.S_IRWXU)
        return launcher


def _written(file: Path, text: str) -> Path:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = file.with_name(file.name + ".new")
        new.write_text(text, "utf-8")
        new.replace(file)
    except OSError as error:
        raise NotesDirUnusable(
            f"{file} cannot be written: {error.strerror}. Nothing was installed. Make room or make it yours."
        ) from error
    return file
