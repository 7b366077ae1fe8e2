"""What each kind of CRL says: its head, its entries, and the full CRL that a delta builds on (RFC 5280 section 5.2)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ca.domain.crl import CRLFrame, CRLScope, removal_entry
from ca.domain.issuers import Issuer
from ca.ports import Work
from ca.usecases.last_crls import LastCRL

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_CACHED = timedelta(hours=1)

EntryPieces = tuple[int, int, Iterable[Sequence[bytes]]]
"""How many entries, of how many octets, and themselves in pieces."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What the CRLs of an issuer that are made together have in common."""

    issuer: Issuer
    number: int
    this_update: datetime
    life: timedelta
    delta_life: timedelta
    partitions: Mapping[int, Sequence[str]]
    """The addresses by which certificates point to each partition."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What one list says."""

    frame: CRLFrame
    unexpired_at: datetime
    """Of certificates that had expired by then it says nothing."""
    entries: EntryPieces


def contents(work: Work, edition: Edition, scope: CRLScope, before: Sequence[LastCRL]) -> Contents:
    """Head and entries of one list."""
    if scope.delta:
        return _delta(work, edition)
    frame = CRLFrame(
        edition.issuer,
        edition.number,
        edition.this_update,
        edition.this_update + edition.life,
        # Deltas are of the full CRL: a partition is short, and made anew when something in it changes.
        delta_url="" if scope.partition else CRLScope(scope.issuer, delta=True).url(edition.issuer.crl_url),
        places=tuple(edition.partitions[scope.partition]) if scope.partition else (),
    )
    # An expired certificate stays in one CRL more than its life (RFC 5280 section 3.3).
    seen = min((last.head.this_update for last in before), default=_EVER)
    entries = *work.certificates.measure_entries(scope, seen), work.certificates.list_entries(scope, seen)
    return Contents(frame, seen, entries)


def _delta(work: Work, edition: Edition) -> Contents:
    now = edition.this_update
    base, base_at = _base(work, edition)
    frame = CRLFrame(edition.issuer, edition.number, now, now + edition.delta_life, base=base)
    # Everything that the base cannot show, and nothing that had expired by then.
    # Read twice, because its length comes before its entries: after a million revocations they are not all in memory.
    count = octets = 0
    for piece in _changes(work, edition, base, base_at):
        count, octets = count + len(piece), octets + sum(map(len, piece))
    return Contents(frame, base_at, (count, octets, _changes(work, edition, base, base_at)))


def _changes(work: Work, edition: Edition, base: int, base_at: datetime) -> Iterator[Sequence[bytes]]:
    for piece in work.certificates.list_changed(edition.issuer.name, base, base_at):
        yield [removal_entry(serial, edition.this_update) if entry is None else entry for serial, entry in piece]


def _base(work: Work, edition: Edition) -> tuple[int, datetime]:
    """A full CRL that is an hour old: whoever still has that one from a cache, or a newer one, can use the delta."""
    old_enough = edition.this_update - _CACHED
    base = work.crls.find_published(CRLScope(edition.issuer.name), old_enough)
    # The first delta of all comes with the first full CRL, and after it.
    return (base.number, base.this_update) if base else (edition.number, edition.this_update)
