"""ca/answering.py: whoever speaks otherwise than agreed is let go, and keeps nobody else waiting."""

import base64
import json
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ca.answering import AnsweringDoor
from ca.domain.errors import NotFound, NotReady, PKIError
from ca.domain.ocsp import Question
from ocsp.signer import SocketSigner
from tests.fakes.ocsp_requests import cert_id

pytestmark = pytest.mark.socket

PATIENCE = 60.0
QUESTION = Question.parse([cert_id(1)], b"n")
JSON = {"cert_ids": [], "nonce": None}


class Door:
    """With who answers behind it: `outcomes` says what."""

    def __init__(self, path: Path, *, connections: int = 256) -> None:
        self.path = path
        self.asked: list[list[Question]] = []
        self.outcome: bytes | PKIError = b"signed"
        self.failure: Exception | None = None
        self.door = AnsweringDoor(path, self.answer_each, connections=connections)
        self.door.open()

    def answer_each(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
        self.asked.append(list(questions))
        if self.failure:
            raise self.failure
        return [self.outcome] * len(questions)

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PATIENCE)
        connection.connect(str(self.path))
        return connection

    @contextmanager
    def signer(self) -> Iterator[SocketSigner]:
        signer = SocketSigner(self.path.with_name("unused.sock"), self.path, timeout=PATIENCE)
        yield signer
        signer.close()

    def ask(self, *questions: Question) -> list[bytes | PKIError]:
        with self.signer() as signer:
            return signer.answer(questions)


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not under tmp_path: a Unix socket's path has at most 107 octets.
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@pytest.fixture
def door(directory: Path) -> Iterator[Door]:
    door = Door(directory / "ocsp.sock")
    yield door
    door.door.close()


def frame(message: object) -> bytes:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return len(body).to_bytes(4, "big") + body


def exchange(connection: socket.socket, message: object) -> dict[str, Any]:
    connection.sendall(frame(message))
    with connection.makefile("rb") as reader:
        told: dict[str, Any] = json.loads(reader.read(int.from_bytes(reader.read(4), "big")))
    return told


def is_let_go(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_questions_and_answers_travel_as_they_are(door: Door) -> None:
    questions = [Question.parse([cert_id(serial), cert_id(2)], bytes((serial,)) * 32) for serial in range(40)]
    with door.signer() as signer:
        assert signer.answer(questions) == [b"signed"] * 40
        door.outcome = NotFound("not ours")
        (refused,) = signer.answer([QUESTION])
    assert isinstance(refused, NotFound)
    assert str(refused) == "not ours"
    assert door.asked == [questions, [QUESTION]]


def test_who_cannot_answer_at_all_says_why(door: Door) -> None:
    door.failure = NotReady("the records change")
    (refused,) = door.ask(QUESTION)
    assert isinstance(refused, NotReady)


def test_a_question_that_is_none_is_refused_alone(door: Door) -> None:
    good = {"cert_ids": [base64.b64encode(cert_id(1)).decode()], "nonce": base64.b64encode(b"n").decode()}
    with door.connect() as connection:
        told = exchange(connection, {"questions": [{"cert_ids": ["AAAA"]}, good, good | {"nonce": ""}]})
    assert [each.get("error") for each in told["answers"]] == ["invalid-request", None, "invalid-request"]
    assert door.asked == [[QUESTION]]


@pytest.mark.parametrize(
    "message",
    [
        b"{",
        b"\xff",
        [],
        {},
        {"questions": []},
        {"questions": [JSON] * 65},
        {"questions": [JSON | {"cert_ids": ["AA=="] * 21}]},
        {"questions": [JSON | {"cert_ids": ["!"]}]},
        {"questions": [JSON | {"cert_ids": ["AA=="], "status": "good"}]},
        {"questions": [JSON | {"cert_ids": ["AA=="]}], "session": "s"},
    ],
)
def test_what_is_no_question_reaches_nobody_and_is_told_so(door: Door, message: object) -> None:
    with door.connect() as connection:
        told = exchange(connection, message)
        assert (told["error"], door.asked) == ("invalid-request", [])
        assert door.ask(QUESTION) == [b"signed"]


def test_a_failure_is_told_by_a_number_and_nothing_else(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    door.failure = ValueError("secret detail")
    (refused,) = door.ask(QUESTION)
    assert isinstance(refused, PKIError)
    assert "secret" not in str(refused)
    (record,) = caplog.records
    assert record.getMessage().removeprefix("failure ") in str(refused)


@pytest.mark.parametrize("length", [0, 256 * 1024 + 1, 0xFFFFFFFF])
def test_a_frame_of_no_length_or_without_end_is_not_read(door: Door, length: int) -> None:
    with door.connect() as connection:
        connection.sendall(length.to_bytes(4, "big") + b"{}")
        assert is_let_go(connection)
    assert door.ask(QUESTION) == [b"signed"]


@pytest.mark.parametrize("half", [b"", b"\x00", b"\x00\x00\x00\x08{}"])
def test_half_a_frame_keeps_nobody_else_waiting(door: Door, half: bytes) -> None:
    with door.connect() as connection:
        connection.sendall(half)
        assert door.ask(QUESTION) == [b"signed"]
        connection.shutdown(socket.SHUT_WR)
        assert is_let_go(connection)


def test_whoever_is_too_much_is_let_go_and_makes_room_when_another_leaves(directory: Path) -> None:
    door = Door(directory / "ocsp.sock", connections=1)
    with door.connect() as first:
        assert exchange(first, {})["error"] == "invalid-request"
        with door.connect() as second:
            assert is_let_go(second)
    while True:
        with door.connect() as third:
            try:
                assert exchange(third, {})["error"] == "invalid-request"
            except (OSError, ValueError):
                continue
        break
    door.door.close()


def test_a_new_signer_takes_the_place_of_one_that_was_killed(door: Door, directory: Path) -> None:
    with door.signer() as signer:
        assert signer.answer([QUESTION]) == [b"signed"]
        door.door.close()
        (refused,) = signer.answer([QUESTION])
        assert isinstance(refused, NotReady)
        assert door.path.exists()
        after = Door(directory / "ocsp.sock")
        after.outcome = b"by the new one"
        assert signer.answer([QUESTION]) == [b"by the new one"]
        after.door.close()


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o700), (0o000, 0o777)])
def test_our_umask_says_who_may_connect(directory: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        door = Door(directory / "ocsp.sock")
    finally:
        os.umask(before)
    assert door.path.stat().st_mode & 0o777 == mode
    door.door.close()
