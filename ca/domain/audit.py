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

    def link(self, number: int, previous: bytes, changes: bytes = b"") -> bytes:
        """The hash that chains this event as `number` (from 1) behind `previous` (32 bytes).

        `changes` is the digest of the rows its transaction changed (`ca/domain/journal.py`), on the last event only.
        """
        body = {
            "number": number,
            "name": self.name,
            "subject": self.subject,
            "actor": self.actor,
            "at": timestamp(self.at),
            "details": dict(self.details),
            "changes": changes.hex(),
        }
        return hashlib.sha256(previous + canonical(body)).digest()


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """An event as recorded."""

    number: int
    event: AuditEvent
    hash: bytes
    changes: bytes = b""


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
    """The bytes the audit key signs. Beside snapshots of standings it signs nothing else.

    No certificate chains to it.
    """
    return b"vermilion audit checkpoint v1\x00" + canonical({"number": number, "hash": head.hex(), "at": timestamp(at)})


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
        if chained.event.link(chained.number, self.hash, chained.changes) != chained.hash:
            raise Tampered(f"audit event {chained.number} ({chained.event.name}) was altered or moved")
        return Head(chained.number, chained.hash)
