"""The journal as files: one line a transaction, appended and flushed to disk, in a directory and in its mirror.

Nothing is ever taken out of it. A line counts once it is on disk in both places; only then does the act that it tells
of return. What a crash left unfinished at the end of a file (half a line, or a line the mirror does not have yet) was
never counted, and the database still keeps it for us: it is cut off or copied when the journal is opened.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ca.adapters.journal import lines
from ca.domain.audit import Head
from ca.domain.errors import NotReady, Tampered
from ca.domain.journal import Entry

FILE = "journal.jsonl"
_BEGINNING = Head()


class Journal:
    """Reading needs nothing; `open` makes this process the only one that appends."""

    def __init__(self, directory: Path, mirror: Path) -> None:
        self._files = (directory / FILE, mirror / FILE)
        self._descriptors: list[int] = []
        self._size = 0
        self.head = Head()
        """Where the journal ends, once it is open."""

    def open(self, *, patience: float = 5.0) -> None:
        """`patience` in seconds, for a process that is being replaced.

        Raises NotReady when another process has it or it cannot be written, Tampered when the two places differ.
        """
        if self._descriptors:
            return
        try:
            self._descriptors = [lines.opened(path) for path in self._files]
        except OSError as error:
            raise NotReady(f"the journal cannot be written: {error.strerror}: {error.filename}") from error
        try:
            self._lock(patience)
            self._settle()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []

    def _lock(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._descriptors[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise NotReady(f"another process writes {self._files[0]}; stop it first") from error
                time.sleep(0.05)
            else:
                return

    def _settle(self) -> None:
        own, mirror = self._descriptors
        size, mirrored = lines.whole_size(own), lines.whole_size(mirror)
        if mirrored > size:
            raise Tampered(f"{self._files[0]} is shorter than its mirror {self._files[1]}: copy the mirror over it")
        if lines.line_ending_at(mirror, mirrored) != lines.line_ending_at(own, mirrored):
            raise Tampered(f"{self._files[0]} and its mirror {self._files[1]} differ; find out which one was changed")
        os.ftruncate(own, size)
        os.ftruncate(mirror, mirrored)
        lines.copy(own, mirror, mirrored, size)
        last = lines.line_ending_at(own, size)
        self._size = size
        self.head = Entry.parse(last).head if last else Head()

    def append(self, entries: Sequence[Entry]) -> None:
        """On disk in both places when it returns. Raises NotReady: nothing of it counts then; it may be repeated."""
        content = b"".join(entry.line() for entry in entries)
        try:
            for descriptor in self._descriptors:
                # What an attempt that failed left behind is written over, and cut off if it was longer.
                os.ftruncate(descriptor, self._size)
                lines.write(descriptor, content, self._size)
            for descriptor in self._descriptors:
                os.fdatasync(descriptor)
        except OSError as error:
            raise NotReady(f"the journal cannot be written: {error.strerror}; nothing is done until it can") from error
        self._size += len(content)
        self.head = entries[-1].head

    def last(self) -> Head:
        """Where it ends on disk, for those who do not open it. Raises NotReady, Tampered."""
        with self._reading() as descriptor:
            line = lines.line_ending_at(descriptor, lines.whole_size(descriptor))
        return Entry.parse(line).head if line else Head()

    def head_at(self, number: int) -> Head:
        """Where the chain ended at an event, the last of its entry. Raises Tampered when no entry ends there."""
        head, _ = self._end_of(number)
        if head.number != number:
            raise Tampered(f"the journal has no entry that ends at audit event {number}")
        return head

    def read(self, after: Head = _BEGINNING) -> Iterator[Entry]:
        """Every entry behind `after` there is when it is called, each one checked to follow the one before.

        Raises Tampered, also when the journal tells another story of `after`.
        """
        if not after.number:
            return _following(lines.lines(self._files[0]), after)
        head, offset = self._end_of(after.number)
        if head != after:
            raise Tampered(f"the journal tells another story of audit event {after.number} than what is kept of it")
        return _following(lines.lines(self._files[0], offset), after)

    @contextmanager
    def _reading(self) -> Iterator[int]:
        try:
            descriptor = os.open(self._files[0], os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise NotReady(f"{self._files[0]} cannot be read: {error.strerror}") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _end_of(self, number: int) -> tuple[Head, int]:
        """The last entry that begins no later than an event, and the place behind it: found by halves."""
        head = Head()
        with self._reading() as descriptor:
            low, high = 0, lines.whole_size(descriptor)
            while low < high:
                begin, line = lines.line_around(descriptor, (low + high) // 2)
                entry = Entry.parse(line)
                if entry.first > number:
                    high = begin
                else:
                    low, head = begin + len(line) + 1, entry.head
        return head, low

    def require_mirrored(self) -> None:
        """Raise Tampered unless the mirror says the same, as far as it goes; the last lines may be on their way."""
        for number, (line, copy) in enumerate(zip(*map(lines.lines, self._files), strict=False), start=1):
            if line != copy:
                raise Tampered(f"line {number} of {self._files[0]} is not the one of its mirror {self._files[1]}")


def _following(found: Iterator[bytes], head: Head) -> Iterator[Entry]:
    for line in found:
        entry = Entry.parse(line)
        head = entry.follow(head)
        yield entry
