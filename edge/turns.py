"""Who may hold the edge's threads: one source a few of them, so that one client's half requests keep nobody else out.

A thread is held from a connection's first octet until its request is answered, and a client may take its time for
that (edge/tls.py). What one source has beyond its share waits for its own turn, without a thread; what waits has a
limit too, because the connections of the whole worker have one.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from gunicorn.workers.gthread import TConn, ThreadWorker

from ca.throttle import network

AT_ONCE = 8
"""Threads that one source may hold. The worker has 64 (edge/gunicorn_settings.py)."""
WAITING = 400
"""Connections of one source that may wait for theirs. The worker has 1000 in all."""

Connection = TypeVar("Connection")


class Turn(Enum):
    """What becomes of a connection on which something is to be read."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


@dataclass
class _Share(Generic[Connection]):
    held: int = 0
    waiting: deque[Connection] = field(default_factory=deque)


class Turns(Generic[Connection]):
    """Counts by source. All calls come from one thread."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._at_once, self._waiting = at_once, waiting
        self._shares: dict[str, _Share[Connection]] = {}

    def ask(self, source: str, connection: Connection) -> Turn:
        """NOW must be followed by `end`; LATER is kept until then."""
        share = self._shares.setdefault(source, _Share())
        if share.held < self._at_once:
            share.held += 1
            return Turn.NOW
        if len(share.waiting) < self._waiting:
            share.waiting.append(connection)
            return Turn.LATER
        return Turn.NEVER

    def end(self, source: str) -> Connection | None:
        """One thread of this source is free; the connection that has waited longest takes it over."""
        share = self._shares[source]
        if share.waiting:
            return share.waiting.popleft()
        share.held -= 1
        if not share.held:
            del self._shares[source]
        return None


class FairWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's threads, handed out by turns. Both methods are called by its main loop only."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._turns: Turns[TConn] = Turns()

    def enqueue_req(self, conn: TConn) -> None:
        match self._turns.ask(_source(conn), conn):
            case Turn.NOW:
                super().enqueue_req(conn)
            case Turn.NEVER:
                self.nr_conns -= 1
                conn.close()

    def finish_request(self, conn: TConn, fs: Any) -> None:
        following = self._turns.end(_source(conn))
        super().finish_request(conn, fs)
        if following is not None:
            super().enqueue_req(following)


def _source(conn: TConn) -> str:
    return network(str(conn.client[0]))
