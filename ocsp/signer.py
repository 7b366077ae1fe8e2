"""Who signs OCSP answers: the signer. Questions go to its door for OCSP in frames (docs/adr/0025), the rest by HTTP.

Each thread keeps a connection. Several questions travel at once: reading the records and the way there and back cost
the same for one as for many.
"""

import base64
import http.client
import json
import socket
import struct
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotFound, NotReady, PKIError
from ca.domain.ocsp import Question

_LENGTH = struct.Struct(">I")
_LONGEST = 4 << 20
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


class _Frames(threading.local):
    """A thread's own connection to the door for OCSP; it connects when it is used, and again after it was closed."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self.connection: socket.socket | None = None

    def exchange(self, frame: bytes) -> bytes:
        """What is answered. Raises OSError."""
        kept = self.connection
        try:
            return self._exchange(frame)
        except ConnectionError:
            if kept is None:
                raise
        # The signer was started anew; asking again changes nothing there.
        return self._exchange(frame)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _exchange(self, frame: bytes) -> bytes:
        try:
            connection = self.connection = self.connection or self._connected()
            connection.sendall(_LENGTH.pack(len(frame)) + frame)
            (length,) = _LENGTH.unpack(_received(connection, _LENGTH.size))
            if length > _LONGEST:
                raise ConnectionAbortedError("a frame that is too long")
            return _received(connection, length)
        except OSError:
            self.close()
            raise

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._timeout)
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection


def _received(connection: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        more = connection.recv(length - len(received))
        if not more:
            raise ConnectionResetError("the signer hung up")
        received += more
    return bytes(received)


class SocketSigner:
    """The signer behind its Unix sockets."""

    def __init__(self, path: Path, answers: Path, *, timeout: float = 5.0) -> None:
        """`answers` is its door for OCSP."""
        self._path = path
        self._timeout = timeout
        self._frames = _Frames(answers, timeout)

    def answer(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
        asked = [
            {"cert_ids": [b64(each.der) for each in question.cert_ids], "nonce": question.nonce and b64(question.nonce)}
            for question in questions
        ]
        try:
            answer = json.loads(self._frames.exchange(json.dumps({"questions": asked}).encode()))
            if "error" in answer:
                return [_error(answer)] * len(questions)
            return [_outcome(each) for _, each in zip(questions, answer["answers"], strict=True)]
        except OSError:
            return [_no_answer()] * len(questions)
        except (KeyError, TypeError, ValueError):
            self._frames.close()
            return [_not_as_agreed()] * len(questions)

    def close(self) -> None:
        """This thread's connection."""
        self._frames.close()

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """An operation of the signer. Raises PKIError; NotReady when the signer does not answer in time."""
        status, answer = self._post(f"/v1/{path}", json.dumps(body))
        if not isinstance(answer, dict):
            raise _not_as_agreed()
        if status != http.client.OK:
            raise _error(answer)
        return answer

    def _post(self, path: str, body: str) -> tuple[int, Any]:
        with closing(_UnixConnection(self._path, self._timeout)) as connection:
            try:
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                return response.status, json.loads(response.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _no_answer() from error


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


def _no_answer() -> NotReady:
    return NotReady("the signer does not answer")


def _not_as_agreed() -> NotReady:
    return NotReady("the signer answered something else than agreed")


def b64(raw: bytes) -> str:
    """Bytes as they travel in our JSON."""
    return base64.b64encode(raw).decode("ascii")
