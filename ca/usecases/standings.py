"""Keeping the standings map with the records: once when the signer starts, and where another signer has written."""

from dataclasses import dataclass

from ca.domain.errors import NotReady
from ca.keeping import Standings
from ca.ports import UnitOfWork


@dataclass(frozen=True)
class FollowRecords:
    """Bring the map to where the audit chain ends. Each change of a certificate is an event that names its serial."""

    unit_of_work: UnitOfWork
    standings: Standings

    def __call__(self) -> bool:
        """Whether there was anything to do. Raises NotReady when the records are older than the map."""
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
            if applied == 0:
                self.standings.rebuild(work.certificates.list_standings(), number=head.number)
                return True
            events = (chained.event for chained in work.audit.read(after=applied))
            serials = {int(event.subject, 16) for event in events if event.name.startswith("certificate.")}
            changed = work.certificates.find_standings(sorted(serials))
        self.standings.apply(changed.items(), after=applied, number=head.number)
        return True
