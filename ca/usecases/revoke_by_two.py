"""The second officer of a revocation: approves with a passkey, or rejects (DESIGN invariant 2; docs/adr/0040)."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate
from ca.domain.decisions import Act, Assertion, Decision
from ca.domain.errors import InvalidTransition, NotAllowed
from ca.domain.names import verify_text
from ca.domain.officers import Officer, OfficerState, TrustedRole
from ca.domain.revocation_cases import RevocationCase, RevocationCaseState
from ca.domain.serials import serial_text
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.authorize import OFFICER_SEAL, Authorize, require_branch
from ca.usecases.passkeys import Passkeys
from ca.usecases.revoke import REVOKERS, ChangeStatus
from ca.usecases.sealed import unsealed
from ca.usecases.second_officer import LONGEST_WHY, REVOCATION_APPROVED, SecondOfficer, case_details

READERS = (TrustedRole.RA_OPERATOR, *REVOKERS, TrustedRole.AUDITOR)


@dataclass(frozen=True, slots=True)
class RevocationView:
    """A case as the signer holds it, for one officer."""

    case: RevocationCase
    certificate: Certificate
    challenge: bytes
    """What this officer's passkey signs to approve it."""
    is_late: bool
    """Nobody decided in time; the hold stays."""
    is_changed: bool
    """The certificate is not on the hold any more that the case was opened with."""
    may_approve: bool


@dataclass(frozen=True)
class DecideOnRevocation:
    """Show, approve, reject."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize
    passkeys: Passkeys
    second: SecondOfficer
    change_status: ChangeStatus

    def show(self, session: str, case_id: str) -> RevocationView:
        """As the signer holds it. Raises NotFound, also for another branch's; Tampered."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *READERS)
            case, certificate = self._case(work, officer, case_id)
            work.commit()
        waits = case.state is RevocationCaseState.PROPOSED
        is_changed = waits and not case.is_about(certificate)
        may = case.is_waiting(now) and not is_changed and _may_decide(officer) and officer.person != case.proposed_by
        challenge = revocation_approval(case, officer).challenge()
        return RevocationView(case, certificate, challenge, case.is_late(now), is_changed, may)

    def approve(self, session: str, case_id: str, *, case_digest: bytes, assertion: Assertion) -> Certificate:
        """The certificate, revoked. Raises NotAllowed for who proposed it, InvalidTransition for what is void."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *REVOKERS)
            case, certificate = self._case(work, officer, case_id)
            if officer.person == case.proposed_by:
                raise NotAllowed("who proposed a revocation may not approve it; another officer must")
            if not hmac.compare_digest(case_digest, case.digest()):
                raise InvalidTransition("the revocation is not what was shown; read it again")
            approved = case.decide(RevocationCaseState.APPROVED, by=officer.person)
            self._require_open(work, case, certificate, now)
            self.passkeys.decide(work, officer, revocation_approval(case, officer), assertion)
            revoked = certificate.revoke(case.reason, at=now, invalid_since=case.invalid_since)
            self.second.save(work, approved)
            details = case_details(case) | {"digest": case.digest().hex(), "proposed_by": case.proposed_by}
            work.audit.append(AuditEvent(REVOCATION_APPROVED, _subject(case), officer.person, now, details))
            customer = self.change_status.record_end(work, revoked, officer, now)
            work.commit()
        return self.change_status.tell_end(customer, revoked)

    def reject(self, session: str, case_id: str, *, reason: str) -> RevocationCase:
        """By any officer who may revoke, who proposed it among them; the hold stays until it is released."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *REVOKERS)
            case, _certificate = self._case(work, officer, case_id)
            reason = verify_text(reason, LONGEST_WHY)
            rejected = case.decide(RevocationCaseState.REJECTED, by=officer.person, reason=reason)
            self.second.save(work, rejected)
            details = case_details(case) | {"why": reason}
            work.audit.append(AuditEvent("revocation.rejected", _subject(case), officer.person, now, details))
            work.commit()
        return rejected

    def _case(self, work: Work, officer: Officer, case_id: str) -> tuple[RevocationCase, Certificate]:
        """With its certificate, whose lock makes decisions on it take turns."""
        case = self.second.find(work, case_id)
        require_branch(officer, case.branch, "revocation")
        return case, work.certificates.get(case.serial)

    def _require_open(self, work: Work, case: RevocationCase, certificate: Certificate, now: datetime) -> None:
        if not case.is_waiting(now):
            raise InvalidTransition("this revocation is out of date; the certificate stays on hold, propose it anew")
        if not case.is_about(certificate):
            raise InvalidTransition("the certificate was changed since this was proposed; look at it again")
        # Who lost the role since is no longer one of the two people that this needs (THREATS 4).
        found = work.officers.find_by_person(case.proposed_by)
        if found is None or not _is_in_office(unsealed(self.authorize.seals, OFFICER_SEAL, found), case):
            raise InvalidTransition("who proposed this may not revoke any more; reject it and propose it anew")


def _may_decide(officer: Officer) -> bool:
    return not officer.roles.isdisjoint(REVOKERS)


def _is_in_office(proposer: Officer, case: RevocationCase) -> bool:
    return proposer.state is OfficerState.ACTIVE and _may_decide(proposer) and proposer.branch == case.branch


def _subject(case: RevocationCase) -> str:
    return serial_text(case.serial)


def revocation_approval(case: RevocationCase, officer: Officer) -> Decision:
    """The decision that this officer takes by approving exactly this case."""
    return Decision(Act.APPROVE_REVOCATION, case.id, case.digest(), officer.id, officer.person)
