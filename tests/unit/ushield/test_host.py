"""ushield/host.py: the bank's extension is answered, in a few messages, and nothing else is done."""

import io
import json
import struct
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.jobs import EXTENSION, FIREFOX, bank_file, bank_text, job, signed
from tests.fakes.software_ca import SoftwareCA
from ushield import bank_file as packed
from ushield.errors import BankFileBroken, MessageUnknown
from ushield.host import Messages, require_caller, serve
from ushield.jobs import Job

KEY = ec.generate_private_key(ec.SECP256R1())
ORIGIN = "https://localhost:9"
"""Nobody answers there: a check goes on without."""
BANK = replace(bank_file(KEY), origin=ORIGIN, root_pem=SoftwareCA().root.pem.decode())


def framed(message: object) -> bytes:
    raw = json.dumps(message).encode()
    return struct.pack("=I", len(raw)) + raw


def answers(raw: bytes) -> list[dict[str, Any]]:
    found = []
    while raw:
        (length,) = struct.unpack("=I", raw[:4])
        found.append(json.loads(raw[4 : 4 + length]))
        raw = raw[4 + length :]
    return found


class NoWindow:
    """Nobody is asked anything."""

    def authorization_code(self) -> str:
        raise AssertionError("a window was opened")

    present_password = new_password = authorization_code

    def choose(self, devices: object, first: int) -> int:
        raise AssertionError(f"a window was opened for {devices}")


def no_window(_job: Job, _origin: str) -> NoWindow:
    return NoWindow()


def talk(directory: Path, *messages: object) -> list[dict[str, Any]]:
    sink = io.BytesIO()
    serve(Messages(io.BytesIO(b"".join(framed(one) for one in messages)), sink), BANK, directory, no_window)
    return answers(sink.getvalue())


def ordered(operation: str, **more: Any) -> str:
    now = int(time.time())
    return signed(KEY, job(operation, **{"origin": ORIGIN, "iat": now, "exp": now + 300, **more}))


def test_hello_tells_version_protocol_and_bank(tmp_path: Path) -> None:
    (told,) = talk(tmp_path, {"type": "hello"})

    assert (told["type"], told["protocol"], told["bank"]) == ("hello", 1, ORIGIN)


def test_a_job_that_was_altered_replayed_or_is_for_another_page_is_refused_with_its_code(tmp_path: Path) -> None:
    good = ordered("check")
    told = [
        talk(tmp_path, {"type": "run", "origin": origin, "job": text})[0]
        for origin, text in (
            (ORIGIN, good[:-4] + "AAAA"), ("https://evil.example", good), (ORIGIN, good), (ORIGIN, good),
        )
    ]  # fmt: skip

    assert [each.get("code") for each in told] == ["D-70", "D-71", None, "D-73"]
    assert told[2]["type"] == "done"


def test_one_process_does_one_job(tmp_path: Path) -> None:
    jobs = [{"type": "run", "origin": ORIGIN, "job": ordered("check", id=digits * 16)} for digits in ("01", "02")]

    told = talk(tmp_path, {"type": "hello"}, *jobs)

    assert [each["type"] for each in told] == ["hello", "done"]


def test_a_check_says_what_is_there_and_asks_for_nothing(tmp_path: Path) -> None:
    (told,) = talk(tmp_path, {"type": "run", "origin": ORIGIN, "job": ordered("check")})

    assert set(told) == {"type", "tool", "clock", "providers", "devices", "signature", "status"}
    assert told["signature"]["state"] == "unpacked"
    assert told["status"]["state"] == "unreached"


@pytest.mark.parametrize(
    "message",
    [
        {}, [], "hello", {"type": "sign", "bytes": "AAAA"}, {"type": "hello", "module": "/evil.so"},
        {"type": "run", "origin": ORIGIN}, {"type": "run", "origin": ORIGIN, "job": 7},
        {"type": "run", "origin": ORIGIN, "job": "a.b.c", "provider": "/evil.so"},
    ],
)  # fmt: skip
def test_another_message_ends_the_conversation(tmp_path: Path, message: object) -> None:
    with pytest.raises(MessageUnknown):
        talk(tmp_path, message)


@pytest.mark.parametrize("raw", [struct.pack("=I", 2**31), struct.pack("=I", 3) + b"{]}", struct.pack("=I", 9) + b"{}"])
def test_what_is_no_message_ends_the_conversation(tmp_path: Path, raw: bytes) -> None:
    if raw.endswith(b"{}"):
        raw = raw[:-2] + b"{"
    with pytest.raises(MessageUnknown):
        serve(Messages(io.BytesIO(raw), io.BytesIO()), BANK, tmp_path, no_window)


def test_the_end_of_the_pipe_is_the_end(tmp_path: Path) -> None:
    assert talk(tmp_path) == []


@pytest.mark.parametrize(
    "arguments",
    [(f"chrome-extension://{EXTENSION}/",), (f"chrome-extension://{EXTENSION}/", "--parent-window=7"),
     ("/home/a/.mozilla/native-messaging-hosts/com.vermilion.ushield.json", FIREFOX)],
)  # fmt: skip
def test_the_banks_own_extension_is_answered(arguments: tuple[str, ...]) -> None:
    require_caller(arguments, BANK)


@pytest.mark.parametrize(
    "arguments",
    [(), (f"chrome-extension://{EXTENSION[::-1]}/",), (f"chrome-extension://{EXTENSION}.evil/",), (FIREFOX,),
     ("file.json", "other@bank.example"), (f"https://{EXTENSION}/",)],
)  # fmt: skip
def test_anybody_else_is_not(arguments: tuple[str, ...]) -> None:
    with pytest.raises(MessageUnknown):
        require_caller(arguments, BANK)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", bank_text(KEY, version=1), bank_text(KEY, origin=7), bank_text(KEY, job_key="AAAA"),
     bank_text(KEY, job_key=None), bank_text(KEY, providers=[]), bank_text(KEY, providers=[{"name": "a"}])],
)  # fmt: skip
def test_a_damaged_bank_file_is_named(text: str) -> None:
    with pytest.raises(BankFileBroken):
        packed.parse(text)


def test_the_sources_belong_to_no_bank() -> None:
    assert packed.built_in() is None
