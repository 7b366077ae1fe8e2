"""Audit events in one hash chain (RFC 3647 section 5.4; DESIGN invariants 8 and 9).

Each event's hash covers the one before it, so an edit, a deletion or a swap breaks the chain; a cut tail is caught by
checkpoints: the chain's head signed with the HSM's audit key.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ca.domain.canonical import canonical
from ca.domain.errors import Tampered
from ca.domain.times import timestamp

GENESIS = hashlib.sha256(b"vermilion audit v1").digest()


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What happened (`noun.past-verb`), to what, by whom, when. Details are plain text: no secret, no document."""

    name: str
    subject: str
    actor: str
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)

    def link(self, number: int, previous: bytes, changes: bytes = b"", salt: bytes = b"") -> bytes:
        """The hash that chains this event as `number` (from 1) behind `previous` (32 bytes).

        `changes` is the digest of the rows its transaction changed (`ca/domain/journal.py`), on the last event only.
        """
        return linked(previous, event_digest(self.told(number), self.untold(changes, salt)))

    def told(self, number: int) -> bytes:
        """What may be shown to others as proof, as it is hashed."""
        details = {name: value for name, value in self.details.items() if name in _TOLD}
        return canonical(
            {
                "number": number,
                "name": self.name,
                "subject": self.subject,
                "at": timestamp(self.at),
                "details": details,
            }
        )

    def untold(self, changes: bytes, salt: bytes) -> bytes:
        """What stands for the rest (32 bytes): with the salt nobody finds out by guessing who acted."""
        details = {name: value for name, value in self.details.items() if name not in _TOLD}
        body = canonical({"actor": self.actor, "details": details, "changes": changes.hex()})
        return hashlib.sha256(salt + body).digest()


_TOLD = frozenset(
    {"status", "reason", "number", "base", "sha256", "this_update", "next_update", "shows", "unexpired_at"}
)
"""Details that say how a certificate stood and what a CRL said of it."""


def event_digest(told: bytes, untold: bytes) -> bytes:
    """What of an event goes into its link (32 bytes); by itself it shows nothing of it."""
    return hashlib.sha256(untold + told).digest()


def linked(previous: bytes, digest: bytes) -> bytes:
    """The chain's hash after an event, from the hash before it and the event's digest (32 bytes each)."""
    return hashlib.sha256(previous + digest).digest()


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """An event as recorded."""

    number: int
    event: AuditEvent
    hash: bytes
    changes: bytes = b""
    salt: bytes = b""

    @property
    def told(self) -> bytes:
        return self.event.told(self.number)

    @property
    def untold(self) -> bytes:
        return self.event.untold(self.changes, self.salt)

    @property
    def digest(self) -> bytes:
        return event_digest(self.told, self.untold)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain's head at a moment, signed with the audit key."""

    number: int
    hash: bytes
    at: datetime
    signature: bytes

    @property
    def message(self) -> bytes:
        return checkpoint_message(self.number, self.hash, self.at)


def checkpoint_message(number: int, head: bytes, at: datetime) -> bytes:
    """The bytes the audit key signs. It signs nothing else but snapshots of standings, dossiers and backups.

    No certificate chains to it.
    """
    return b"vermilion audit checkpoint v1\x00" + canonical({"number": number, "hash": head.hex(), "at": timestamp(at)})


@dataclass(frozen=True, slots=True)
class Proof:
    """That an event is in the chain: its links to a checkpoint, which show nothing of the events between."""

    event: ChainedEvent
    previous: bytes
    """The chain's hash before the event (32 bytes)."""
    behind: tuple[bytes, ...]
    """The digests of the events behind it, up to the checkpoint's (32 bytes each)."""
    checkpoint: Checkpoint

    def require(self) -> None:
        """Raise Tampered unless the links lead to the checkpoint."""
        hash_ = linked(self.previous, self.event.digest)
        for digest in self.behind:
            hash_ = linked(hash_, digest)
        if hash_ != self.checkpoint.hash or self.event.number + len(self.behind) != self.checkpoint.number:
            raise Tampered(f"the log between event {self.event.number} and the checkpoint behind it was altered")


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends."""

    number: int = 0
    hash: bytes = GENESIS

    def follow(self, chained: ChainedEvent) -> "Head":
        """Raise Tampered, naming the record, unless `chained` comes next and was not altered."""
        expected = self.number + 1
        if chained.number != expected:
            raise Tampered(f"audit event {expected} is missing: the next one found is number {chained.number}")
        if linked(self.hash, chained.digest) != chained.hash:
            raise Tampered(f"audit event {chained.number} ({chained.event.name}) was altered or moved")
        return Head(chained.number, chained.hash)
