"""The standings map: an LMDB environment that the signer writes and every worker of the status process reads.

It is not flushed to disk: a killed process loses nothing, and after a power cut it is built anew from its snapshot and
the journal, because nobody uses a map of another boot; what a power cut left of its pages is not even opened. When a
change cannot be written, the map is taken away: no status is better than an old one.
"""

import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import lmdb

from ca.adapters.files import write_atomically
from ca.domain import standings as layout
from ca.domain.errors import NotReady
from ca.domain.standings import Standing, packed_records, serial_key
from ca.keeping import Record

_ADDRESS_SPACE = 1 << 36
"""Neither memory nor disk: room for some 500 million certificates."""
_READERS = 1024
_BEHIND = "the act is recorded, but the standings map cannot be written; it is built anew when there is space again"


class _Files:
    """The opened environment with its three tables."""

    def __init__(self, directory: Path, *, read_only: bool) -> None:
        if not read_only:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.environment = lmdb.open(
            str(directory),
            map_size=_ADDRESS_SPACE,
            max_dbs=3,
            max_readers=_READERS,
            sync=False,
            mode=0o600,
            readonly=read_only,
            create=not read_only,
        )
        self.standings, self.not_good, self.about = (
            self.environment.open_db(name, create=not read_only)
            for name in (layout.STANDINGS, layout.NOT_GOOD, layout.ABOUT)
        )
        if not read_only and directory.stat().st_mode & stat.S_IXGRP:
            # Its group is to read the map, and a reader writes in the lock file; whatever our umask is.
            (directory / "data.mdb").chmod(0o640)
            (directory / "lock.mdb").chmod(0o660)

    def is_of(self, identity: dict[bytes, bytes]) -> bool:
        with self.environment.begin(db=self.about) as transaction:
            return all(transaction.get(key) == value for key, value in identity.items())


