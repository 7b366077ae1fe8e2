"""Releases of this tool: which one the bank offers, and whether it may take our place (docs/protocols/release.md).

A release is believed when the bank's release key signed it, it is not over, its number is not below the highest seen
before and its version not below our own: nobody can bring an old tool with an old hole back (THREATS T-42).
"""

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from ushield.bank_file import BankFile
from ushield.errors import NotesDirUnusable, PackageAltered, ReleaseExpired, ReleaseNotOurs, ReleaseOlder
from ushield.jws import signed_claims

KIND = "vermilion-release"
TOOL = "ushield.pyz"
_SEEN = "release-seen"
_MANIFEST, _LARGEST_MANIFEST = "release.jws", 64 * 1024


@dataclass(frozen=True, slots=True)
class Release:
    """What was verified."""

    number: int
    version: str
    sha256: str
    length: int


class Offers(Protocol):
    """The bank's page Download Software Tool."""

    def offered(self, name: str, longest: int) -> bytes: ...


def running() -> Path | None:
    """The file of the packed tool that is running; None when it is no packed one."""
    place = Path(__file__).resolve().parent.parent
    return place if place.is_file() else None


def newest(server: Offers, bank: BankFile, *, now: int) -> Release:
    """Fetched and verified. Raises what `verify` raises, and what the server's absence does."""
    return verify(server.offered(_MANIFEST, _LARGEST_MANIFEST).decode("ascii", "replace"), bank, now=now)


def verify(text: str, bank: BankFile, *, now: int) -> Release:
    """The release that the bank offers now. Raises ReleaseNotOurs, ReleaseExpired."""
    try:
        claims = signed_claims(KIND, text, bank.release_key)
        tool = claims["files"][TOOL]
        release = Release(int(claims["number"]), str(claims["version"]), str(tool["sha256"]), int(tool["length"]))
        version_of(release.version)
        if claims["v"] != 1:
            raise ValueError("another version")
        expires = int(claims["exp"])
    except (ValueError, KeyError, TypeError):
        raise ReleaseNotOurs(
            "What the server offers as the newest tool was not signed by the bank. Nothing was changed. "
            "Call the hotline."
        ) from None
    if now > expires:
        raise ReleaseExpired(
            "What the server offers as the newest tool is out of date, or this computer's clock is wrong. Nothing was "
            "changed. Check date and time and try again; if this stays, call the hotline."
        )
    return release


def version_of(text: str) -> tuple[int, ...]:
    """Comparable. Raises ValueError."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6}){1,3}", text):
        raise ValueError("not a version")
    return tuple(int(part) for part in text.split("."))


@dataclass(frozen=True)
class Seen:
    """The highest release number met so far, in the state directory."""

    directory: Path

    def require_not_older(self, release: Release, running: str) -> None:
        """Raise ReleaseOlder for one below what was seen, or below the running version; remember it otherwise."""
        if release.number < self._number() or version_of(release.version) < version_of(running):
            raise ReleaseOlder(
                f"The server offers an older tool (version {release.version}) than was seen before. Somebody may want "
                "to bring back an old one. Nothing was changed. Call the hotline."
            )
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self.directory / _SEEN, f"{release.number}\n".encode("ascii"))
        except OSError as error:
            raise NotesDirUnusable(
                f"The directory {self.directory} cannot be used: {error.strerror}. Nothing was changed. "
                "Make room or make it yours."
            ) from error

    def _number(self) -> int:
        try:
            return int((self.directory / _SEEN).read_text("ascii"))
        except (OSError, ValueError):
            return 0


def replace_tool(place: Path, release: Release, fetch: Callable[[int], bytes]) -> None:
    """Put the release's tool where the running one lies, whole or not at all.

    `fetch` is told how many octets are expected. Raises PackageAltered, NotesDirUnusable.
    """
    content = fetch(release.length)
    if len(content) != release.length or sha256(content).hexdigest() != release.sha256:
        raise PackageAltered(
            "The tool that was downloaded is not the one that the bank signed. Nothing was changed. Try again; if this "
            "stays, call the hotline."
        )
    try:
        _replace(place, content, mode=stat.S_IMODE(place.stat().st_mode))
    except OSError as error:
        raise NotesDirUnusable(
            f"{place} cannot be replaced: {error.strerror}. Nothing was changed. Make it yours, or download the tool "
            "from the bank's page."
        ) from error


def _replace(place: Path, content: bytes, *, mode: int = 0o600) -> None:
    new = place.with_name(f".{place.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(mode)
    new.replace(place)
