"""Audit events: rows to values and back."""

import json

from ca.adapters.db.log_rows import AuditCheckpointRow, AuditEventRow
from ca.adapters.db.mapping.common import Values
from ca.domain.audit import AuditEvent, ChainedEvent, Checkpoint
from ca.domain.canonical import canonical
from ca.domain.errors import Tampered


def to_chained_event(row: AuditEventRow) -> ChainedEvent:
    try:
        details = json.loads(row.details)
        # SQLite keeps bytes in a column of text, and JSON has text that no encoding has.
        canonical([row.name, row.subject, row.actor])
        unchanged = canonical(details).decode() == row.details
    except (ValueError, TypeError, RecursionError) as error:
        raise Tampered(f"audit event {row.number} cannot be read: somebody changed it") from error
    if not unchanged or not isinstance(details, dict) or not all(isinstance(value, str) for value in details.values()):
        raise Tampered(f"the details of audit event {row.number} are not as we write them: somebody changed them")
    event = AuditEvent(row.name, row.subject, row.actor, row.at, details)
    return ChainedEvent(row.number, event, row.hash, row.changes, row.salt)


def chained_event_values(chained: ChainedEvent) -> Values:
    return {
        "number": chained.number,
        "name": chained.event.name,
        "subject": chained.event.subject,
        "actor": chained.event.actor,
        "at": chained.event.at,
        "details": canonical(dict(chained.event.details)).decode(),
        "hash": chained.hash,
        "changes": chained.changes,
        "salt": chained.salt,
    }


def to_checkpoint(row: AuditCheckpointRow) -> Checkpoint:
    return Checkpoint(row.number, row.hash, row.at, row.signature)
