"""The brake on guessing codes and on filling the audit log: refusals cost tokens, right codes nothing (T-08, T-09).

Each source has a bucket of failures that refills with time. A second bucket counts the failures of all sources: when
it is empty, only sources without a recent failure get through, so that many guessers together are slowed down
without locking out the customers whose codes are right. Memory is bounded: the longest idle source is forgotten first.
"""

import ipaddress
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from werkzeug.exceptions import TooManyRequests

from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated, NotFound

_LOG = logging.getLogger(__name__)
_MESSAGE = "Too many wrong codes or refused requests came from your network. Wait a minute, then try again."
# Each of them is the caller's doing and is recorded as an event; being busy or not ready is ours and costs nothing.
_REFUSALS = (NotAuthenticated, NotFound, NotAllowed, InvalidRequest, InvalidTransition)


class Bucket:
    """So many failures at once, so many more each second."""

    def __init__(self, size: float, per_second: float, now: float) -> None:
        self._size, self._per_second = size, per_second
        self._tokens, self._at = size, now

    def refill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._per_second)
        self._at = now

    def take(self) -> None:
        self._tokens -= 1

    def give_back(self) -> None:
        self._tokens = min(self._size, self._tokens + 1)

    @property
    def is_empty(self) -> bool:
        return self._tokens < 1

    @property
    def is_full(self) -> bool:
        return self._tokens >= self._size


class Throttle:
    """Refuses a source that guessed too often. Safe to use from many threads."""

    def __init__(
        self,
        *,
        burst: int = 60,
        per_second: float = 1.0,
        everyone_burst: int = 600,
        everyone_per_second: float = 10.0,
        most_sources: int = 10_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst, self._per_second, self._most_sources = burst, per_second, most_sources
        self._monotonic = monotonic
        self._sources: OrderedDict[str, Bucket] = OrderedDict()
        self._everyone = Bucket(everyone_burst, everyone_per_second, monotonic())
        self._lock = threading.Lock()

    @contextmanager
    def attempt(self, source: str, about: str = "") -> Iterator[None]:
        """Run one attempt of this source. Raises TooManyRequests instead when it failed too often.

        With `about`, what it tries to get into, each such pair is braked by itself: nobody else is locked out there.

        The token is taken before and given back unless the attempt is refused, so that many attempts at once cannot
        all slip through before the first one fails.
        """
        key = f"{network(source)} {about}" if about else network(source)
        self._take(key)
        failed = False
        try:
            yield
        except _REFUSALS:
            failed = True
            raise
        finally:
            if not failed:
                self._give_back(key)

    @property
    def sources_watched(self) -> int:
        return len(self._sources)

    def _take(self, key: str) -> None:
        with self._lock:
            now = self._monotonic()
            self._everyone.refill(now)
            bucket = self._sources.get(key) or Bucket(self._burst, self._per_second, now)
            bucket.refill(now)
            if bucket.is_empty or (self._everyone.is_empty and not bucket.is_full):
                _LOG.warning("guessing slowed down: too many wrong codes from %s", key.partition(" ")[0])
                raise TooManyRequests(_MESSAGE, retry_after=max(1, round(1 / self._per_second) * 10))
            bucket.take()
            self._everyone.take()
            self._sources[key] = bucket
            self._sources.move_to_end(key)
            while len(self._sources) > self._most_sources:
                self._sources.popitem(last=False)

    def _give_back(self, key: str) -> None:
        with self._lock:
            self._everyone.give_back()
            bucket = self._sources.get(key)
            if bucket is None:
                return
            bucket.give_back()
            if bucket.is_full:
                del self._sources[key]


def network(source: str) -> str:
    """What counts as one source: an IPv4 address, or the /64 of an IPv6 address, for that is what one customer gets."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
