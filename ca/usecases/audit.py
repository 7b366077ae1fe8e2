"""Proving the audit log: checkpoints while it grows, verification whenever somebody asks (DESIGN invariant 9)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ca.domain.audit import AuditEvent, Checkpoint, Head, checkpoint_message
from ca.domain.errors import PKIError, Tampered
from ca.ports import CheckpointFile, Clock, HeadFile, KeyId, KeyStore, UnitOfWork

AUDIT_KEY = KeyId(b"audit-1")


@dataclass(frozen=True)
class MakeCheckpoint:
    """Sign the chain's head with the audit key and keep it in the database and in a file beside it."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    checkpoint_file: CheckpointFile

    def __call__(self) -> Checkpoint | None:
        """The new checkpoint, or None when nothing happened since the last one."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            head = work.audit.head()
            last = max((one.number for one in work.audit.list_checkpoints()), default=0)
        if head.number <= last:
            return None
        signature = self.key_store.sign(AUDIT_KEY, checkpoint_message(head.number, head.hash, now))
        checkpoint = Checkpoint(head.number, head.hash, now, signature)
        with self.unit_of_work() as work:
            work.audit.add_checkpoint(checkpoint)
            work.commit()
        self.checkpoint_file.append(checkpoint)
        return checkpoint


@dataclass(frozen=True)
class AuditReport:
    """What a verification looked at."""

    events: int
    checkpoints: int
    head: Head


@dataclass(frozen=True)
class VerifyAudit:
    """Walk the whole chain from the first event, against every checkpoint and the last head seen."""

    unit_of_work: UnitOfWork
    checkpoint_file: CheckpointFile
    head_file: HeadFile
    verify_signature: Callable[[bytes, bytes], None]
    """Raises SigningRefused unless the audit key made this signature over this message."""

    def __call__(self) -> AuditReport:
        """Raise Tampered naming the first bad record."""
        with self.unit_of_work() as work:
            checkpoints = self._checkpoints(list(work.audit.list_checkpoints()))
            # Read before the walk: events appended meanwhile only make the chain longer.
            seen = self.head_file.read()
            marks = _marks([*checkpoints, *([seen] if seen else [])])
            head = Head()
            for chained in work.audit.read():
                head = head.follow(chained)
                # Every one counts: two that differ are a chain that was rolled back and grew again.
                if marks.pop(head.number, {head.hash}) != {head.hash}:
                    raise Tampered(f"audit event {head.number} differs from what was recorded outside the database")
            marks.pop(0, None)
            if marks:
                raise Tampered(f"the tail is cut: event {min(marks)} was recorded, the log ends at {head.number}")
            recorded = work.audit.head()
            if recorded != head:
                raise Tampered(f"the log ends at event {head.number}, its recorded end is {recorded.number}")
        return AuditReport(head.number, len(checkpoints), head)

    def _checkpoints(self, recorded: list[Checkpoint]) -> list[Checkpoint]:
        everywhere = {(one.number, one.hash): one for one in [*recorded, *self.checkpoint_file.read()]}
        for checkpoint in everywhere.values():
            try:
                self.verify_signature(checkpoint.message, checkpoint.signature)
            except PKIError as error:
                raise Tampered(f"the checkpoint at event {checkpoint.number} is not signed by the audit key") from error
        return sorted(everywhere.values(), key=lambda one: one.number)


def _marks(recorded: Sequence[Checkpoint | Head]) -> dict[int, set[bytes]]:
    """What was recorded outside the database about each event."""
    marks: dict[int, set[bytes]] = {}
    for one in recorded:
        marks.setdefault(one.number, set()).add(one.hash)
    return marks


@dataclass(frozen=True)
class RecordRefusal:
    """A refused act is an event too, in a transaction of its own: the act's was rolled back (DESIGN invariant 9)."""

    unit_of_work: UnitOfWork
    clock: Clock

    def __call__(self, operation: str, actor: str, error: PKIError) -> None:
        with self.unit_of_work() as work:
            details = {"code": error.code, "message": str(error)[:300]}
            work.audit.append(AuditEvent("operation.refused", operation, actor, self.clock.now(), details))
            work.commit()


def export(unit_of_work: UnitOfWork) -> Iterator[dict[str, object]]:
    """Every event as plain values, in order, for `./pki audit export`."""
    with unit_of_work() as work:
        for chained in work.audit.read():
            event = chained.event
            yield {
                "number": chained.number,
                "at": event.at.isoformat(),
                "name": event.name,
                "subject": event.subject,
                "actor": event.actor,
                "details": dict(event.details),
                "hash": chained.hash.hex(),
            }
