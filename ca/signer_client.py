"""The others' way to the signer: HTTP and JSON on a Unix socket, typed errors back.

A connection lives for one call: the socket is local and a call that signs costs far more than connecting.
"""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from ca.domain import errors
from ca.operations import Operation

_TIMEOUT_SECONDS = 30.0

_ERRORS: dict[str, type[errors.PKIError]] = {
    kind.code: kind
    for kind in (
        errors.NotFound,
        errors.NotAllowed,
        errors.NotAuthenticated,
        errors.InvalidRequest,
        errors.ProfileViolation,
        errors.InvalidTransition,
        errors.LintFailed,
        errors.KeyStoreUnavailable,
        errors.SigningRefused,
        errors.Tampered,
        errors.NotReady,
    )
}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("signer", timeout=timeout)
        self._path = path
        self._seconds = timeout

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._seconds)
        self.sock.connect(str(self._path))


class SignerClient:
    """Asks the signer on its socket. Raises the PKIError the signer raised; NotReady when it does not answer."""

    def __init__(self, socket_path: Path, *, timeout: float = _TIMEOUT_SECONDS) -> None:
        """`timeout` in seconds, for each step of a call."""
        self._socket_path = socket_path
        self._timeout = timeout

    def call(self, operation: Operation) -> dict[str, Any]:
        """Post the operation, return its answer."""
        connection = _UnixConnection(self._socket_path, self._timeout)
        try:
            body = json.dumps(operation.payload())
            connection.request("POST", f"/v1/{operation.path}", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            status, answer = response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise errors.NotReady("the signer does not answer; it may be starting or stopped, try again") from error
        finally:
            connection.close()
        if not isinstance(answer, dict):
            raise errors.NotReady("what answers on the signer's socket is not the signer")
        if status == http.client.OK:
            return answer
        kind = _ERRORS.get(answer.get("error", ""), errors.PKIError)
        raise kind(answer.get("message", "the signer failed"))
