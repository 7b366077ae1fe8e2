"""`./pki backup`: everything that cannot be made again, of one moment, in one encrypted file, while all processes run.

The order is what makes it consistent: the database first, the journal last. So the journal in a backup has all that the
database in it has, and what was done meanwhile; a restore replays it. No PIN is in it, no key that is not wrapped by
the HSM, and nothing that a start makes anew.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlalchemy import make_url

from ca.adapters.backup.age import SealedWriter
from ca.adapters.backup.archive import ArchiveWriter
from ca.adapters.clock import SystemClock
from ca.adapters.db.dump import copy_sqlite, dump_postgres
from ca.adapters.db.schema import our_revision
from ca.adapters.hsm.safekeeping import settled
from ca.adapters.hsm.tokens import TokenDirectory
from ca.adapters.journal import checkpoints, journal, lines, snapshot
from ca.backup_operations import SignBackup
from ca.domain.audit import Head
from ca.domain.backups import Manifest, manifest_digest
from ca.domain.errors import InvalidRequest, NotReady
from ca.domain.journal import Entry
from ca.operations import Health, decode_base64
from ca.signer_client import SignerClient
from ca.wiring import Files, disposing, open_to_read
from config.settings import FILE_NAME, Settings, State

DATABASE = "database.sqlite3"
JOURNAL = f"journal/{journal.FILE}"
PROFILES, PROVIDERS = "profiles", "providers.toml"
FOLDERS = ("trust", "ceremony", "publication", "crl-copies", "outbox")
"""Taken as they are, but for files that begin with a dot: those are not finished, or of a lock."""
_UNFINISHED = "backup-unfinished"
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Made:
    """A backup that is whole and on disk."""

    path: Path
    size: int
    journal: Head
    last_act: datetime
    has_tokens: bool
    """Whether the HSM's tokens are in it; another maker's HSM has its own backup."""


def audit_key_of(state: State, settings: Settings) -> str:
    """SHA-256 of the audit key's public half, in hexadecimal. Raises NotReady."""
    return hashlib.sha256(Files.of(state, settings).trust.read("audit.spki")).hexdigest()


def make_backup(
    state: State, settings: Settings, path: Path, recipients: Sequence[X25519PublicKey], client: SignerClient
) -> Made:
    """Into a new file, which has its name only when it is whole.

    Raises InvalidRequest when the file is there already, NotReady, Tampered, SigningRefused.
    """
    if path.exists():
        raise InvalidRequest(f"{path} is there already; a backup never takes the place of another")
    client.call(Health())  # it signs at the end: whether it answers should not show then
    Files.of(state, settings).journal.require_mirrored()
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with _turn(state) as room, _new(unfinished) as file:
            stream = SealedWriter(file, recipients)
            with ArchiveWriter(stream) as archive:
                manifest, has_tokens = _write(state, settings, room, archive, client)
            stream.finish()
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        _flush(path.parent)
    except OSError as error:
        raise NotReady(f"{error.filename or path} cannot be read or written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return Made(path, path.stat().st_size, manifest.journal, manifest.last_act, has_tokens)


def _write(
    state: State, settings: Settings, room: Path, archive: ArchiveWriter, client: SignerClient
) -> tuple[Manifest, bool]:
    began, kind = SystemClock().now(), _database(state, settings, room, archive)
    _configuration(state, settings, archive)
    for folder in FOLDERS:
        _folder(archive, state / folder, folder)
    has_tokens = _tokens(state, archive)
    # What says how far the journal went comes before the journal: it must not point behind the journal's end.
    _file(archive, state.journal / snapshot.FILE, f"journal/{snapshot.FILE}")
    said = max(Files.of(state, settings).snapshot.number(), _checkpoints(state, archive))
    head, last_act = _journal(state, archive, said)
    manifest = Manifest(began, our_revision(), kind, head, last_act, archive.parts)
    content = manifest.content()
    digest = manifest_digest(content)
    answer = client.call(SignBackup(digest=digest, number=head.number, hash=head.hash))
    archive.finish(content, decode_base64(answer["signature"]))
    return manifest, has_tokens


def _database(state: State, settings: Settings, room: Path, archive: ArchiveWriter) -> str:
    with disposing(open_to_read(state, settings)) as engine:
        kind = engine.dialect.name
        for name, piece in dump_postgres(engine) if kind == "postgresql" else ():
            archive.add_bytes(name, piece)
    if kind == "postgresql":
        return kind
    copied = room / DATABASE
    copy_sqlite(Path(make_url(state.database_url(settings)).database or ""), copied)
    _file(archive, copied, DATABASE)
    copied.unlink()
    return kind


def _configuration(state: State, settings: Settings, archive: ArchiveWriter) -> None:
    _file(archive, state.settings_file, FILE_NAME)
    if settings.profiles:
        _folder(archive, Path(settings.profiles), PROFILES)
    if settings.providers:
        _file(archive, Path(settings.providers), PROVIDERS)


def _tokens(state: State, archive: ArchiveWriter) -> bool:
    found = [TokenDirectory(path) for path in sorted((state / "hsm").glob("*/"))]
    found = [token for token in found if token.configuration.exists()]
    for token in found:
        place = f"hsm/{token.path.name}"
        _file(archive, token.configuration, f"{place}/{token.configuration.name}")
        for name, content in settled(token.tokens).items():
            archive.add_bytes(f"{place}/{token.tokens.name}/{name}", content)
    return bool(found)


def _checkpoints(state: State, archive: ArchiveWriter) -> int:
    """The event that the last one is about; 0 when there is none."""
    path = state.journal / checkpoints.FILE
    with suppress(FileNotFoundError), path.open("rb") as file:
        size = lines.whole_size(file.fileno())
        archive.add(f"journal/{checkpoints.FILE}", file, size)
        # As far as it was copied: the signer may have added one meanwhile.
        return checkpoints.number_in(lines.line_ending_at(file.fileno(), size))
    return 0


def _journal(state: State, archive: ArchiveWriter, said: int) -> tuple[Head, datetime]:
    """All that is in it by now, and at least up to the event `said`, which may be on its way into it."""
    path = state.journal / journal.FILE
    with path.open("rb") as file:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            size = lines.whole_size(file.fileno())
            last = lines.line_ending_at(file.fileno(), size)
            if last and (entry := Entry.parse(last)).head.number >= said:
                break
            if time.monotonic() > deadline:
                raise NotReady(f"{path} does not go to event {said}, about which something was signed; run the doctor")
            time.sleep(_PAUSE_SECONDS)
        archive.add(JOURNAL, file, size)
    return entry.head, entry.events[-1].event.at


def _folder(archive: ArchiveWriter, folder: Path, name: str) -> None:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            _file(archive, path, f"{name}/{inside}")


def _file(archive: ArchiveWriter, path: Path, name: str) -> None:
    """One that went away meanwhile (a notice that was sent, a file that was never made) is not taken."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        now = os.fstat(file.fileno())
        archive.add(name, file, now.st_size, now.st_mode & 0o777)


@contextmanager
def _turn(state: State) -> Iterator[Path]:
    """Room for the copy of the database, for one backup at a time; what a killed one left is thrown away."""
    room = state / _UNFINISHED
    room.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(room, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in room.iterdir():
            left.unlink()
        yield room
        room.rmdir()
    except BlockingIOError as error:
        raise NotReady("another backup is being made of this state directory; wait for it") from error
    finally:
        os.close(descriptor)


@contextmanager
def _new(path: Path) -> Iterator[BinaryIO]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb", buffering=1 << 20) as file:
        yield file


def _flush(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