class StandingsMap:
    """ports.Standings. Opened when it is first used; `read_only` beside the signer, by whoever only compares."""

    def __init__(self, directory: Path, *, boot_id: str = layout.BOOT_ID, read_only: bool = False) -> None:
        self._read_only = read_only
        self._directory = directory
        self._boot_id = boot_id
        self._opened: _Files | None = None
        self._lock = threading.RLock()

    def applied(self) -> int:
        try:
            files = self._files()
            with files.environment.begin(db=files.about) as transaction:
                return int(transaction.get(layout.APPLIED_KEY, b"0"))
        except lmdb.Error as error:
            raise self._unusable(error) from error

    def find(self, serial: int) -> Standing | None:
        key = serial_key(serial)
        try:
            files = self._files()
            with files.environment.begin(db=files.standings) as transaction:
                packed = None if key is None else transaction.get(key)
        except lmdb.Error as error:
            raise self._unusable(error) from error
        return None if packed is None else Standing.unpack(packed)

    def list_not_good(self, issuer: str, since: datetime) -> Iterator[tuple[int, Standing]]:
        files, prefix = self._files(), layout.not_good_prefix(issuer.encode("ascii"))
        start = prefix + layout.revoked_since(since)
        try:
            with files.environment.begin() as transaction, transaction.cursor(files.not_good) as cursor:
                for index in cursor.iternext(keys=True, values=False) if cursor.set_range(start) else ():
                    if not index.startswith(prefix):
                        break
                    key = index[-layout.KEY_OCTETS :]
                    yield int.from_bytes(key, "big"), Standing.unpack(transaction.get(key, b"", db=files.standings))
        except lmdb.Error as error:
            raise self._unusable(error) from error

    def apply(self, changed: Iterable[tuple[int, Standing]], *, after: int, number: int) -> None:
        self._write(packed_records(changed), after=after, number=number)

    def rebuild(self, records: Iterable[Record], *, number: int) -> None:
        self._write(records, after=None, number=number)

    @contextmanager
    def records(self) -> Iterator[tuple[int, Iterator[Record]]]:
        try:
            files = self._files()
            with files.environment.begin(db=files.standings) as transaction, transaction.cursor() as cursor:
                yield int(transaction.get(layout.APPLIED_KEY, b"0", db=files.about)), iter(cursor)
        except lmdb.Error as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            if self._opened is not None:
                self._opened.environment.close()
                self._opened = None

    def _write(self, changed: Iterable[Record], *, after: int | None, number: int) -> None:
        with self._lock:
            try:
                files = self._files()
                # What a killed reader left behind would keep old pages from being used again.
                files.environment.reader_check()
                with files.environment.begin(write=True) as transaction:
                    _put_all(files, transaction, changed, after, number)
            except (lmdb.Error, OSError) as error:
                self._remove()
                raise NotReady(_BEHIND) from error

    def _files(self) -> _Files:
        if self._opened is None:
            with self._lock:
                self._opened = self._opened or self._open()
        return self._opened

    def _open(self) -> _Files:
        try:
            identity = {
                layout.FORMAT_KEY: layout.FORMAT,
                layout.BOOT_KEY: Path(self._boot_id).read_bytes().strip(),
            }
            self._require_boot(identity[layout.BOOT_KEY])
            files = _Files(self._directory, read_only=self._read_only)
            if not files.is_of(identity):
                files.environment.close()
                if self._read_only:
                    raise NotReady("the standings map is of another release; the signer builds it when it starts")
                self._remove()
                files = _Files(self._directory, read_only=False)
                with files.environment.begin(db=files.about, write=True) as transaction:
                    for key, value in identity.items():
                        transaction.put(key, value)
        except (lmdb.Error, OSError) as error:
            raise self._unusable(error) from error
        return files

    def _require_boot(self, boot_id: bytes) -> None:
        """What another boot left may be half of what was written: to open it could end this process."""
        mark = self._directory / layout.BOOT_MARK
        if mark.is_file() and mark.read_bytes() == boot_id:
            return
        if self._read_only:
            raise NotReady("there is no standings map of this boot; the signer builds it when it starts")
        if self._directory.is_dir():
            self._remove()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # As the map itself: its group is to read it, whatever our umask is.
        shared = self._directory.stat().st_mode & stat.S_IXGRP
        write_atomically(mark, boot_id, mode=0o640 if shared else 0o600)

    def _remove(self) -> None:
        """Readers see within a moment that there is no map."""
        self.close()
        for name in ("data.mdb", "lock.mdb"):
            with suppress(FileNotFoundError):
                (self._directory / name).unlink()

    def _unusable(self, error: Exception) -> NotReady:
        return NotReady(f"the standings map in {self._directory} cannot be used: {error}")


def _put_all(
    files: _Files,
    transaction: "lmdb.Transaction[bytes]",
    changed: Iterable[Record],
    after: int | None,
    number: int,
) -> None:
    """In one transaction of the map: a reader sees all of it or nothing. Without `after`, instead of what was there."""
    applied = transaction.get(layout.APPLIED_KEY, db=files.about)
    if after is not None and applied is not None and number <= int(applied):
        return  # it came by way of the records already
    if after is None:
        for table in (files.standings, files.not_good):
            transaction.drop(table, delete=False)
    for key, packed in changed:
        before = transaction.get(key, b"", db=files.standings)
        if before and layout.is_final(before):
            continue
        transaction.put(key, packed, db=files.standings)
        if before and not layout.is_good(before):
            transaction.delete(layout.not_good_key(before, key), db=files.not_good)
        if not layout.is_good(packed):
            transaction.put(layout.not_good_key(packed, key), b"", db=files.not_good)
    # Incomplete until it was built: an empty map that took in one change knows nothing of the others.
    if after is None or (applied is not None and after <= int(applied)):
        transaction.put(layout.APPLIED_KEY, b"%d" % number, db=files.about)
