"""The signer's door for OCSP: frames over a Unix socket, because questions come thousands of times a second.

A frame is its length, four octets, and so much JSON: AnswerOCSPRequests of `ca/operations.py`, and what is answered.
Each connection has a thread of its own; whoever sends half a frame keeps nobody else waiting (docs/adr/0025). Nothing
that is asked here is recorded: anybody on the Internet asks, and would fill the log with whatever they like.
"""

import json
import logging
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ca.domain.errors import PKIError
from ca.domain.ocsp import Question
from ca.operations import AnswerOCSPRequests, OCSPQuestion, encode_base64
from ca.signer import refusal_of

_LENGTH = struct.Struct(">I")
_LONGEST = 256 * 1024
"""Octets of a frame."""
_CONNECTIONS = 256
_PATIENCE_SECONDS = 5.0

_log = logging.getLogger("vermilion.signer")

Outcome = bytes | PKIError


class AnsweringDoor:
    """Listens from `open` on; its connections are the status processes' on this host."""

    def __init__(
        self, path: Path, answer_each: Callable[[Sequence[Question]], list[Outcome]], *, connections: int = _CONNECTIONS
    ) -> None:
        self._path = path
        self._answer_each = answer_each
        self._places = connections
        self._connected: set[socket.socket] = set()
        self._listening: socket.socket | None = None

    def open(self) -> None:
        """Take the place of whoever listened there before. Our umask says who may connect. Raises OSError."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._path.unlink(missing_ok=True)
        listening.bind(str(self._path))
        listening.listen(_CONNECTIONS)
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), name="answering", daemon=True).start()

    def close(self) -> None:
        """Nobody is let in any more, and whoever is in is let go."""
        for each in (self._listening, *self._connected):
            if each is not None:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        if self._listening is not None:
            self._listening.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            if len(self._connected) >= self._places:
                connection.close()
                continue
            self._connected.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="answering", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                while (frame := _received(connection)) is not None:
                    reply = json.dumps(self._reply(frame)).encode()
                    connection.sendall(_LENGTH.pack(len(reply)) + reply)
        finally:
            self._connected.discard(connection)

    def _reply(self, frame: bytes) -> dict[str, Any]:
        try:
            asked = AnswerOCSPRequests.model_validate_json(frame)
            read = [_read(each) for each in asked.questions]
            answers = iter(self._answer_each([each for each in read if isinstance(each, Question)]))
            return {"answers": [_told(next(answers) if isinstance(each, Question) else each) for each in read]}
        except ValidationError as error:
            return _told(refusal_of(error))
        except PKIError as error:
            return _told(error)
        except Exception:  # noqa: BLE001 - the outermost frame of the connection
            number = secrets.token_hex(4)
            _log.exception("failure %s", number)
            return {"error": "internal", "message": f"something failed in the signer; the log has it as {number}"}


def _read(asked: OCSPQuestion) -> Question | PKIError:
    try:
        return Question.parse(asked.cert_ids, asked.nonce)
    except PKIError as error:
        return error


def _told(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, PKIError):
        return {"error": outcome.code, "message": str(outcome)}
    return {"response": encode_base64(outcome)}


def _received(connection: socket.socket) -> bytes | None:
    """The next frame; None at the end, or when what comes is none. Raises OSError when the rest does not come."""
    # Between frames silence is no fault: status keeps its connections.
    connection.settimeout(None)
    head = connection.recv(_LENGTH.size)
    connection.settimeout(_PATIENCE_SECONDS)
    while 0 < len(head) < _LENGTH.size:
        more = connection.recv(_LENGTH.size - len(head))
        head = head + more if more else b""
    length = _LENGTH.unpack(head)[0] if head else 0
    if not 0 < length <= _LONGEST:
        return None
    frame = bytearray()
    while len(frame) < length:
        more = connection.recv(length - len(frame))
        if not more:
            return None
        frame += more
    return bytes(frame)
