"""Questions on their way to whoever signs: gathered while others are on their way, and bounded in number.

A signer that hangs holds up those who wait for it and nobody else (docs/adr/0014).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ca.domain.errors import PKIError
from ca.domain.ocsp import Question
from ocsp.signer import AT_ONCE, Signer

Outcome = bytes | PKIError

_MANY = AT_ONCE // 2
_MOMENT_SECONDS = 0.001

_log = logging.getLogger(__name__)


class TooManyError(Exception):
    """More are waiting than can be answered in time."""


class Asking:
    """Used from the event loop only."""

    def __init__(self, signer: Signer, *, threads: int = 4, waiting: int = 512) -> None:
        self._signer = signer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ask")
        self._threads = self._idle = threads
        self._is_about_to_send = False
        self._sent = 0
        """How many went along the last time."""
        self._places = waiting
        self._queue: deque[tuple[Question, asyncio.Future[Outcome]]] = deque()

    async def ask(self, question: Question) -> Outcome:
        """What was signed, or why not. Raises TooManyError at once."""
        if len(self._queue) >= self._places:
            raise TooManyError
        answered: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append((question, answered))
        if not self._is_about_to_send and self._is_worth_sending():
            # Not at once: what comes at the same time goes along, and when many come, what follows within a moment.
            self._is_about_to_send = True
            asyncio.get_running_loop().call_later(_MOMENT_SECONDS if self._sent > 1 else 0, self._send)
        return await answered

    def stop(self) -> None:
        """Nobody waits for an answer any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _is_worth_sending(self) -> bool:
        """While some are on their way, others are sent after them only when they are many: together they cost less."""
        return self._idle == self._threads or (self._idle > 0 and len(self._queue) >= _MANY)

    def _send(self) -> None:
        """All that is worth it now, in as many batches as threads are idle."""
        self._is_about_to_send = False
        while self._queue and self._is_worth_sending():
            self._send_some()

    def _send_some(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(AT_ONCE, len(self._queue)))]
        self._idle -= 1
        self._sent = len(batch)
        asked = asyncio.get_running_loop().run_in_executor(
            self._pool, self._signer.answer, [question for question, _ in batch]
        )
        asked.add_done_callback(lambda done: self._deliver([answered for _, answered in batch], done))

    def _deliver(self, waiting: Sequence["asyncio.Future[Outcome]"], done: "asyncio.Future[list[Outcome]]") -> None:
        self._idle += 1
        error = done.exception()
        if error is not None:
            _log.error("questions were not asked", exc_info=error)
        outcomes = done.result() if error is None else [PKIError("a failure on the way to the signer")] * len(waiting)
        for answered, outcome in zip(waiting, outcomes, strict=True):
            if not answered.done():
                answered.set_result(outcome)
        if not self._is_about_to_send:
            self._send()
