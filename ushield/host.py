"""The native-messaging host: the browser starts it for the bank's extension and talks to it over two pipes.

A message is its length, four octets in the machine's order, and so much JSON. One `run` a process: a driver that lost
its U-Shield may not find it again until it is loaded anew. When the page is closed the browser ends the pipe, and with
it this process, at any point; every operation goes on from where it stopped.
"""

import json
import os
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ushield import __version__, bank_file
from ushield.bank_file import BankFile
from ushield.errors import MessageUnknown, NoBankFile, UShieldError
from ushield.jobs import Job, UsedJobs, verify
from ushield.operations import WHAT, Operations, Prompt
from ushield.window import Window
from ushield.words import Words

PROTOCOL = 1
"""Both sides say theirs; the page links to the newest tool when ours is older than it needs."""
_LENGTH = struct.Struct("=I")
_LONGEST = 16 * 1024
_LONGEST_ORIGIN = 300

PromptFor = Callable[[Job, str], Prompt]


class Messages:
    """The two pipes."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source, self._sink = source, sink

    def read(self) -> dict[str, Any] | None:
        """The next message, None at the end. Raises MessageUnknown."""
        head = self._source.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        if length > _LONGEST:
            raise _unknown()
        try:
            message = json.loads(self._source.read(length))
        except (ValueError, RecursionError):
            raise _unknown() from None
        if not isinstance(message, dict):
            raise _unknown()
        return message

    def tell(self, message: dict[str, Any]) -> None:
        encoded = json.dumps(message).encode("ascii")
        self._sink.write(_LENGTH.pack(len(encoded)) + encoded)
        self._sink.flush()


def serve(messages: Messages, bank: BankFile, directory: Path, prompt_for: PromptFor) -> None:
    """Answer until the pipe ends or a job is over. What goes wrong is told to the page with its code."""
    while (message := messages.read()) is not None:
        match message:
            case {"type": "hello", **rest} if not rest:
                messages.tell({"type": "hello", "protocol": PROTOCOL, "tool": __version__, "bank": bank.origin})
            case {"type": "run", "origin": str(origin), "job": str(text), **rest} if not rest:
                messages.tell(_run(messages, bank, directory, prompt_for, origin, text))
                return
            case _:
                raise _unknown()


def _run(
    messages: Messages, bank: BankFile, directory: Path, prompt_for: PromptFor, origin: str, text: str
) -> dict[str, Any]:
    now, words = int(time.time()), Words()
    try:
        job = verify(text, bank, origin=origin[:_LONGEST_ORIGIN], now=now)
        words = Words(job.language)
        UsedJobs(directory / "jobs").take(job, now=now)
        return {"type": "done", **Operations(bank, prompt_for(job, origin), messages.tell, directory)(job)}
    except UShieldError as error:
        return {"type": "failed", "code": error.code, "sentence": words.of_error(error)}


def require_caller(arguments: Sequence[str], bank: BankFile) -> None:
    """Raise MessageUnknown unless the bank's own extension started us: browsers say which one did.

    Chromium gives the extension's origin, Firefox the path of the manifest and the extension's id.
    """
    chromium = list(arguments[:1]) == [f"chrome-extension://{bank.extension}/"]
    firefox = len(arguments) == 2 and arguments[1] == bank.firefox_extension
    if not chromium and not firefox:
        raise _unknown()


def main(arguments: Sequence[str], directory: Path) -> None:
    """Become the host. Raises UShieldError when nobody may be answered; the browser then sees the pipe end."""
    bank = bank_file.built_in()
    if bank is None:
        raise NoBankFile("This tool was not built by a bank, so no page can start it. Download it from your bank.")
    require_caller(arguments, bank)
    # A driver prints what it likes; the pipe to the browser is ours alone.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def prompt_for(job: Job, origin: str) -> Prompt:
        return Window(bank.name, origin, WHAT[job.operation], job.text, Words(job.language))

    serve(Messages(sys.stdin.buffer, sink), bank, directory, prompt_for)


def _unknown() -> MessageUnknown:
    return MessageUnknown("The browser sent something that this tool does not know. Nothing was done.")
