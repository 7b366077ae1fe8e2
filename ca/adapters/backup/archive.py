"""The parts of a backup, one after another in a tar (POSIX.1-2001 pax), the manifest and its signature at the end.

Tar, so that a backup can still be opened with `age -d` and `tar` when this program is long gone. Written and read in
one go from front to back.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self

from ca.domain.backups import MANIFEST, SIGNATURE, Manifest, require_part_name
from ca.domain.errors import NotReady, Tampered

_PIECE = 1 << 20
_LARGEST_KEPT = 64 << 20
"""Octets of a manifest: a line for each file that is published."""


class Readable(Protocol):
    """What a part is read from."""

    def read(self, size: int = -1, /) -> bytes: ...


class ArchiveWriter:
    """Puts parts into a stream and knows their digests. As a context it ends the tar, whether it is whole or not."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w|", bufsize=_PIECE, format=tarfile.PAX_FORMAT)  # noqa: SIM115  closed at its own end
        self.parts: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(OSError):
            self._tar.close()

    def add(self, name: str, content: Readable, size: int, mode: int = 0o600) -> None:
        """The first `size` octets of it. Raises NotReady when there are fewer."""
        hashing = _Hashing(content, size)
        try:
            self._tar.addfile(_member(require_part_name(name), size, mode), hashing)
        except OSError as error:
            raise NotReady(f"{name} changed while it was copied; begin the backup again") from error
        self.parts[name] = hashing.digest.hexdigest()

    def add_bytes(self, name: str, content: bytes, mode: int = 0o600) -> None:
        """A small one."""
        self.add(name, io.BytesIO(content), len(content), mode)

    def finish(self, manifest: bytes, signature: bytes) -> None:
        """The last two."""
        for name, content in ((MANIFEST, manifest), (SIGNATURE, signature.hex().encode() + b"\n")):
            self._tar.addfile(_member(name, len(content), 0o600), io.BytesIO(content))
        self._tar.close()


Take = Callable[[str, Readable, int], None]
"""What is done with a part: its name, what it is read from, and its mode."""


def read_archive(stream: io.RawIOBase, take: Take) -> tuple[Manifest, bytes, bytes]:
    """Hand over part after part; the manifest, its octets and its signature, when every part is what it says.

    Raises Tampered. What `take` was given is then worth nothing.
    """
    digests: dict[str, str] = {}
    last: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BufferedReader(stream, _PIECE), mode="r|") as tar:
            for member in tar:
                name = require_part_name(member.name)
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or name in digests or name in last:
                    raise Tampered(f"the backup has {name} twice, or as no file")
                if name in {MANIFEST, SIGNATURE} and member.size <= _LARGEST_KEPT:
                    last[name] = content.read()
                    continue
                hashing = _Hashing(content, member.size)
                take(name, hashing, member.mode & 0o777)
                while hashing.read(_PIECE):
                    pass  # what nobody wanted has a digest, too
                digests[name] = hashing.digest.hexdigest()
        while stream.read(_PIECE):
            pass  # what tar fills up with: only when it was read, too, is it proven that nothing was cut off
    except (tarfile.TarError, ValueError) as error:
        raise Tampered("the backup is not written as ours are") from error
    if set(last) != {MANIFEST, SIGNATURE}:
        raise Tampered("the backup has no manifest: it was not finished")
    manifest = Manifest.parse(last[MANIFEST])
    _require_same(manifest, digests)
    try:
        return manifest, last[MANIFEST], bytes.fromhex(last[SIGNATURE].decode("ascii"))
    except ValueError as error:
        raise Tampered("the signature of the backup's manifest cannot be read") from error


def _require_same(manifest: Manifest, digests: dict[str, str]) -> None:
    for name in manifest.parts.keys() | digests.keys():
        if manifest.parts.get(name) != digests.get(name):
            raise Tampered(f"{name} is not what the backup's manifest says, or is missing: take another backup")


class _Hashing:
    """The first octets of a file, counted and hashed as they are read."""

    def __init__(self, content: Readable, size: int) -> None:
        self._content, self._left = content, size
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        piece = self._content.read(wanted) if wanted else b""
        self.digest.update(piece)
        self._left -= len(piece)
        return piece


def _member(name: str, size: int, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, mode
    return member


def write_part(path: Path, content: Readable, mode: int) -> None:
    """Into a new file, on disk when it returns. Others may enter its folders as far as they may read it."""
    _make_folder(path.parent, 0o700 | (mode & 0o044) | (mode & 0o044) >> 2)
    with path.open("xb") as file:
        path.chmod(mode)
        while piece := content.read(_PIECE):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _make_folder(folder: Path, mode: int) -> None:
    if not folder.exists():
        _make_folder(folder.parent, mode)
        folder.mkdir()
        folder.chmod(mode)
