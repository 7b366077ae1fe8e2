"""The journal: the audit log a second time, outside the database, with what each transaction wrote (invariant 8).

One entry is one transaction: its events in the chain, and the rows it changed. The digest of the changes is in the link
of the transaction's last event, so whoever proves the chain proves the changes too. With the changes a database that
was restored to an older state is brought back to the last act, and nobody's revocation is undone by a restore.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ca.domain.audit import AuditEvent, ChainedEvent, Head
from ca.domain.canonical import canonical, digest
from ca.domain.errors import Tampered
from ca.domain.times import instant, timestamp

Scalar = str | int | None
"""What a column holds, as JSON has it: bytes are hexadecimal text, instants are seconds since 1970."""


class Act(StrEnum):
    """What was done to a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """A statement that changed rows: which table, which rows (by equal columns), which columns became what."""

    act: Act
    table: str
    key: Mapping[str, Scalar]
    values: Mapping[str, Scalar]

    def plain(self) -> list[Any]:
        return [self.act.value, self.table, dict(self.key), dict(self.values)]


def changes_digest(changes: Sequence[Change]) -> bytes:
    """What the last event of a transaction carries of its changes (32 bytes)."""
    return digest("vermilion journal changes v1", [change.plain() for change in changes])


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction, from its first event to its last."""

    events: tuple[ChainedEvent, ...]
    changes: tuple[Change, ...]

    @property
    def first(self) -> int:
        """Number of its first event."""
        return self.events[0].number

    @property
    def head(self) -> Head:
        """Where the chain ends after it."""
        return Head(self.events[-1].number, self.events[-1].hash)

    def follow(self, head: Head) -> Head:
        """Raise Tampered unless this entry comes next in the chain and was not altered, its changes included."""
        for chained in self.events:
            head = head.follow(chained)
        if self.events[-1].changes != changes_digest(self.changes):
            raise Tampered(f"the changes beside audit event {head.number} are not those that were made")
        return head

    def line(self) -> bytes:
        """Its line in the journal, with the line's end."""
        events = [plain_event(chained) for chained in self.events]
        return canonical({"events": events, "changes": [change.plain() for change in self.changes]}) + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> "Entry":
        """Raise Tampered unless it is a line of a journal; whether it follows is for `follow` to say."""
        try:
            found = json.loads(line)
            events = tuple(_chained(plain) for plain in found["events"])
            changes = tuple(Change(Act(act), *rest) for act, *rest in found["changes"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Tampered("the journal holds a line that is no entry of it") from error
        if not events:
            raise Tampered("the journal holds an entry without an event")
        return cls(events, changes)


def chained(
    head: Head, events: Sequence[AuditEvent], changes: Sequence[Change], salt: Callable[[], bytes] = bytes
) -> Entry:
    """The entry that a transaction makes behind `head`. There is at least one event; `salt` is drawn for each."""
    links: list[ChainedEvent] = []
    for position, event in enumerate(events, start=1):
        proof = changes_digest(changes) if position == len(events) else b""
        number = head.number + 1
        drawn = salt()
        links.append(ChainedEvent(number, event, event.link(number, head.hash, proof, drawn), proof, drawn))
        head = head.follow(links[-1])
    return Entry(tuple(links), tuple(changes))


def plain_event(chained: ChainedEvent) -> dict[str, Any]:
    """An event with everything that its link was made of, as JSON has it."""
    return {
        "number": chained.number,
        "name": chained.event.name,
        "subject": chained.event.subject,
        "actor": chained.event.actor,
        "at": timestamp(chained.event.at),
        "details": dict(chained.event.details),
        "changes": chained.changes.hex(),
        "salt": chained.salt.hex(),
        "hash": chained.hash.hex(),
    }


def _chained(plain: Mapping[str, Any]) -> ChainedEvent:
    event = AuditEvent(plain["name"], plain["subject"], plain["actor"], instant(plain["at"]), plain["details"])
    link, changes, salt = (bytes.fromhex(plain[name]) for name in ("hash", "changes", "salt"))
    return ChainedEvent(plain["number"], event, link, changes, salt)
