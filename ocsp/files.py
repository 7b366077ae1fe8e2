"""What is published: CRLs and CA certificates (RFC 2585), read when they change in the publication directory.

Of a CRL only the head is looked into, however long it is.
"""

import hashlib
import os
import re
import stat
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ca.domain.crl_reading import read_whole
from ca.domain.errors import InvalidRequest
from ca.domain.ocsp import CertId, issuer_keys

_NAME = re.compile(r"(?:crl/[a-z0-9][a-z0-9-]{0,62}\.crl|ca/[a-z0-9][a-z0-9-]{0,62}\.(?:cer|pem))")
_MEDIA_TYPES = {
    ".crl": "application/pkix-crl",
    ".cer": "application/pkix-cert",
    ".pem": "application/pem-certificate-chain",
}


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file as it is served. A CRL's times are its own: thisUpdate and nextUpdate."""

    content: bytes
    media_type: str
    etag: str
    modified: datetime
    next_update: datetime | None


class Publication:
    """The publication directory, each file read once for each time it changes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read: dict[str, tuple[tuple[int, int, int], PublishedFile]] = {}
        self._lock = threading.Lock()

    def find(self, name: str) -> PublishedFile | None:
        """The file by its name under the directory (`crl/issuing.crl`). None for any name we would not give."""
        if not _NAME.fullmatch(name):
            return None
        try:
            descriptor = os.open(self._directory / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            now = os.fstat(descriptor)
            return self._current(name, descriptor, now) if stat.S_ISREG(now.st_mode) else None
        finally:
            os.close(descriptor)

    def _current(self, name: str, descriptor: int, now: os.stat_result) -> PublishedFile:
        version = (now.st_ino, now.st_mtime_ns, now.st_size)
        read = self._read.get(name)
        if read is not None and read[0] == version:
            return read[1]
        # One thread reads: a large CRL is in memory once, however many ask for it at the same time.
        with self._lock:
            read = self._read.get(name)
            if read is None or read[0] != version:
                with os.fdopen(descriptor, "rb", closefd=False) as file:
                    read = self._read[name] = version, _published(name, file.read(), now.st_mtime)
        return read[1]

    def crls(self) -> dict[str, PublishedFile]:
        """Every CRL, of whatever scope, by the name of its file."""
        found = {path.stem: self.find(f"crl/{path.name}") for path in sorted((self._directory / "crl").glob("*.crl"))}
        return {name: file for name, file in found.items() if file is not None}

    def issuers(self) -> list[str]:
        """The names of all whose certificate can be read: only for them is OCSP answered."""
        found = {path.stem: self.find(f"ca/{path.name}") for path in sorted((self._directory / "ca").glob("*.cer"))}
        return [name for name, file in found.items() if file is not None and _is_issuer(file.content)]


def _is_issuer(certificate: bytes) -> bool:
    try:
        return bool(issuer_keys(certificate))
    except InvalidRequest:
        return False


def _published(name: str, content: bytes, mtime: float) -> PublishedFile:
    suffix = Path(name).suffix
    modified, next_update, validator = datetime.fromtimestamp(int(mtime), UTC), None, content
    if suffix == ".crl":
        try:
            crl = read_whole(content)
            # The signature stands for all that was signed, and is not fifty megabytes long.
            modified, next_update, validator = crl.this_update, crl.next_update, crl.signature
        except InvalidRequest:
            # Not one we made; relying parties will refuse it by its signature, and it is not to be kept by anyone.
            next_update = modified
    etag = f'"{hashlib.sha256(validator).hexdigest()}"'
    return PublishedFile(content, _MEDIA_TYPES[suffix], etag, modified, next_update)


class PublishedIssuers:
    """The issuers whose certificates are published, by what a CertID says of them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "ca"
        self._version: int | None = None
        self._names: dict[tuple[str, bytes, bytes], str] = {}

    def find(self, cert_id: CertId) -> str | None:
        self._refresh()
        return self._names.get(cert_id.issuer_key)

    def _refresh(self) -> None:
        try:
            # Files come by renaming into the directory, which changes its time.
            version = self._directory.stat().st_mtime_ns
            if version == self._version:
                return
            certificates = {path.stem: path.read_bytes() for path in self._directory.glob("*.cer")}
        except OSError:
            certificates, version = {}, None
        names: dict[tuple[str, bytes, bytes], str] = {}
        for name, certificate in certificates.items():
            try:
                names |= dict.fromkeys(issuer_keys(certificate), name)
            except InvalidRequest:
                continue  # not a certificate: nobody can ask about its issuer
        self._names, self._version = names, version
