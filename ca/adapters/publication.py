"""The public place as a directory: `crl/<name>.crl` and `ca/<issuer>.cer`, DER (RFC 5280 section 4.2.1.13, RFC 2585).

A reader sees the old file or the new one, never half: written beside it, flushed to disk, then renamed over it. The
copy of each CRL that stays with us is a second name of the same file, so it costs no room.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ca.domain.errors import InvalidRequest

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CHUNK = 1024 * 1024


class OpenFile:
    """ports of `ca/publishing.py`: PublishedFile over a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        now = os.fstat(descriptor)
        self.size = now.st_size
        # Not the time of the last change of the inode: a second name of the file changes that.
        self.version: Hashable = (now.st_dev, now.st_ino, now.st_mtime_ns, now.st_size)

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)


class DirectoryDraft:
    """DraftFile as a file without a name; a crash leaves nothing of it."""

    def __init__(self, path: Path, copy: Path, file: IO[bytes]) -> None:
        self._path = path
        self._copy = copy
        self._file = file
        self.size = 0

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.size += len(chunk)

    def __iter__(self) -> Iterator[bytes]:
        self._file.flush()
        offset = 0
        while chunk := os.pread(self._file.fileno(), _CHUNK, offset):
            yield chunk
            offset += len(chunk)

    def publish(self, before: bytes, after: bytes) -> None:
        _replace(self._path, self._whole(before, after), self._copy)

    def _whole(self, before: bytes, after: bytes) -> Iterator[bytes]:
        yield before
        yield from self
        yield after


class DirectoryPublisher:
    """Publishes into a directory that the status process serves, or a mirror copies; keeps copies in another one."""

    def __init__(self, directory: Path, copies: Path) -> None:
        self._directory = directory
        self._copies = copies

    @contextmanager
    def turn(self) -> Iterator[None]:
        place = self._directory / "crl"
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(place / ".turn", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def find_crl(self, name: str) -> Iterator[OpenFile | None]:
        with _opened(self._path(name)) as found:
            yield found

    @contextmanager
    def find_copy(self, name: str) -> Iterator[OpenFile | None]:
        with _opened(self._copy(name)) as found:
            yield found

    @contextmanager
    def draft_crl(self, name: str) -> Iterator[DirectoryDraft]:
        path = self._path(name)
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent) as file:
            yield DirectoryDraft(path, self._copy(name), file)

    def put_back_crl(self, name: str) -> None:
        """What the public place has lost, from our copy."""
        if not self._path(name).exists() and self._copy(name).exists():
            _replace(self._path(name), iter([self._copy(name).read_bytes()]))

    def find_certificate(self, issuer: str) -> bytes | None:
        try:
            return self._certificate(issuer).read_bytes()
        except FileNotFoundError:
            return None

    def publish_certificate(self, issuer: str, der: bytes) -> None:
        _replace(self._certificate(issuer), iter([der]))

    def _certificate(self, issuer: str) -> Path:
        return self._directory / "ca" / f"{_required(issuer)}.cer"

    def _path(self, name: str) -> Path:
        return self._directory / "crl" / f"{_required(name)}.crl"

    def _copy(self, name: str) -> Path:
        return self._copies / f"{_required(name)}.crl"


def _required(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"{name!r} cannot name a published file")
    return name


@contextmanager
def _opened(path: Path) -> Iterator[OpenFile | None]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        yield None
        return
    try:
        yield OpenFile(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, content: Iterator[bytes], copy: Path | None = None) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # One name per file: what a crash left behind is taken away by the next attempt, and never served. It is not written
    # over, because it may be our copy under a second name.
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in content:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if copy is not None:
            # Before the world sees it: what was said in public must be known here.
            _keep(fresh, copy)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
    _flush(path.parent)


def _keep(fresh: Path, copy: Path) -> None:
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    second = copy.with_name(f".{copy.name}.new")
    second.unlink(missing_ok=True)
    try:
        second.hardlink_to(fresh)
    except OSError:
        # The public place is on another file system: then it takes room after all.
        shutil.copyfile(fresh, second)
    second.replace(copy)
    _flush(copy.parent)


def _flush(place: Path) -> None:
    """A rename is on disk once its directory is."""
    directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
