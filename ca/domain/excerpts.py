"""A piece of the audit log that proves itself, for auditors and courts (docs/protocols/dossier.md).

Consecutive events with all that their links were made of, the hash before them, the digests of the events behind them
up to the next checkpoint, and every checkpoint on the way. Whoever has the audit key recomputes the chain without us.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ca.domain.audit import ChainedEvent, Checkpoint
from ca.domain.journal import plain_event
from ca.domain.times import timestamp

FORMAT = "vermilion audit v1"


def plain_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "number": checkpoint.number,
        "hash": checkpoint.hash.hex(),
        "at": timestamp(checkpoint.at),
        "signature": checkpoint.signature.hex(),
    }


def excerpt(
    previous: bytes, events: Sequence[ChainedEvent], behind: Sequence[ChainedEvent], checkpoints: Sequence[Checkpoint]
) -> Iterator[dict[str, Any]]:
    """Its lines. `previous` is the chain's hash before the first event (32 bytes); there is at least one event."""
    yield {
        "format": FORMAT,
        "first": events[0].number,
        "last": events[-1].number,
        "previous": previous.hex(),
    }
    for event in events:
        yield {"event": plain_event(event)}
    for event in behind:
        yield {"behind": event.digest.hex()}
    for checkpoint in checkpoints:
        yield {"checkpoint": plain_checkpoint(checkpoint)}
