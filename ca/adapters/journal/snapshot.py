"""The snapshot of all standings beside the journal: with the lines behind it, the standings map is built again.

One file: the records in order, then what was signed of them, in a last piece of fixed size. It is replaced whole; a
process killed in between leaves the old one and a file that is written over.
"""

import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ca.domain.audit import Head
from ca.domain.errors import NotReady, PKIError, Tampered
from ca.domain.standings import KEY_OCTETS, snapshot_message
from ca.keeping import Record

FILE = "standings.snapshot"
_ANEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
_LENGTH = struct.Struct(">H")
_TOGETHER = 2000
_PIECE = 1 << 20
_SEAL = 1024
"""Octets of the last piece: JSON, filled up with spaces."""


class SnapshotFile:
    """ports.StandingsSnapshot."""

    def __init__(self, directory: Path, verify: Callable[[bytes, bytes], None]) -> None:
        """`verify` raises PKIError unless the audit key made this signature over this message."""
        self._path = directory / FILE
        self._verify = verify

    def number(self) -> int:
        try:
            with self._path.open("rb") as file:
                head, digest, signature = _sealed(file)
            self._verify(snapshot_message(head, digest), signature)
        except (OSError, PKIError):
            return 0  # what nobody will believe is in nobody's way
        return head.number

    def read(self) -> tuple[Head, Iterator[Record]] | None:
        try:
            with self._path.open("rb") as file:
                head, digest, signature = _sealed(file)
                if _digest_of(file) != digest:
                    raise Tampered(f"{self._path} is not what was signed")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotReady(f"{self._path} cannot be read: {error.strerror}") from error
        try:
            self._verify(snapshot_message(head, digest), signature)
        except PKIError as error:
            raise Tampered(f"{self._path} is not signed by the audit key") from error
        return head, self._records()

    def _records(self) -> Iterator[Record]:
        with self._path.open("rb") as file:
            left = os.fstat(file.fileno()).st_size - _SEAL
            while left > 0:
                key, length = file.read(KEY_OCTETS), file.read(_LENGTH.size)
                packed = file.read(*_LENGTH.unpack(length))
                left -= KEY_OCTETS + _LENGTH.size + len(packed)
                yield key, packed

    def write(self, head: Head, records: Iterator[Record], sign: Callable[[bytes], bytes]) -> None:
        # One name for what is not finished: what a killed process left is written over.
        unfinished = self._path.with_name(f".{FILE}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(
                unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
            with os.fdopen(descriptor, "wb") as file:
                digest = hashlib.sha256()
                while piece := b"".join(_framed(islice(records, _TOGETHER))):
                    digest.update(piece)
                    file.write(piece)
                signature = sign(snapshot_message(head, digest.digest()))
                file.write(_seal(head, digest.digest(), signature))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path)
            _flush_directory(self._path.parent)
        except OSError as error:
            raise NotReady(f"{self._path} cannot be written: {error.strerror}") from error


def _framed(records: Iterable[Record]) -> Iterator[bytes]:
    for key, packed in records:
        yield key
        yield _LENGTH.pack(len(packed))
        yield packed


def _seal(head: Head, digest: bytes, signature: bytes) -> bytes:
    plain = {
        "number": head.number,
        "hash": head.hash.hex(),
        "sha256": digest.hex(),
        "signature": signature.hex(),
    }
    return json.dumps(plain).encode("ascii").ljust(_SEAL - 1) + b"\n"


def _sealed(file: BinaryIO) -> tuple[Head, bytes, bytes]:
    """To which event it goes, digest and signature. Raises Tampered when the file does not end as one does."""
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - _SEAL))
    try:
        plain = json.loads(file.read())
        head = Head(int(plain["number"]), bytes.fromhex(plain["hash"]))
        return head, bytes.fromhex(plain["sha256"]), bytes.fromhex(plain["signature"])
    except (ValueError, KeyError, TypeError) as error:
        raise Tampered("the snapshot of the standings is not whole") from error


def _digest_of(file: BinaryIO) -> bytes:
    digest, left = hashlib.sha256(), os.fstat(file.fileno()).st_size - _SEAL
    file.seek(0)
    while left > 0 and (piece := file.read(min(_PIECE, left))):
        digest.update(piece)
        left -= len(piece)
    return digest.digest()


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
