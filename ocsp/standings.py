"""How certificates stand by the signer's map on this host: one look in memory, no query (docs/adr/0018).

The map can be taken away or built anew at any time, so its file is looked at a few times a second. What its records
mean is at home in `ca/domain/standings.py`.
"""

import os
import time
from itertools import islice
from pathlib import Path

import lmdb

from ca.domain import standings as layout
from ca.domain.errors import NotReady

_LOOK_AGAIN_SECONDS = 0.2


class MappedStandings:
    """The signer's map, read only. Used by any thread; a look takes a microsecond or two."""

    reads_at_once = True

    def __init__(self, directory: Path, *, boot_id: str = layout.BOOT_ID) -> None:
        self._directory = directory
        self._boot_id = boot_id
        self._look_at = 0.0
        self._file: tuple[int, int] | None = None
        self._environment: lmdb.Environment | None = None
        self._table: lmdb._Database | None = None

    def find(self, key: bytes) -> bytes | None:
        """The packed standing under a `serial_key`, None when it was never issued. Raises NotReady."""
        if time.monotonic() >= self._look_at:
            self._look()
        environment = self._environment
        if environment is None:
            raise NotReady("there is no standings map that may be used; the signer makes one when it starts")
        try:
            with environment.begin(db=self._table) as transaction:
                return transaction.get(key)
        except lmdb.Error as error:
            raise NotReady("the standings map cannot be read") from error

    def walk(self, after: bytes, count: int) -> list[tuple[bytes, bytes]]:
        """The next keys with their standings, in order; none at the end, or while it cannot be read."""
        environment = self._environment
        if environment is None:
            return []
        try:
            with environment.begin(db=self._table) as transaction, transaction.cursor() as cursor:
                return list(islice(cursor, count)) if cursor.set_range(after + b"\x00") else []
        except lmdb.Error:
            return []

    def _look(self) -> None:
        self._look_at = time.monotonic() + _LOOK_AGAIN_SECONDS
        try:
            now = os.stat(self._directory / "data.mdb")  # noqa: PTH116 - five times a second
            if self._file != (now.st_dev, now.st_ino):
                # Others may be in the middle of a look: the old one is closed when the last of them lets go of it.
                self._file, self._environment = None, None
                self._environment = self._open()
                self._file = now.st_dev, now.st_ino
        except (OSError, lmdb.Error):
            self._file, self._environment = None, None

    def _open(self) -> lmdb.Environment:
        boot_id = Path(self._boot_id).read_bytes().strip()
        # Before it is opened: what a power cut left of another boot's pages could end this process.
        if (self._directory / layout.BOOT_MARK).read_bytes() != boot_id:
            raise lmdb.NotFoundError("a map of another boot")
        environment = lmdb.open(
            str(self._directory), readonly=True, create=False, max_dbs=3, readahead=False, max_spare_txns=16
        )
        about = environment.open_db(layout.ABOUT, create=False)
        with environment.begin(db=about) as transaction:
            of = transaction.get(layout.FORMAT_KEY), transaction.get(layout.BOOT_KEY)
            if of != (layout.FORMAT, boot_id) or transaction.get(layout.APPLIED_KEY) is None:
                raise lmdb.NotFoundError("a map of another kind, or not complete yet")
        self._table = environment.open_db(layout.STANDINGS, create=False)
        return environment
