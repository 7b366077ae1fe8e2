"""Who signs OCSP answers: the signer, by HTTP and JSON on its Unix socket, one kept connection for each thread.

Several questions travel at once: reading the records and the way there and back cost the same for one as for many.
"""

import base64
import http.client
import json
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotFound, NotReady, PKIError
from ca.domain.ocsp import Question

AT_ONCE = 32
"""Questions in one message; the signer takes up to 64."""
_ERRORS: dict[str, type[PKIError]] = {
    kind.code: kind for kind in (InvalidRequest, KeyStoreUnavailable, NotFound, NotReady)
}


class Signer(Protocol):
    """Who signs OCSP answers."""

    def answer(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
        """To each question a signed OCSPResponse or why there is none. Does not raise."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("signer", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _Mine(threading.local):
    """A thread's own connection; it connects when it is used, and again after it was closed."""

    def __init__(self, path: Path, timeout: float) -> None:
        self.connection = _UnixConnection(path, timeout)


class SocketSigner:
    """The signer behind its Unix socket."""

    def __init__(self, path: Path, *, timeout: float = 5.0) -> None:
        self._mine = _Mine(path, timeout)

    def answer(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
        asked = [
            {"cert_ids": [b64(each.der) for each in question.cert_ids], "nonce": question.nonce and b64(question.nonce)}
            for question in questions
        ]
        try:
            answers = self.call("ocsp/answer", {"questions": asked})["answers"]
            return [_outcome(answer) for _, answer in zip(questions, answers, strict=True)]
        except PKIError as error:
            return [error] * len(questions)
        except (KeyError, TypeError, ValueError):
            return [_not_as_agreed()] * len(questions)

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """An operation of the signer. Raises PKIError; NotReady when the signer does not answer in time."""
        status, answer = self._post(f"/v1/{path}", json.dumps(body))
        if not isinstance(answer, dict):
            raise _not_as_agreed()
        if status != http.client.OK:
            raise _error(answer)
        return answer

    def _post(self, path: str, body: str) -> tuple[int, Any]:
        connection = self._mine.connection
        was_kept = connection.sock is not None
        try:
            return _exchange(connection, path, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            if was_kept and isinstance(error, ConnectionError | http.client.HTTPException):
                # The signer closed a connection we kept, or was started anew; asking again changes nothing there.
                return self._post(path, body)
            raise NotReady("the signer does not answer") from error


def _exchange(connection: _UnixConnection, path: str, body: str) -> tuple[int, Any]:
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def _outcome(answer: dict[str, Any]) -> bytes | PKIError:
    if "error" in answer:
        return _error(answer)
    return base64.b64decode(answer["response"], validate=True)


def _error(answer: dict[str, Any]) -> PKIError:
    code = answer.get("error")
    if not isinstance(code, str):
        return _not_as_agreed()
    kind = _ERRORS.get(code, PKIError)
    return kind(str(answer.get("message", "the signer failed")))


def _not_as_agreed() -> NotReady:
    return NotReady("the signer answered something else than agreed")


def b64(raw: bytes) -> str:
    """Bytes as they travel in our JSON."""
    return base64.b64encode(raw).decode("ascii")
