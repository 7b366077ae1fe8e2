"""Files of lines that only grow: what a crash left of a last line is seen and never read as one."""

import os
from collections.abc import Iterator
from pathlib import Path

from ca.domain.errors import NotReady

_PIECE = 64 * 1024


def opened(path: Path) -> int:
    """A descriptor to read and write, of this user alone; made with its directory when it is not there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def write(descriptor: int, content: bytes, at: int) -> None:
    """All of it, however many writes that takes; on disk only after a flush."""
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written


def copy(source: int, target: int, start: int, end: int) -> None:
    """The bytes from `start` to `end`, on disk when it returns."""
    while start < end:
        piece = os.pread(source, min(_PIECE, end - start), start)
        write(target, piece, start)
        start += len(piece)
    os.fsync(target)


def whole_size(descriptor: int) -> int:
    """The size up to the end of the last whole line."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _PIECE)
        cut = os.pread(descriptor, end - start, start).rfind(b"\n")
        if cut >= 0:
            return start + cut + 1
        end = start
    return 0


def line_ending_at(descriptor: int, end: int) -> bytes:
    """The line whose end is the byte before `end`, without its end; empty at the beginning."""
    start, found = max(0, end - 1), b""
    while start > 0:
        begin = max(0, start - _PIECE)
        piece = os.pread(descriptor, start - begin, begin)
        cut = piece.rfind(b"\n")
        if cut >= 0:
            return piece[cut + 1 :] + found
        found, start = piece + found, begin
    return found


def line_around(descriptor: int, at: int) -> tuple[int, bytes]:
    """Where the line begins that has the byte at `at`, and the line without its end. It is a whole line."""
    end = at
    while (cut := (piece := os.pread(descriptor, _PIECE, end)).find(b"\n")) < 0 and piece:
        end += len(piece)
    line = line_ending_at(descriptor, end + cut + 1)
    return end + cut - len(line), line


def lines(path: Path, start: int = 0) -> Iterator[bytes]:
    """The whole lines from `start` that are there when it is called, without their ends; none when there is no file."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        size = 0
    except OSError as error:
        raise NotReady(f"{path} cannot be read: {error.strerror}") from error
    return _whole_lines(path, start, size)


def _whole_lines(path: Path, start: int, size: int) -> Iterator[bytes]:
    if size <= start:
        return
    with path.open("rb") as file:
        file.seek(start)
        size -= start
        for line in file:
            size -= len(line)
            if size < 0 or not line.endswith(b"\n"):
                return
            yield line[:-1]
