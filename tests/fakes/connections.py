"""A connection's other end, without a network."""

import asyncio
from collections.abc import Iterable


class FakeTransport(asyncio.Transport):
    """Keeps what was written. `stuck` is what the client does not read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.parts: list[bytes | bytearray | memoryview] = []
        """The same as it was handed over, piece by piece."""
        self.ended = False
        self.closed = False
        self.aborted = False
        self.reading = True
        self.stuck = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "written after the end"
        assert not self.closed, "written after the end"
        self.parts.append(data)
        self.written += data

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.write(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.stuck
