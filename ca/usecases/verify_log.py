"""The audit log verified a piece at a time, for a page that shows how far it is (DESIGN invariant 9).

Each piece begins where the last one ended, with the hash that was verified there. What needs the whole log at once (the
records compared with what it tells, the journal's mirror, checkpoints in files) is for `./pki audit verify`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from ca.domain.audit import AuditEvent, ChainedEvent, Head
from ca.domain.errors import PKIError, Tampered
from ca.domain.journal import Entry
from ca.domain.officers import TrustedRole
from ca.keeping import Journal
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.authorize import Authorize

BEGUN = "audit.verification-begun"
READERS = (TrustedRole.AUDITOR, TrustedRole.SECURITY_OFFICER)


@dataclass(frozen=True, slots=True)
class Piece:
    """How far a verification came."""

    head: Head
    ends_at: int
    """The number of the log's last event."""
    checkpoints: int
    """Signed checkpoints that this piece was held against."""

    @property
    def is_last(self) -> bool:
        return self.head.number >= self.ends_at


@dataclass(frozen=True)
class VerifyPiece:
    """Some thousand events: each follows the one before, the journal tells the same, the checkpoints are signed."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize
    journal: Journal
    verify_signature: Callable[[bytes, bytes], None]
    """Raises PKIError unless the audit key made this signature over this message."""
    length: int = 2000
    """Events; a transaction is never cut."""

    def __call__(self, session: str, after: Head) -> Piece:
        """From the event behind `after`. Raises NotAllowed; Tampered naming the first bad record."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *READERS)
            if not after.number:
                work.audit.append(AuditEvent(BEGUN, "audit", officer.person, self.clock.now()))
            work.commit()
        with self.unit_of_work.look() as work:
            _require_verified(work, after)
            ends = work.audit.head()
            hashes = {one.number: one.hash for one in self._followed(work, after)}
            number = max(hashes, default=after.number)
            head = Head(number, hashes.get(number, after.hash))
            if head.number < ends.number and not hashes:
                raise Tampered(f"the tail is cut: event {ends.number} was recorded, the log ends at {head.number}")
            if head.number == ends.number and head != ends:
                raise Tampered(f"the log ends at event {head.number}, its recorded end has another hash")
            self._require_journaled(after, head, hashes)
            return Piece(head, ends.number, self._checkpoints(work, after, hashes))

    def _followed(self, work: Work, after: Head) -> Iterator[ChainedEvent]:
        head = after
        for count, chained in enumerate(work.audit.read(after.number), start=1):
            head = head.follow(chained)
            yield chained
            # The last event of a transaction carries the digest of its changes: there the journal has an end, too.
            if count >= self.length and chained.changes:
                return

    def _require_journaled(self, after: Head, head: Head, hashes: dict[int, bytes]) -> None:
        """What the journal does not have yet is on its way into it."""
        entries = takewhile(lambda entry: entry.first <= head.number, self._journal_behind(after))
        for chained in (chained for entry in entries for chained in entry.events):
            if hashes.get(chained.number) != chained.hash:
                raise Tampered(f"audit event {chained.number} differs from what was recorded outside the database")

    def _journal_behind(self, after: Head) -> Iterator[Entry]:
        return self.journal.read(after) if self.journal.last().number >= after.number else iter(())

    def _checkpoints(self, work: Work, after: Head, hashes: dict[int, bytes]) -> int:
        number, count = after.number + 1, 0
        while (checkpoint := work.audit.find_checkpoint(number)) and checkpoint.number in hashes:
            try:
                self.verify_signature(checkpoint.message, checkpoint.signature)
            except PKIError as error:
                raise Tampered(f"the checkpoint at event {checkpoint.number} is not signed by the audit key") from error
            if checkpoint.hash != hashes[checkpoint.number]:
                raise Tampered(f"audit event {checkpoint.number} differs from what a checkpoint says of it")
            number, count = checkpoint.number + 1, count + 1
        return count


def _require_verified(work: Work, after: Head) -> None:
    """Raise Tampered unless the event up to which somebody verified is still the same."""
    if after == Head():
        return
    found = next(iter(work.audit.read(after.number - 1)), None)
    if found is None or Head(found.number, found.hash) != after:
        raise Tampered(f"audit event {after.number} is not the one that was verified before")
