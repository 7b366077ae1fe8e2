"""`GET /status/history?serial=…&at=…`: how a certificate stood at an instant (docs/protocols/history.md).

The signer looks it up in its log, which costs it milliseconds: so few ask at a time, and nobody waits, lest those who
ask about the past keep others from an OCSP answer.
"""

import json
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl

from ca.domain.errors import InvalidRequest, NotReady, PKIError
from ca.domain.serials import parse_serial, serial_text
from ca.domain.times import parse_instant, timestamp

PATH = "/status/history"
_RETRY_SECONDS = 5
_SETTLED = timedelta(minutes=30)
"""Of what is older everything is known, and under a checkpoint."""
_SETTLED_SECONDS, _RECENT_SECONDS = 3600, 10
_AT_A_TIME = 2
_UNAVAILABLE = "503 Service Unavailable"

_log = logging.getLogger(__name__)

Answered = tuple[str, list[tuple[str, str]], bytes]


class Asked(Protocol):
    """The signer."""

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Raises PKIError."""


class History:
    """Answers in a thread: it waits for the signer."""

    def __init__(self, signer: Asked, now: Callable[[], datetime]) -> None:
        self._signer = signer
        self._now = now
        self._places = threading.Semaphore(_AT_A_TIME)

    def respond(self, query: str) -> Answered:
        """The response to a GET. Never raises PKIError."""
        try:
            serial, at = _asked(query)
            if at > self._now():
                raise InvalidRequest("that instant has not come yet: ask about the past")
            found = self._find({"serial": serial_text(serial), "at": timestamp(at)})
        except InvalidRequest as error:
            return _refused("400 Bad Request", error)
        except NotReady as error:
            return _refused(_UNAVAILABLE, error)
        except PKIError as error:
            _log.warning("no history: %s: %s", error.code, error)
            return _refused(_UNAVAILABLE, NotReady("the history cannot be told now; the bank has to look into it"))
        is_settled = at <= self._now() - _SETTLED and not found.get("unproven")
        age = _SETTLED_SECONDS if is_settled else _RECENT_SECONDS
        return "200 OK", [_JSON, ("Cache-Control", f"public, max-age={age}")], json.dumps(found).encode()

    def _find(self, asked: dict[str, Any]) -> dict[str, Any]:
        if not self._places.acquire(blocking=False):
            raise NotReady("too many ask about the past; try again")
        try:
            return self._signer.call("status/history", asked)
        finally:
            self._places.release()


_JSON = ("Content-Type", "application/json")


def _refused(status: str, error: PKIError) -> Answered:
    headers = [_JSON, ("Cache-Control", "no-store")]
    if status == _UNAVAILABLE:
        headers.append(("Retry-After", str(_RETRY_SECONDS)))
    return status, headers, json.dumps({"error": error.code, "message": str(error)}).encode()


def _asked(query: str) -> tuple[int, datetime]:
    try:
        # A plus is a zone's sign far more often than a blank.
        fields = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=True, max_num_fields=2)
    except ValueError as error:
        raise InvalidRequest(_HOW) from error
    asked = dict(fields)
    if len(fields) != 2 or asked.keys() != {"serial", "at"}:
        raise InvalidRequest(_HOW)
    return parse_serial(asked["serial"]), parse_instant(asked["at"])


_HOW = f"ask {PATH}?serial=HEXADECIMAL&at=2026-11-23T15:04:05Z"
