"""Signed answers, kept for all workers of this host until they run out: by CertID, and only what differs between them.

Answers differ in their times, the serial number, the status and the signature; the rest is one of a few templates. An
answer is put together again byte for byte, which is tried before it is kept. What is kept decides nothing: it is given
only while the certificate stands as it stood when the answer was signed.
"""

import hashlib
import logging
import random
import shutil
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import lmdb

from ca.domain import der
from ca.domain import standings as layout
from ca.domain.errors import NotReady
from ca.domain.ocsp import CertId
from ca.domain.standings import face_of
from ocsp.response import SignedAnswer

_FORMAT = "1"
_NAME_OCTETS = 4
_RECORD = struct.Struct(f">{_NAME_OCTETS}sII")
"""Template, producedAt and nextUpdate; the face comes before them, signature and status behind."""
_SPACE_FOR_EACH = 512
"""Addresses, not memory: several times what an answer takes."""
_SPACE_FOR_ALL = 16 << 20
_FORGOTTEN_AT_ONCE = 64

_log = logging.getLogger(__name__)


class KeptAnswer(NamedTuple):
    """An answer and between when it holds, in seconds since 1970."""

    der: bytes
    produced_at: int
    next_update: int


@lru_cache(maxsize=256)
def variant(cert_id_head: bytes) -> bytes:
    """A name for what the CertIDs of one issuer, written in one way, have in common (`CertId.head`)."""
    return _name(cert_id_head)


class KeptAnswers:
    """At most `limit` of them; a random few make room for new ones. Reading takes microseconds and no lock."""

    def __init__(self, directory: Path, *, limit: int, boot_id: str = layout.BOOT_ID) -> None:
        """Once in a worker. Raises NotReady."""
        self._limit = limit
        self._known: dict[bytes, _Template] = {}
        self._is_failing = False
        try:
            self.environment = self._open(directory, boot_id)
            self._answers, self._templates = (self.environment.open_db(name) for name in (b"answers", b"templates"))
            # Workers that were killed in the middle of a look.
            self.environment.reader_check()
        except (OSError, lmdb.Error) as error:
            raise NotReady(f"{directory} must be writable for the status process: {error}") from error

    def _open(self, directory: Path, boot_id: str) -> lmdb.Environment:
        """What an earlier boot or another version left is deleted: it may be damaged."""
        ours = f"{_FORMAT}-{Path(boot_id).read_text('ascii').strip()}"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for other in directory.iterdir():
            if other.is_dir() and other.name != ours:
                shutil.rmtree(other, ignore_errors=True)
        return lmdb.open(
            str(directory / ours),
            map_size=self._limit * _SPACE_FOR_EACH + _SPACE_FOR_ALL,
            max_dbs=2,
            max_readers=1024,
            max_spare_txns=16,
            sync=False,
            readahead=False,
            mode=0o600,
        )

    def find(self, variant: bytes, serial: bytes, face: bytes) -> KeptAnswer | None:
        """The answer that was signed while the certificate had this face (`face_of` its standing).

        Who cannot read what is kept has none.
        """
        try:
            return self._find(variant, serial, face)
        except lmdb.Error as error:
            self._warn(error)
            return None

    def _find(self, variant: bytes, serial: bytes, face: bytes) -> KeptAnswer | None:
        with self.environment.begin(db=self._answers) as transaction:
            record = transaction.get(variant + serial)
        # The face comes first in the record.
        if record is None or not record.startswith(face):
            return None
        record = record[len(face) :]
        name, produced_at, next_update = _RECORD.unpack_from(record)
        template = self._known.get(name) or self._read_template(name)
        if template is None:
            return None
        return KeptAnswer(template.fill(record, serial, produced_at, next_update), produced_at, next_update)

    def keep(self, cert_id: CertId, standing: bytes, answer: SignedAnswer) -> None:
        """Keep what was signed while the certificate had this standing.

        One that no template fits is not kept, and none is where there is no room: it was signed all the same.
        """
        (said,) = answer.said
        template = _Template.of(answer, cert_id)
        packed, serial = template.pack(), cert_id.serial_octets
        name = _name(packed)
        times = int(answer.produced_at.timestamp()), int(answer.next_update.timestamp())
        record = _RECORD.pack(name, *times) + answer.signature + said[len(cert_id.der) :]
        if template.fill(record, serial, *times) != answer.der:
            return
        try:
            with self.environment.begin(write=True, db=self._answers) as transaction:
                if transaction.stat(self._answers)["entries"] >= self._limit:
                    self._forget_some(transaction)
                transaction.put(name, packed, db=self._templates, overwrite=False)
                if transaction.get(name, db=self._templates) == packed:  # short names may be taken
                    transaction.put(variant(cert_id.head) + serial, face_of(standing) + record)
        except lmdb.Error as error:
            self._warn(error)
        else:
            self._is_failing = False

    def _warn(self, error: lmdb.Error) -> None:
        """Once: this would come with every answer, and most likely because a disk is full."""
        if not self._is_failing:
            _log.warning("answers are not kept any more, each is signed anew: %s", error)
        self._is_failing = True

    def count(self) -> int:
        with self.environment.begin() as transaction:
            return int(transaction.stat(self._answers)["entries"])

    def _read_template(self, name: bytes) -> "_Template | None":
        with self.environment.begin(db=self._templates) as transaction:
            packed = transaction.get(name)
        if packed is None:
            return None
        template = self._known[name] = _Template.unpack(packed)
        return template

    def _forget_some(self, transaction: lmdb.Transaction) -> None:
        with transaction.cursor(self._answers) as cursor:
            # A random one of the ways to write CertIDs, and in it a random place: serial numbers are random.
            if not cursor.set_range(random.randbytes(_NAME_OCTETS)):  # noqa: S311 - no secret
                cursor.first()
            variant = bytes(cursor.key()[:_NAME_OCTETS])
            if not cursor.set_range(variant + b"\x01" + random.randbytes(16)):  # noqa: S311 - no secret
                cursor.first()
            forgotten = 0
            while forgotten < _FORGOTTEN_AT_ONCE and cursor.delete():
                forgotten += 1


