"""The note that lets an interrupted download go on: which request was sent for which reference number.

An ECDSA signature differs each time, and the bank gives one code one certificate, so the request must be kept and
sent again byte for byte. The note lives on the U-Shield itself (a public data object), so that another computer can
finish; where a U-Shield keeps no data objects, in a file under XDG_STATE_HOME. It holds no secret.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from cryptography import x509

from ushield.errors import NotesDirUnusable

APPLICATION = "ushield"


@dataclass(frozen=True, slots=True)
class Pending:
    """A download that has begun: the request exists, the certificate is not yet confirmed."""

    reference: str
    profile: str
    request: bytes
    confirm: bool

    def encoded(self) -> bytes:
        return json.dumps(
            {
                "version": 1,
                "reference": self.reference,
                "profile": self.profile,
                "confirm": self.confirm,
                "request": b64encode(self.request).decode("ascii"),
            },
            separators=(",", ":"),
        ).encode("ascii")

    @classmethod
    def decoded(cls, raw: bytes, reference: str) -> "Pending | None":
        """None for anything we did not write for this reference: the note is public, so it is not simply believed."""
        try:
            read = json.loads(raw)
            request = b64decode(read["request"], validate=True)
            x509.load_der_x509_csr(request)
            if read["version"] != 1 or read["reference"] != reference or not isinstance(read["confirm"], bool):
                return None
            return cls(reference, str(read["profile"]), request, read["confirm"])
        except (ValueError, KeyError, TypeError):
            return None


class Notes(Protocol):
    """The part of a U-Shield that keeps notes."""

    @property
    def serial(self) -> str: ...

    def notes(self, application: str) -> dict[str, bytes]: ...

    def write_note(self, application: str, label: str, value: bytes) -> bool: ...

    def remove_note(self, application: str, label: str) -> None: ...


@dataclass(frozen=True)
class Shelf:
    """Where notes of unfinished downloads are kept: on the U-Shield, else in the state directory."""

    device: Notes
    directory: Path

    def load(self, reference: str) -> Pending | None:
        raw = self.device.notes(APPLICATION).get(reference)
        if raw is None:
            with self._using_directory():
                raw = self._file(reference).read_bytes() if self._file(reference).is_file() else None
        return None if raw is None else Pending.decoded(raw, reference)

    def save(self, pending: Pending) -> None:
        """Keep the note; on return it survives a power cut."""
        # A note that could not be read would otherwise hide the new one.
        self.device.remove_note(APPLICATION, pending.reference)
        if self.device.write_note(APPLICATION, pending.reference, pending.encoded()):
            return
        with self._using_directory():
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            written = self._file(pending.reference).with_suffix(".new")
            with written.open("wb") as file:
                file.write(pending.encoded())
                file.flush()
                os.fsync(file.fileno())
            written.replace(self._file(pending.reference))
            _flush_directory(self.directory)

    def drop(self, reference: str) -> None:
        self.device.remove_note(APPLICATION, reference)
        with self._using_directory():
            self._file(reference).unlink(missing_ok=True)

    @contextmanager
    def _using_directory(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NotesDirUnusable(
                f"The directory {self.directory}, where this computer remembers an unfinished download, cannot be "
                f"used: {error.strerror}. Nothing is lost. Make room or make it yours, and run the same command again."
            ) from error

    def _file(self, reference: str) -> Path:
        # Hashed: a reference number and a serial number are data from outside and must not name a path.
        name = sha256(f"{self.device.serial}\0{reference}".encode()).hexdigest()[:32]
        return self.directory / f"{name}.json"


def _flush_directory(directory: Path) -> None:
    """The new name is on disk once its directory is. Windows opens no directories, and needs none of this."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def state_directory() -> Path:
    """XDG base directory specification; the same place serves on macOS and Windows."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "ushield"
