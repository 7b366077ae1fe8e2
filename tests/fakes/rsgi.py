"""A request and its answer as granian's RSGI interface has them."""

import asyncio
from collections.abc import AsyncIterator, Sequence


class FakeFields:
    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self._lines = lines

    def items(self) -> list[tuple[str, str]]:
        return self._lines


class FakeScope:
    """With one Host unless `hosts` says otherwise."""

    def __init__(
        self,
        method: str,
        path: str,
        *more: tuple[str, str],
        version: str = "1.1",
        hosts: Sequence[str] = ("localhost",),
    ) -> None:
        self.method = method
        self.path = path
        self.http_version = version
        self.headers = FakeFields([("host", host) for host in hosts] + list(more))


class FakeExchange:
    """`pieces` come one after the other; a body that `stalls` never ends."""

    def __init__(self, *pieces: bytes, stalls: bool = False) -> None:
        self._pieces = pieces
        self._stalls = stalls
        self.given = 0
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body: bytes | None = None
        """None when the answer was sent without any."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.given += 1
            yield piece
        if self._stalls:
            await asyncio.Event().wait()

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        assert self.status == 0, "answered twice"
        self.status, self.headers = status, headers

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.response_empty(status, headers)
        self.body = body
