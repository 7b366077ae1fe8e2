"""The way to the signer: HTTP and JSON on its Unix socket, one kept connection for each thread.

Only one thing is ever asked: answer these OCSP requests. The answer is signed by the signer or does not exist.
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

_PATH = "/v1/ocsp/answer"
_ERRORS: dict[str, type[PKIError]] = {
    kind.code: kind for kind in (InvalidRequest, KeyStoreUnavailable, NotFound, NotReady)
}


class Signer(Protocol):
    """Who signs OCSP answers."""

    def answer(self, cert_ids: Sequence[bytes], nonce: bytes | None) -> bytes:
        """A signed OCSPResponse. Raises PKIError; NotReady when the signer does not answer in time."""


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

    def answer(self, cert_ids: Sequence[bytes], nonce: bytes | None) -> bytes:
        asked = {
            "cert_ids": [base64.b64encode(each).decode("ascii") for each in cert_ids],
            "nonce": None if nonce is None else base64.b64encode(nonce).decode("ascii"),
        }
        status, answer = self._post(json.dumps({"questions": [asked]}))
        try:
            if status == http.client.OK:
                (answer,) = answer["answers"]
            if "error" in answer:
                kind = _ERRORS.get(answer["error"], PKIError)
                raise kind(answer.get("message", "the signer failed"))
            return base64.b64decode(answer["response"], validate=True)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise NotReady("the signer answered something else than agreed") from error

    def _post(self, body: str) -> tuple[int, Any]:
        connection = self._mine.connection
        was_kept = connection.sock is not None
        try:
            return self._exchange(connection, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            if was_kept and isinstance(error, ConnectionError | http.client.HTTPException):
                # The signer closed a connection we kept, or was started anew; asking again changes nothing there.
                return self._post(body)
            raise NotReady("the signer does not answer") from error

    def _exchange(self, connection: _UnixConnection, body: str) -> tuple[int, Any]:
        connection.request("POST", _PATH, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
