"""A release of the customer's tool: which files, of which version, and how long that may be believed (THREATS T-42).

The number only grows, so whoever has seen a newer release takes no older one; it is over after a week, so nobody can
be kept on an old one for ever.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ca.domain.errors import InvalidRequest

KIND = "vermilion-release"
LIFE = timedelta(days=7)
RENEWED_AFTER = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class SupportedProvider:
    """A driver (PKCS#11 module, CSP) that customers' tools may load, and where it is on each kind of computer."""

    name: str
    title: str
    linux: tuple[str, ...]
    macos: tuple[str, ...]
    windows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """A file to be downloaded."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Offered:
    """A file as a release names it. `length` in octets."""

    sha256: str
    length: int

    def is_of(self, content: bytes) -> bool:
        """Whether these are its octets."""
        return len(content) == self.length and hashlib.sha256(content).hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class ToolRelease:
    """What is signed. Times are aware UTC, whole seconds."""

    number: int
    version: str
    made_at: datetime
    expires_at: datetime
    files: dict[str, Offered]

    @classmethod
    def of(cls, packed: Sequence[Packed], *, number: int, version: str, now: datetime) -> "ToolRelease":
        files = {one.name: Offered(one.sha256, len(one.content)) for one in packed}
        return cls(number, version, now, now + LIFE, files)

    @classmethod
    def parse(cls, claims: dict[str, Any]) -> "ToolRelease":
        """Raise InvalidRequest for claims that are not a release's."""
        try:
            if claims["v"] != 1:
                raise ValueError("another version")
            files = {str(name): Offered(str(of["sha256"]), int(of["length"])) for name, of in claims["files"].items()}
            made, expires = (datetime.fromtimestamp(int(claims[name]), UTC) for name in ("iat", "exp"))
            return cls(int(claims["number"]), str(claims["version"]), made, expires, files)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
            raise InvalidRequest("these claims are no release of the tool") from error

    def claims(self) -> dict[str, Any]:
        """As they are signed; times in seconds since 1970."""
        return {
            "v": 1,
            "number": self.number,
            "version": self.version,
            "iat": int(self.made_at.timestamp()),
            "exp": int(self.expires_at.timestamp()),
            "files": {name: {"sha256": of.sha256, "length": of.length} for name, of in sorted(self.files.items())},
        }

    def is_current(self, packed: Sequence[Packed], version: str, now: datetime) -> bool:
        """Whether it names exactly these files and is young enough to be left as it is."""
        same = self.files == {one.name: Offered(one.sha256, len(one.content)) for one in packed}
        return same and version == self.version and self.made_at <= now < self.made_at + RENEWED_AFTER
