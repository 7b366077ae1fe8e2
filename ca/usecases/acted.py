"""What was acted on, held against the records: CRLs, bundles and the doctor ask (DESIGN invariant 8, docs/adr/0024).

The standings map was made from the journal. Where the records say something else, somebody changed them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from ca.domain.crl import revocation_entry
from ca.domain.crl_reading import CRLHead
from ca.domain.errors import NotReady, Tampered
from ca.domain.serials import serial_text
from ca.domain.standings import Standing
from ca.keeping import Standings
from ca.ports import UnitOfWork, Work
from ca.usecases.standings import FollowRecords

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_ON_ITS_WAY = timedelta(hours=1)
"""More than lies between the time an act carries and its commit."""
_TOGETHER = 500
_PATIENCE = 5

_Listed = tuple[Standing, bytes | None]


@dataclass(frozen=True)
class Acted:
    """Compares the records with the standings map, while others may write both."""

    unit_of_work: UnitOfWork
    standings: Standings

    def missing(self, work: Work, issuer: str, before: Sequence[datetime]) -> list[int]:
        """Certificates of which a list made from `work` would not say what was acted on; some may only be on their way.

        `before` are the times of the last full lists: the next one is compared with those entry by entry, so of
        revocations none is looked at that is older.
        """
        since = min((this_update - _ON_ITS_WAY for this_update in before), default=_EVER)
        acted, found = self.standings.list_not_good(issuer, since), []
        while piece := dict(islice(acted, _TOGETHER)):
            listed = work.certificates.find_listed(list(piece))
            found += [serial for serial, each in piece.items() if listed.get(serial) != _listed(serial, each)]
        return found

    def require_recorded(self, serials: Iterable[int]) -> None:
        """Raise Tampered for one about which the records contradict the map, NotReady while they change too fast."""
        for serial in serials:
            if self._is_contradicted(serial):
                raise Tampered(
                    f"certificate {serial_text(serial)} does not hold by the journal, and the database says otherwise"
                )

    def contradictions(self) -> Iterator[int]:
        """Every certificate about which they differ, in the order of serial numbers. Raises NotReady."""
        with self.unit_of_work.look() as work, self.standings.records() as (_, records):
            acted = ((int.from_bytes(key, "big"), Standing.unpack(packed)) for key, packed in records)
            suspects = list(_differing(work.certificates.list_standings(), acted))
        return (serial for serial in suspects if self._is_contradicted(serial))

    def _is_contradicted(self, serial: int) -> bool:
        for _ in range(_PATIENCE):
            # The map before the database: when both are at one event, nothing came in between.
            applied, acted = self.standings.applied(), self.standings.find(serial)
            with self.unit_of_work.look() as work:
                listed = work.certificates.find_listed([serial]).get(serial)
                ends_at = work.audit.head().number
            if listed == (None if acted is None else _listed(serial, acted)):
                return False
            if ends_at <= applied:
                return True
            FollowRecords(self.unit_of_work, self.standings)()
        raise NotReady("the records change faster than they can be compared; try again")


def require_not_revoked(standings: Standings, serial: str, before: CRLHead) -> None:
    """Raise Tampered when an entry leaves the CRLs whose certificate is revoked for good and had not expired."""
    if before.base is not None:
        return  # it goes from a delta to its base
    acted = standings.find(int(serial, 16))
    if acted is not None and acted.is_final() and acted.not_after >= before.this_update:
        raise Tampered(f"certificate {serial} is revoked by the journal and missing in the successor of a CRL")


def _listed(serial: int, standing: Standing) -> _Listed:
    seen = standing.seen_by_relying_parties()
    return standing, None if seen is None else revocation_entry(serial, seen)


def _differing(recorded: Iterator[tuple[int, Standing]], acted: Iterator[tuple[int, Standing]]) -> Iterator[int]:
    """Both are in order."""
    one, other = next(recorded, None), next(acted, None)
    while one or other:
        if one == other:
            one, other = next(recorded, None), next(acted, None)
        elif one and (other is None or one[0] < other[0]):
            yield one[0]
            one = next(recorded, None)
        elif other:
            yield other[0]
            if one and one[0] == other[0]:
                one = next(recorded, None)
            other = next(acted, None)
