"""A directory with the packages of the customer's tool and their signed list: the adapter of publishing.ToolOffer."""

from collections.abc import Sequence
from pathlib import Path

from ca.adapters.files import write_atomically
from ca.domain.tool_releases import Packed

MANIFEST, HASHES = "release.jws", "SHA256SUMS"


class ToolDirectory:
    """publishing.ToolOffer."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find_manifest(self) -> str | None:
        try:
            return (self._directory / MANIFEST).read_text("ascii")
        except (OSError, ValueError):
            return None

    def holds(self, packed: Sequence[Packed]) -> bool:
        try:
            return all((self._directory / one.name).read_bytes() == one.content for one in packed)
        except OSError:
            return False

    def read(self, name: str) -> bytes | None:
        try:
            return (self._directory / name).read_bytes()
        except OSError:
            return None

    def withdraw(self) -> None:
        for name in (MANIFEST, HASHES):
            (self._directory / name).unlink(missing_ok=True)

    def put(self, packed: Sequence[Packed], manifest: str) -> None:
        # As said, whatever the umask: a service's may be open for its socket's sake.
        self._directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        for one in packed:
            write_atomically(self._directory / one.name, one.content)
        hashes = "".join(f"{one.sha256}  {one.name}\n" for one in packed)
        write_atomically(self._directory / HASHES, hashes.encode("ascii"))
        write_atomically(self._directory / MANIFEST, manifest.encode("ascii"))
