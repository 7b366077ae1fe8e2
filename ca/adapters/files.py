"""Files beside the database: trust anchors, audit checkpoints, the audit chain's last head.

They are what a restored or edited database is compared with, so they are only ever replaced whole or appended to.
"""

import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ca.domain.audit import Checkpoint, Head
from ca.domain.errors import NotReady, Tampered
from ca.domain.times import instant, timestamp


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """The old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        # As said, whatever the umask: what other processes must read they can, and nobody else's files are opened.
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


class TrustDirectory:
    """CA certificates (`<issuer>.cer`) and the audit key (`audit.spki`), DER, written by the key ceremony."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, name: str, content: bytes) -> None:
        write_atomically(self._directory / name, content)

    def read(self, name: str) -> bytes:
        """Raise NotReady when the ceremony's result is not there."""
        try:
            return (self._directory / name).read_bytes()
        except OSError as error:
            missing = self._directory / name
            raise NotReady(f"{missing} cannot be read; hold the key ceremony or restore the state directory") from error


class CheckpointLines:
    """One checkpoint a line, JSON, appended and flushed to disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, checkpoint: Checkpoint) -> None:
        line = json.dumps(
            {
                "number": checkpoint.number,
                "hash": checkpoint.hash.hex(),
                "at": timestamp(checkpoint.at),
                "signature": checkpoint.signature.hex(),
            }
        )
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        with os.fdopen(descriptor, "a", encoding="ascii") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Sequence[Checkpoint]:
        if not self._path.exists():
            return []
        try:
            rows = [json.loads(line) for line in self._path.read_text("ascii").splitlines()]
            return [
                Checkpoint(
                    row["number"], bytes.fromhex(row["hash"]), instant(row["at"]), bytes.fromhex(row["signature"])
                )
                for row in rows
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise Tampered(f"{self._path} holds a line that is no checkpoint") from error


class HeadOfChain:
    """`<number> <hash>` in one fixed-width line: where the audit chain ended after the last commit.

    Written without a flush to disk: after a power cut it may lag behind the database, which is harmless; it can never
    be ahead of it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._written: int | None = None

    def write(self, head: Head) -> None:
        with self._lock:
            if self._written is None:
                # A database that was taken back must not take this back too: only a longer chain is written over it.
                self._written = self._last_number()
            # Two commits may report in either order; the chain only grows.
            if head.number <= self._written:
                return
            self._written = head.number
            try:
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
            except OSError:
                # The act is committed; a head that lags behind only makes the comparison weaker until the next one.
                return
            try:
                os.pwrite(descriptor, f"{head.number:020d} {head.hash.hex()}\n".encode("ascii"), 0)
            finally:
                os.close(descriptor)

    def _last_number(self) -> int:
        try:
            last = self.read()
        except Tampered:
            # What somebody garbled stays as it is, for the verification to find.
            return sys.maxsize
        return last.number if last else 0

    def read(self) -> Head | None:
        try:
            number, digest = self._path.read_text("ascii").split()
            return Head(int(number), bytes.fromhex(digest))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise Tampered(f"{self._path} is not the audit chain's head") from error
