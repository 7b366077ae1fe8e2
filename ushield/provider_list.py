"""The list of providers (PKCS#11 modules, CSP) that are supported: their names, and where vendors install them.

The bank's own list is in `bank.json`, inside the signed package; a tool that no bank built brings `providers.toml`.
"""

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

NAME = "providers.toml"
_SYSTEM = {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")
_KEYS = {"name", "title", "linux", "macos", "windows"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A provider that may be installed."""

    name: str
    """For --provider."""
    title: str
    """For customers."""
    places: tuple[str, ...]
    """Where its module is on this kind of computer: absolute paths, perhaps with `*`."""

    def modules(self) -> Iterator[Path]:
        """Those that are there."""
        for pattern in self.places:
            path = Path(pattern)
            yield from sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def listed(entries: Any) -> tuple[Listed, ...]:
    """Raise ValueError, KeyError or TypeError for anything but a list that can be believed whole."""
    read = tuple(_listed(entry) for entry in entries)
    if not read or len({one.name for one in read}) != len(read):
        raise ValueError("no provider, or two with one name")
    return read


def _listed(entry: dict[str, Any]) -> Listed:
    if set(entry) - _KEYS:
        raise ValueError("something unknown about a provider")
    name, title, places = entry["name"], entry["title"], entry.get(_SYSTEM, [])
    if not all(isinstance(text, str) and text for text in (name, title, *places)):
        raise ValueError("not text")
    if not all(Path(place).is_absolute() and ".." not in Path(place).parts for place in places):
        raise ValueError("not an absolute path")
    return Listed(name, title, tuple(places))


def brought_along() -> tuple[Listed, ...]:
    """The list of a tool that no bank built."""
    return listed(tomllib.loads(files("ushield").joinpath(NAME).read_text("utf-8"))["provider"])