@dataclass(frozen=True, slots=True)
class _Template:
    """The constant parts of an answer: those before its times, serial, status and signature, and the rest."""

    parts: tuple[bytes, ...]
    signature_size: int

    @classmethod
    def of(cls, answer: SignedAnswer, cert_id: CertId) -> "_Template":
        """Cut where the variable parts stand. What is not found there shows when the answer is put together."""
        (said,) = answer.said
        produced, until = _text(int(answer.produced_at.timestamp())), _text(int(answer.next_update.timestamp()))
        parts, rest = [], answer.der
        for variable in (produced, said, produced, until, answer.signature):
            part, _, rest = rest.partition(variable)
            parts.append(part)
        parts[1] += cert_id.head
        return cls((*parts, rest), len(answer.signature))

    def fill(self, record: bytes, serial: bytes, produced_at: int, next_update: int) -> bytes:
        signature_end = _RECORD.size + self.signature_size
        before, listed, this, until, signed, rest = self.parts
        now = _text(produced_at)
        return b"".join(
            (
                *(before, now, listed, serial, record[signature_end:], this, now),
                *(until, _text(next_update), signed, record[_RECORD.size : signature_end], rest),
            )
        )

    def pack(self) -> bytes:
        return der.sequence(der.integer(self.signature_size), *(der.octet_string(part) for part in self.parts))

    @classmethod
    def unpack(cls, packed: bytes) -> "_Template":
        size, *parts = der.parse(packed).children()
        return cls(tuple(part.content for part in parts), int.from_bytes(size.content, "big"))


def _name(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_NAME_OCTETS).digest()


@lru_cache(maxsize=8192)
def _text(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii")
