"""A security officer ends the sessions of one officer, or of all of them at once (T-18)."""

from dataclasses import dataclass

from ca.domain.audit import AuditEvent
from ca.domain.officers import TrustedRole
from ca.ports import Clock, UnitOfWork
from ca.usecases.authorize import Authorize


@dataclass(frozen=True)
class EndSessions:
    """Takes no second person: nobody gains anything by it, and it may have to be quick."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize

    def of(self, token: str, officer_id: str) -> int:
        """How many were ended. Raises NotFound."""
        with self.unit_of_work() as work:
            by = self.authorize(work, token, TrustedRole.SECURITY_OFFICER)
            officer = self.authorize.sealed_officer(work, officer_id)
            ended = work.sessions.end_all_of(officer.id)
            details = {"sessions": str(ended)}
            event = AuditEvent("officer.sessions-ended", officer.id, by.person, self.clock.now(), details)
            work.audit.append(event)
            work.commit()
        return ended

    def of_everybody(self, token: str) -> int:
        """How many were ended, this one among them."""
        with self.unit_of_work() as work:
            by = self.authorize(work, token, TrustedRole.SECURITY_OFFICER)
            ended = work.sessions.end_all()
            details = {"sessions": str(ended)}
            work.audit.append(AuditEvent("sessions.all-ended", "officers", by.person, self.clock.now(), details))
            work.commit()
        return ended
