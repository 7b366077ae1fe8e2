"""Signed checkpoints beside the journal, one a line, in both places."""

import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path

from ca.adapters.journal import lines
from ca.domain.audit import Checkpoint
from ca.domain.errors import NotReady, Tampered
from ca.domain.times import instant, timestamp

FILE = "checkpoints.jsonl"


class CheckpointLines:
    """The audit log's head, signed, where no restore of the database takes it back."""

    def __init__(self, directory: Path, mirror: Path) -> None:
        self._files = (directory / FILE, mirror / FILE)

    def append(self, checkpoint: Checkpoint) -> None:
        """On disk in both places when it returns. Raises NotReady."""
        plain = {
            "number": checkpoint.number,
            "hash": checkpoint.hash.hex(),
            "at": timestamp(checkpoint.at),
            "signature": checkpoint.signature.hex(),
        }
        line = json.dumps(plain).encode("ascii") + b"\n"
        try:
            for path in self._files:
                _append(path, line)
        except OSError as error:
            raise NotReady(f"{error.filename or self._files[0]} cannot be written: {error.strerror}") from error

    def read(self) -> Sequence[Checkpoint]:
        """What either place has. Raises Tampered for a line that is none."""
        return [_checkpoint(path, line) for path in self._files for line in lines.lines(path)]


def _append(path: Path, line: bytes) -> None:
    descriptor = lines.opened(path)
    try:
        # A dossier makes one while the job does, and neither must write over the other's line.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Half a line that a power cut left is written over: it was never counted.
        size = lines.whole_size(descriptor)
        os.ftruncate(descriptor, size)
        lines.write(descriptor, line, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checkpoint(path: Path, line: bytes) -> Checkpoint:
    try:
        plain = json.loads(line)
        digest, signature = bytes.fromhex(plain["hash"]), bytes.fromhex(plain["signature"])
        return Checkpoint(plain["number"], digest, instant(plain["at"]), signature)
    except (ValueError, KeyError, TypeError) as error:
        raise Tampered(f"{path} holds a line that is no checkpoint") from error


def number_in(line: bytes) -> int:
    """The event that a line is about; 0 for no line. Raises Tampered."""
    return _checkpoint(Path(FILE), line).number if line else 0
