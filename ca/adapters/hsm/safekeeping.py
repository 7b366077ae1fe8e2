"""A copy of what SoftHSM cannot write safely: `token.object`, without which the token's keys are lost.

SoftHSM empties this file and writes it anew at every login. A process killed in between leaves it empty, and the token
with every key in it is gone. So it is copied after each login that worked, and put back before the next one if it was
left empty. The copy is worth what the original is worth: keys under the PIN. Modules other than SoftHSM have no files.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

from ca.adapters.files import write_atomically
from ca.adapters.hsm.tokens import HsmToken
from ca.domain.errors import NotReady

_log = logging.getLogger(__name__)


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
