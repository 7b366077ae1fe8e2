"""Keeping the standings map with the journal. The database is never believed about how a certificate stands.

The map is a snapshot and the journal behind it: whoever changes a row changes neither (docs/adr/0024).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ca.domain.audit import Head
from ca.domain.errors import NotReady, Tampered
from ca.domain.journal import Change
from ca.domain.standings import Standing, packed_records
from ca.keeping import Journal, Record, Standings, StandingsSnapshot
from ca.ports import KeyStore, UnitOfWork
from ca.usecases.audit import AUDIT_KEY

_TOLD_EVERY = 100_000

_log = logging.getLogger(__name__)

StandingsIn = Callable[[Sequence[Change]], Sequence[tuple[int, Standing]]]
"""How the certificates stand that a transaction made or changed."""


@dataclass(frozen=True)
class FollowRecords:
    """Bring the map to where the audit chain ends, by way of the journal: another signer may have written."""

    unit_of_work: UnitOfWork
    standings: Standings

    def __call__(self) -> bool:
        """Whether there was anything to do. Raises NotReady when the records are older than the map, Tampered."""
        applied = self.standings.applied()
        with self.unit_of_work.look() as work:
            head = work.audit.head()
        if head.number < applied:
            raise NotReady(
                f"the database ends at event {head.number}, and event {applied} was acted on: it is an older one;"
                " restore the newest"
            )
        if head.number == applied:
            return False
        self.unit_of_work.catch_up()
        return True


@dataclass(frozen=True)
class BuildStandings:
    """Bring the map to the journal's end: from where it is, or from the snapshot, or from the journal's first line."""

    standings: Standings
    snapshot: StandingsSnapshot
    journal: Journal
    standings_in: StandingsIn

    def __call__(self) -> None:
        """Memory is bounded, however long the journal. Raises NotReady, Tampered."""
        end, applied = self.journal.last(), self.standings.applied()
        if applied:
            missing = self._behind(self.journal.head_at(applied), end)
            self.standings.apply(missing, after=applied, number=end.number)
            return
        start, records = self._snapshot(end)
        self.standings.rebuild(chain(records, packed_records(self._behind(start, end))), number=end.number)

    def _snapshot(self, end: Head) -> tuple[Head, Iterator[Record]]:
        try:
            found = self.snapshot.read()
        except Tampered as error:
            # The journal has it all: what was done to the snapshot costs time and nothing else.
            _log.critical("%s; how certificates stand is read from the whole journal", error)
            found = None
        if found is None:
            return Head(), iter(())
        if found[0].number > end.number:
            raise NotReady(
                f"the journal ends at event {end.number}, and the snapshot of the standings goes to {found[0].number}: "
                "the journal is an older one; restore the newest"
            )
        return found

    def _behind(self, start: Head, end: Head) -> Iterator[tuple[int, Standing]]:
        told = start.number
        for entry in self.journal.read(after=start):
            yield from self.standings_in(entry.changes)
            if entry.head.number >= told + _TOLD_EVERY:
                told = entry.head.number
                _log.info("the standings map is built: event %d of %d", told, end.number)
            if entry.head == end:
                return
        if start != end:
            raise Tampered(f"the journal does not lead to audit event {end.number}")


@dataclass(frozen=True)
class KeepSnapshot:
    """Put all standings on disk beside the journal, signed with the audit key: the next build begins there."""

    standings: Standings
    snapshot: StandingsSnapshot
    journal: Journal
    key_store: KeyStore

    def __call__(self) -> int | None:
        """The event to which it goes; None when there is nothing new.

        Raises NotReady, Tampered, KeyStoreUnavailable.
        """
        with self.standings.records() as (number, records):
            if number <= self.snapshot.number():
                return None
            head = self.journal.head_at(number)
            self.snapshot.write(head, records, lambda message: self.key_store.sign(AUDIT_KEY, message))
        return number
