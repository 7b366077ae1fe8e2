"""Proving the audit log: checkpoints while it grows, verification whenever somebody asks (DESIGN invariant 9)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from ca.domain.audit import AuditEvent, ChainedEvent, Checkpoint, Head, checkpoint_message
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import NotFound, PKIError, Tampered
from ca.domain.journal import Entry
from ca.keeping import CheckpointFile, Journal
from ca.ports import Clock, KeyId, KeyStore, UnitOfWork, Work

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
        # The file first: what the database has and the file lacks would never be written there.
        self.checkpoint_file.append(checkpoint)
        with self.unit_of_work() as work:
            work.audit.add_checkpoint(checkpoint)
            work.commit()
        return checkpoint


@dataclass(frozen=True)
class AuditReport:
    """What a verification looked at."""

    events: int
    checkpoints: int
    head: Head


_STATUS_AFTER = {
    "certificate.confirmed": CertificateStatus.ACTIVE.value,
    "certificate.held": CertificateStatus.ON_HOLD.value,
    "certificate.released": CertificateStatus.ACTIVE.value,
    "certificate.revoked": CertificateStatus.REVOKED.value,
}


@dataclass
class _Story:
    """How certificates and officers stand after all that the log tells; the rows are compared with it."""

    certificates: dict[str, str] = field(default_factory=dict)
    officers: dict[str, str] = field(default_factory=dict)

    def tell(self, event: AuditEvent) -> None:
        """Take in the next event."""
        if event.name in _STATUS_AFTER:
            self.certificates[event.subject] = _STATUS_AFTER[event.name]
        if event.name == "certificate.issued":
            self.certificates[event.subject] = event.details["status"]
        if "officer_version" in event.details:
            self.officers[event.subject] = event.details["officer_version"]

    def compare(self, work: Work) -> None:
        """Raise Tampered for a status or an officer's record that was taken back behind the log's back."""
        for serial, status in self.certificates.items():
            certificate = work.certificates.find(int(serial, 16))
            recorded = "gone" if certificate is None else certificate.status.value
            if recorded != status:
                raise Tampered(f"certificate {serial} is {status} by the log and {recorded} in the records")
        for officer_id, version in self.officers.items():
            try:
                officer, _ = work.officers.get(officer_id)
            except NotFound as error:
                raise Tampered(f"officer {officer_id} is in the log and gone from the records") from error
            if str(officer.version) != version:
                raise Tampered(f"officer {officer.person} has version {officer.version}, the log knows {version}")


@dataclass(frozen=True)
class VerifyAudit:
    """Walk the whole chain from the first event, beside the journal and against every checkpoint."""

    unit_of_work: UnitOfWork
    checkpoint_file: CheckpointFile
    journal: Journal
    verify_signature: Callable[[bytes, bytes], None]
    """Raises SigningRefused unless the audit key made this signature over this message."""

    def __call__(self) -> AuditReport:
        """Raise Tampered naming the first bad record."""
        self.journal.require_mirrored()
        # The files before the database: what is appended meanwhile only makes the chain longer.
        kept, entries = self.checkpoint_file.read(), self.journal.read()
        with self.unit_of_work() as work:
            checkpoints = self._checkpoints([*work.audit.list_checkpoints(), *kept])
            marks = _marks(checkpoints)
            head, story, journaled = Head(), _Story(), _Journaled(entries)
            for chained in work.audit.read():
                head = head.follow(chained)
                story.tell(chained.event)
                # Every one counts: two that differ are a chain that was rolled back and grew again.
                if marks.pop(head.number, {head.hash}) != {head.hash}:
                    raise Tampered(f"audit event {head.number} differs from what was recorded outside the database")
                journaled.compare(chained)
            marks.pop(0, None)
            cut = [*marks, *journaled.rest()]
            if cut:
                raise Tampered(f"the tail is cut: event {min(cut)} was recorded, the log ends at {head.number}")
            _require_journaled(work, journaled.head, head)
            recorded = work.audit.head()
            if recorded != head:
                raise Tampered(f"the log ends at event {head.number}, its recorded end is {recorded.number}")
            story.compare(work)
        return AuditReport(head.number, len(checkpoints), head)

    def _checkpoints(self, recorded: list[Checkpoint]) -> list[Checkpoint]:
        everywhere = {(one.number, one.hash): one for one in recorded}
        for checkpoint in everywhere.values():
            try:
                self.verify_signature(checkpoint.message, checkpoint.signature)
            except PKIError as error:
                raise Tampered(f"the checkpoint at event {checkpoint.number} is not signed by the audit key") from error
        return sorted(everywhere.values(), key=lambda one: one.number)


def _marks(recorded: Sequence[Checkpoint]) -> dict[int, set[bytes]]:
    """What was signed about each event."""
    marks: dict[int, set[bytes]] = {}
    for one in recorded:
        marks.setdefault(one.number, set()).add(one.hash)
    return marks


class _Journaled:
    """The journal's events, one after another beside the log's."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._events = (chained for entry in entries for chained in entry.events)
        self.head = Head()

    def compare(self, chained: ChainedEvent) -> None:
        """Raise Tampered unless the journal's next event is this one. Behind the journal's end there is none."""
        journaled = next(self._events, None)
        if journaled is None:
            return
        if journaled.hash != chained.hash:
            raise Tampered(f"audit event {chained.number} differs from what was recorded outside the database")
        self.head = Head(journaled.number, journaled.hash)

    def rest(self) -> list[int]:
        """The first event that the log does not have, if there is one."""
        return [chained.number for chained in islice(self._events, 1)]


def _require_journaled(work: Work, journaled: Head, head: Head) -> None:
    """What the journal does not have yet is on its way into it, or somebody cut the journal."""
    for entry in work.audit.waiting(journaled.number):
        journaled = entry.follow(journaled)
    if journaled != head:
        raise Tampered(f"the journal is cut: it ends at event {journaled.number}, the log at {head.number}")


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
