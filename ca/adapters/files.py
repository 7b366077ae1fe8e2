"""Files beside the database that are only ever replaced whole: trust anchors, and whatever must not be seen half."""

import os
from pathlib import Path

from ca.domain.errors import NotReady


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """The old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        # As said, whatever the umask: what other processes must read they can, and nobody else's files are opened.
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


class TrustDirectory:
    """CA certificates (`<issuer>.cer`) and public keys (`audit.spki`, `tool-….spki`), DER, from the key ceremony."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, name: str, content: bytes) -> None:
        write_atomically(self._directory / name, content)

    def read(self, name: str) -> bytes:
        """Raise NotReady when the ceremony's result is not there."""
        try:
            return (self._directory / name).read_bytes()
        except OSError as error:
            missing = self._directory / name
            raise NotReady(f"{missing} cannot be read; hold the key ceremony or restore the state directory") from error
