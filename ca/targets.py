"""The port to further places of publication, beside the directory that is the truth (docs/adr/0021)."""

from dataclasses import dataclass
from typing import Protocol

from ca.publishing import PublishedFile


@dataclass(frozen=True, slots=True)
class Item:
    """A published file, by its path under the public place: `crl/issuing.crl`, `bundle/issuing.patch`."""

    path: str
    number: int
    """Of a CRL or bundle; a higher one is newer. 0 for a CA's certificate."""
    sha256: str
    """In hexadecimal."""
    media_type: str
    max_age: int
    """Seconds for which a cache may keep it."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a target holds under a path. `tag` names this version of it to the target."""

    number: int
    sha256: str
    tag: str = ""


class Target(Protocol):
    """A place of publication. Raises NotReady for all that may pass by itself: away, slow, refusing."""

    @property
    def name(self) -> str: ...

    def takes(self, path: str) -> bool:
        """Whether this kind of place has room for this kind of file."""

    def find(self, path: str) -> Held | None:
        """What is there now; None when nothing of ours."""

    def put(self, item: Item, content: PublishedFile, over: Held | None) -> None:
        """Put it there, whole or not at all, unless something else than `over` has come there meanwhile."""
