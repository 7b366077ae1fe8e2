"""What gives an officer rights: one security officer proposes, another approves (DESIGN invariant 2; T-48).

That is other roles, another branch, or the end of a suspension; to suspend one is enough (`ca/usecases/officers.py`).
Nobody does either for themselves. The officer's sessions end with the change: what a role taken away had opened is
closed at the next request (THREATS 6).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ca.domain.audit import AuditEvent
from ca.domain.decisions import Act, Assertion, Decision
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.names import verify_text
from ca.domain.officer_changes import OfficerChange
from ca.domain.officers import Officer, OfficerState, TrustedRole
from ca.domain.proposals import ProposalState
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import OFFICER_SEAL, Authorize, save_officer
from ca.usecases.officers import LONGEST_NAME, parse_roles
from ca.usecases.passkeys import Passkeys
from ca.usecases.sealed import unsealed

OFFICER_CHANGE_SEAL = "officer-change"
_LONGEST_REASON = 300
_VOID = "the officer's record was changed since this was proposed; propose it anew"


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change as the signer holds it, for one security officer."""

    change: OfficerChange
    challenge: bytes
    is_void: bool
    """Out of date, or the officer's record was changed since."""
    may_approve: bool


@dataclass(frozen=True)
class DecideOnOfficerChange:
    """Propose, show, approve, reject."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    passkeys: Passkeys
    authorize: Authorize

    def propose(
        self, session: str, officer_id: str, *, branch: str, roles: Sequence[str], reason: str
    ) -> OfficerChange:
        """What another security officer is to approve. Raises NotAllowed about oneself, InvalidRequest, NotFound."""

        def moved(officer: Officer) -> Officer:
            changed = officer.moved(branch=verify_text(branch, LONGEST_NAME), roles=parse_roles(list(roles)))
            if (changed.branch, changed.roles) == (officer.branch, officer.roles):
                raise InvalidRequest("these are the roles and the branch they have already")
            return changed

        return self._propose(session, officer_id, moved, reason)

    def propose_reinstatement(self, session: str, officer_id: str, *, reason: str) -> OfficerChange:
        """The same for the end of a suspension. Raises InvalidTransition for who is not suspended."""
        return self._propose(session, officer_id, lambda officer: officer.become(OfficerState.ACTIVE), reason)

    def _propose(
        self, session: str, officer_id: str, change_of: Callable[[Officer], Officer], reason: str
    ) -> OfficerChange:
        now = self.clock.now()
        with self.unit_of_work() as work:
            by = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            officer = self.authorize.sealed_officer(work, officer_id)
            if officer.person == by.person:
                raise NotAllowed("nobody proposes roles for themselves")
            if officer.state is OfficerState.LEFT:
                raise InvalidTransition(f"{officer.name} has left; their record stays as it is")
            changed = change_of(officer)
            change = OfficerChange(
                id=self.random(8).hex(),
                version=1,
                officer=officer.id,
                officer_version=officer.version,
                person=officer.person,
                name=officer.name,
                old_branch=officer.branch,
                old_roles=officer.roles,
                branch=changed.branch,
                roles=changed.roles,
                reason=verify_text(reason, _LONGEST_REASON),
                proposed_by=by.person,
                proposed_at=now,
                expires_at=now + self.authorize.policy().officer_change_life,
                reinstates=changed.state is not officer.state,
            )
            self._save(work, change)
            work.audit.append(AuditEvent("officer.change-proposed", change.id, by.person, now, _told(change)))
            work.commit()
        return change

    def show(self, session: str, change_id: str) -> ChangeView:
        """As the signer holds it. Raises NotFound."""
        with self.unit_of_work() as work:
            by = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            change = self._change(work, change_id)
            officer = self.authorize.sealed_officer(work, change.officer)
            work.commit()
        is_void = self._is_void(change, officer)
        waits = change.state is ProposalState.PROPOSED
        may = waits and not is_void and by.person not in (change.proposed_by, change.person)
        return ChangeView(change, _decision(change, by).challenge(), waits and is_void, may)

    def approve(self, session: str, change_id: str, *, change_digest: bytes, assertion: Assertion) -> Officer:
        """The officer as approved; their sessions are over. Raises NotAllowed, InvalidTransition."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            by = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            change = self._change(work, change_id)
            if by.person in (change.proposed_by, change.person):
                raise NotAllowed("another security officer must approve: not who proposed it, not whom it is about")
            if change_digest != change.digest():
                raise InvalidTransition("the change is not what was shown; read it again")
            approved = change.decide(ProposalState.APPROVED, by=by.person)
            officer = self.authorize.sealed_officer(work, change.officer)
            if self._is_void(change, officer):
                raise InvalidTransition(_VOID)
            self._require_proposer(work, change)
            self.passkeys.decide(work, by, _decision(change, by), assertion)
            changed = change.changed(officer)
            save_officer(work, self.seals, changed)
            self._save(work, approved)
            work.sessions.end_all_of(officer.id)
            details = {"officer": change.officer, "change": change.digest().hex()}
            work.audit.append(AuditEvent("officer.change-approved", change.id, by.person, now, details))
            details = _told(change) | {"officer_version": str(changed.version), "change": change.id}
            name = "officer.active" if change.reinstates else "officer.moved"
            work.audit.append(AuditEvent(name, officer.id, by.person, now, details))
            work.commit()
        return changed

    def reject(self, session: str, change_id: str, *, reason: str) -> OfficerChange:
        """By any security officer but the one it is about; its proposer takes it back so."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            by = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            change = self._change(work, change_id)
            if by.person == change.person:
                raise NotAllowed("nobody decides about themselves")
            reason = verify_text(reason, _LONGEST_REASON)
            rejected = change.decide(ProposalState.REJECTED, by=by.person, reason=reason)
            self._save(work, rejected)
            details = {"officer": change.officer, "reason": reason}
            work.audit.append(AuditEvent("officer.change-rejected", change.id, by.person, now, details))
            work.commit()
        return rejected

    def _is_void(self, change: OfficerChange, officer: Officer) -> bool:
        return not change.is_about(officer) or self.clock.now() > change.expires_at

    def _require_proposer(self, work: Work, change: OfficerChange) -> None:
        # Who lost the role since is no longer one of the two people that this needs (THREATS 4).
        found = work.officers.find_by_person(change.proposed_by)
        if found is None:
            raise NotAllowed("who proposed this is no officer")
        proposer = unsealed(self.seals, OFFICER_SEAL, found)
        proposer.require(TrustedRole.SECURITY_OFFICER)

    def _change(self, work: Work, change_id: str) -> OfficerChange:
        found = work.officer_changes.find(change_id)
        if found is None:
            raise NotFound("there is no such change")
        return unsealed(self.seals, OFFICER_CHANGE_SEAL, found)

    def _save(self, work: Work, change: OfficerChange) -> None:
        work.officer_changes.save(change, self.seals.seal(OFFICER_CHANGE_SEAL, change.sealed_fields()))


def _told(change: OfficerChange) -> dict[str, str]:
    before, after = sorted(change.old_roles), sorted(change.roles)
    told = {"officer": change.officer, "person": change.person, "reason": change.reason}
    if change.reinstates:
        return told | {"state": "suspended -> active", "roles": " ".join(after), "branch": change.branch}
    return told | {
        "roles": f"{' '.join(before)} -> {' '.join(after)}",
        "branch": f"{change.old_branch} -> {change.branch}",
    }


def _decision(change: OfficerChange, officer: Officer) -> Decision:
    return Decision(Act.APPROVE_OFFICER_CHANGE, change.id, change.digest(), officer.id, officer.person)
