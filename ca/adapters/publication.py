"""The public place as a directory: `crl/<issuer>.crl` and `ca/<issuer>.cer`, DER (RFC 5280 section 4.2.1.13, RFC 2585);
`bundle/<issuer>.bundle` and `bundle/<issuer>.patch` (docs/protocols/bundle.md).

A reader sees the old file or the new one, never half: written beside it, flushed to disk, then renamed over it.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from ca.domain.bundle import BundleKind
from ca.domain.errors import InvalidRequest

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class DirectoryPublisher:
    """Publishes into a directory that the status process serves, or a mirror copies."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find_crl(self, issuer: str) -> bytes | None:
        return _content(self._path("crl", issuer, "crl"))

    def find_certificate(self, issuer: str) -> bytes | None:
        return _content(self._path("ca", issuer, "cer"))

    def publish_crl(self, issuer: str, der: bytes) -> None:
        _replace(self._path("crl", issuer, "crl"), der)

    def publish_certificate(self, issuer: str, der: bytes) -> None:
        _replace(self._path("ca", issuer, "cer"), der)

    def find_bundle(self, issuer: str, kind: BundleKind) -> bytes | None:
        return _content(self._path("bundle", issuer, kind.value))

    def publish_bundle(self, issuer: str, kind: BundleKind, content: bytes) -> None:
        _replace(self._path("bundle", issuer, kind.value), content)

    def _path(self, folder: str, issuer: str, suffix: str) -> Path:
        if not _NAME.fullmatch(issuer):
            raise InvalidRequest(f"{issuer!r} cannot name a published file")
        return self._directory / folder / f"{issuer}.{suffix}"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # One name per process: what a crash left behind is written over by the next attempt, and never served.
    fresh = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
    # The rename itself is on disk once the directory is.
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
