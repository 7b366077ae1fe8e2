"""Database and journal, compared at each start, and the database brought back after a restore (DESIGN invariant 8).

The database may be ahead of the journal by what a crash kept from being written: those entries wait in the database.
It must never be behind: then it was restored to an older state, or somebody cut it, and nothing is served until the
journal was replayed into it.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from ca.adapters.db.changes import redo
from ca.adapters.db.engine import looking
from ca.adapters.db.names import file_name
from ca.adapters.db.repositories.audit import SqlAuditLog
from ca.adapters.db.rows import CustomerRow
from ca.domain.audit import Head
from ca.domain.errors import InvalidTransition, NotReady, Tampered
from ca.domain.journal import Entry
from ca.keeping import Journal

_TOGETHER = 200
"""Entries replayed in one transaction."""


def waiting(engine: Engine, after: int) -> list[Entry]:
    """What is committed behind an event and waits to be put into the journal, in order."""
    # Whoever asks may be in the middle of a change: one that waited for its turn here would wait for itself.
    with Session(looking(engine)) as session:
        return list(SqlAuditLog(session).waiting(after))


def require_agreement(engine: Engine, journal_head: Head) -> int:
    """How many events the database is ahead of the journal.

    Raises NotReady when the database is older than the journal, Tampered when the two tell different stories.
    """
    with Session(engine) as session:
        log = SqlAuditLog(session)
        head = log.head()
        at = next(log.read(after=journal_head.number - 1), None) if journal_head.number else None
    if head.number < journal_head.number:
        raise NotReady(
            f"the database ends at audit event {head.number}, the journal at {journal_head.number}: the database was "
            "restored to an older state. Nothing is served until `./pki journal replay` has brought it up to date"
        )
    if journal_head.number and (at is None or at.hash != journal_head.hash):
        raise Tampered(f"the database tells another story of audit event {journal_head.number} than the journal")
    return head.number - journal_head.number


def replay(engine: Engine, journal: Journal) -> Counter[str]:
    """Do again in the database what the journal has and the database has not; how many events of each name.

    Raises Tampered when the journal does not continue what the database holds; what was replayed until then stays.
    """
    done: Counter[str] = Counter()
    with Session(engine) as session:
        head = SqlAuditLog(session).head()
    missing = _missing(journal, head)
    while entries := list(islice(missing, _TOGETHER)):
        with Session(engine) as session:
            for entry in entries:
                head = entry.follow(head)
                _redo(session, entry)
                done.update(chained.event.name for chained in entry.events)
            session.commit()
    return done


def _missing(journal: Journal, head: Head) -> Iterator[Entry]:
    for entry in journal.read():
        if entry.head.number > head.number:
            yield entry
        elif entry.head.number == head.number and entry.head != head:
            raise Tampered(f"the database tells another story of audit event {head.number} than the journal")


def _redo(session: Session, entry: Entry) -> None:
    try:
        for change in entry.changes:
            redo(session, change)
            if change.table == CustomerRow.__tablename__:
                file_name(session, str(change.key.get("id", change.values.get("id"))))
    except InvalidTransition as error:
        raise Tampered(f"what led to audit event {entry.first} is in the database already: it was worked on") from error
    SqlAuditLog(session).add(entry)
