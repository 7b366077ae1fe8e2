"""The port to the public place, where relying parties find CRLs, CA certificates and bundles."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ca.domain.bundle import BundleKind
from ca.domain.tool_releases import Packed


class PublishedFile(Protocol):
    """A file of the public place, open: it stays what it was when another one takes its place."""

    @property
    def version(self) -> Hashable:
        """Differs as soon as anything was written since."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes:
        """So many octets from an offset on; fewer at the end."""


class ToolOffer(Protocol):
    """Where customers download the tool from."""

    def find_manifest(self) -> str | None:
        """The signed list of files that is offered now."""

    def holds(self, packed: Sequence[Packed]) -> bool:
        """Whether these files are there, octet for octet."""

    def read(self, name: str) -> bytes | None:
        """A file as it is there; its name comes from our own log."""

    def put(self, packed: Sequence[Packed], manifest: str) -> None:
        """Files first, the list last; whole and on disk when this returns."""

    def withdraw(self) -> None:
        """No list is offered any more; the files stay."""


class DraftFile(Protocol):
    """A list that is being made, too long for memory: nobody sees it before it is published."""

    @property
    def size(self) -> int: ...

    def write(self, chunk: bytes) -> None: ...

    def __iter__(self) -> Iterator[bytes]:
        """What was written, in chunks, from its beginning each time."""

    def publish(self, before: bytes, after: bytes) -> None:
        """Put it into the public place, between these; whole and on disk when this returns."""


class Publisher(Protocol):
    """The public place for CRLs, CA certificates and bundles; a reader sees the old file or the new one, never half.

    Whoever can write there may have changed what it holds, so it is verified before use. Of each CRL a copy is kept
    where only we can write.
    """

    def turn(self) -> AbstractContextManager[None]:
        """One at a time publishes CRLs, over all processes that share the public place."""

    def find_crl(self, name: str) -> AbstractContextManager[PublishedFile | None]:
        """What the public place holds now."""

    def find_copy(self, name: str) -> AbstractContextManager[PublishedFile | None]:
        """Our own copy of what was published last."""

    def draft_crl(self, name: str) -> AbstractContextManager[DraftFile]:
        """A new file; leaving the block without having published it leaves nothing behind."""

    def publish_certificate(self, issuer: str, der: bytes) -> None: ...

    def find_bundle(self, issuer: str, kind: BundleKind) -> bytes | None: ...

    def publish_bundle(self, issuer: str, kind: BundleKind, content: bytes) -> None: ...
