"""A copy of what SoftHSM cannot write safely: `token.object`, without which the token's keys are lost.

SoftHSM empties this file and writes it anew at every login. A process killed in between leaves it empty, and the token
with every key in it is gone. So it is copied after each login that worked, and put back before the next one if it was
left empty. The copy is worth what the original is worth: keys under the PIN. Modules other than SoftHSM have no files.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from ca.adapters.files import write_atomically
from ca.adapters.hsm.tokens import HsmToken
from ca.domain.errors import NotReady

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.2
_ATTEMPTS = 50


def keep(token: HsmToken) -> None:
    """After a login, as the owner of the token's lock. Raises NotReady when the copy cannot be written."""
    for original, copy in _files(token):
        content = _content(original)
        if content and content != _content(copy):
            try:
                copy.parent.mkdir(mode=0o700, exist_ok=True)
                write_atomically(copy, content, mode=0o600)
            except OSError as error:
                raise NotReady(f"{copy} cannot be written: {error.strerror}") from error


def put_back(token: HsmToken) -> None:
    """Before the module is opened, as the owner of the token's lock. Raises NotReady when it cannot be written."""
    for original, copy in _files(token):
        kept = _content(copy)
        if kept and not _content(original):
            try:
                write_atomically(original, kept, mode=0o600)
            except OSError as error:
                raise NotReady(f"{original} cannot be written: {error.strerror}") from error
            _log.warning("%s was left empty by a process that was killed; its copy was put back", original)


def settled(tokens: Path) -> dict[str, bytes]:
    """Every file of a SoftHSM token directory, by its name in there, while the token is in use.

    Keys in them are encrypted under the PIN. Raises NotReady when the directory cannot be read or is never at rest.
    """
    before: dict[str, bytes] = {}
    for _ in range(_ATTEMPTS):
        try:
            now = {str(path.relative_to(tokens)): path.read_bytes() for path in sorted(tokens.glob("*/*"))}
        except FileNotFoundError:
            now = {}  # one was replaced just now
        except OSError as error:
            raise NotReady(f"{tokens} cannot be read: {error.strerror}") from error
        whole = all(content.strip(b"\0") for name, content in now.items() if name.endswith(".object"))
        if now and now == before and whole:
            return now
        before = now
        time.sleep(_PAUSE_SECONDS)
    raise NotReady(f"{tokens} has no whole token in it; start the signer, which puts its copy back, and try again")


def _files(token: HsmToken) -> Iterator[tuple[Path, Path]]:
    if token.configuration is None:
        return
    place = token.configuration.parent
    for directory in sorted((place / "tokens").glob("*/")):
        yield directory / "token.object", place / "kept" / directory.name


def _content(path: Path) -> bytes:
    """Empty too when a power cut left nothing but zeros."""
    try:
        content = path.read_bytes()
    except OSError:
        return b""
    return content if content.strip(b"\0") else b""
