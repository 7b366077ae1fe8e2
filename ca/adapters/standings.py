"""The standings map: an LMDB environment that the signer writes and every worker of the status process reads.

It is not flushed to disk: a killed process loses nothing, and after a power cut it is built anew, because nobody uses a
map of another boot. When a change cannot be written, the map is taken away: no status is better than an old one.
"""

import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import lmdb

from ca.domain import standings as layout
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import NotReady
from ca.domain.standings import Standing, serial_key

_ADDRESS_SPACE = 1 << 36
"""Neither memory nor disk: room for some 500 million certificates."""
_READERS = 1024
_BEHIND = "the act is recorded, but the standings map cannot be written; it is built anew when there is space again"


class _Files:
    """The opened environment with its three tables."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.environment = lmdb.open(
            str(directory), map_size=_ADDRESS_SPACE, max_dbs=3, max_readers=_READERS, sync=False, mode=0o600
        )
        self.standings, self.not_good, self.about = (
            self.environment.open_db(name) for name in (layout.STANDINGS, layout.NOT_GOOD, layout.ABOUT)
        )
        if directory.stat().st_mode & stat.S_IXGRP:
            # Its group is to read the map, and a reader writes in the lock file; whatever our umask is.
            (directory / "data.mdb").chmod(0o640)
            (directory / "lock.mdb").chmod(0o660)

    def is_of(self, identity: dict[bytes, bytes]) -> bool:
        with self.environment.begin(db=self.about) as transaction:
            return all(transaction.get(key) == value for key, value in identity.items())


class StandingsMap:
    """ports.Standings. Opened when it is first used."""

    def __init__(self, directory: Path, *, boot_id: str = layout.BOOT_ID) -> None:
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

    def list_not_good(self, issuer: str) -> Iterator[tuple[int, Standing]]:
        files, start = self._files(), _index_key(issuer, b"")
        with files.environment.begin() as transaction, transaction.cursor(files.not_good) as cursor:
            found = cursor.set_range(start)
            while found and cursor.key().startswith(start):
                key = cursor.key()[len(start) :]
                yield int.from_bytes(key, "big"), Standing.unpack(transaction.get(key, b"", db=files.standings))
                found = cursor.next()

    def apply(self, changed: Iterable[tuple[int, Standing]], *, after: int, number: int) -> None:
        self._write(changed, after=after, number=number)

    def rebuild(self, everything: Iterable[tuple[int, Standing]], *, number: int) -> None:
        self._write(everything, after=None, number=number)

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            if self._opened is not None:
                self._opened.environment.close()
                self._opened = None

    def _write(self, changed: Iterable[tuple[int, Standing]], *, after: int | None, number: int) -> None:
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
            files = _Files(self._directory)
            if not files.is_of(identity):
                files.environment.close()
                self._remove()
                files = _Files(self._directory)
                with files.environment.begin(db=files.about, write=True) as transaction:
                    for key, value in identity.items():
                        transaction.put(key, value)
        except (lmdb.Error, OSError) as error:
            raise self._unusable(error) from error
        return files

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
    transaction: lmdb.Transaction,
    changed: Iterable[tuple[int, Standing]],
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
    for serial, standing in changed:
        key = serial_key(serial)
        if key is None:
            continue  # no certificate has it (RFC 5280 section 4.1.2.2)
        transaction.put(key, standing.pack(), db=files.standings)
        index = _index_key(standing.issuer, key)
        if standing.status is CertificateStatus.ACTIVE:
            transaction.delete(index, db=files.not_good)
        else:
            transaction.put(index, b"", db=files.not_good)
    # Incomplete until it was built: an empty map that took in one change knows nothing of the others.
    if after is None or (applied is not None and after <= int(applied)):
        transaction.put(layout.APPLIED_KEY, b"%d" % number, db=files.about)


def _index_key(issuer: str, key: bytes) -> bytes:
    return issuer.encode("ascii") + b"\x00" + key
