"""A second officer decides on an application (DESIGN invariant 2; RFC 3647 section 4.2).

The approver's passkey signs the digest of the case as shown. What it signed is kept and checked again at issuance.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from ca.domain.applications import Application, ApplicationState
from ca.domain.audit import AuditEvent
from ca.domain.case_contents import FormerCase
from ca.domain.decisions import Assertion, approval
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed
from ca.domain.officers import TrustedRole
from ca.domain.profiles import Profile
from ca.ports import Clock, Seals, UnitOfWork
from ca.usecases.apply import free_device
from ca.usecases.authorize import Authorize
from ca.usecases.cases import CASE_SEAL, find_case, require_profile
from ca.usecases.outlook import Outlook, outlook
from ca.usecases.passkeys import Passkeys

_WORKERS = (TrustedRole.RA_OPERATOR, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR)

_SAY_WHY = "say why, in a few words: the maker reads it"


@dataclass(frozen=True)
class CaseView:
    """A case with what the approver must know before deciding."""

    application: Application
    challenge: bytes
    """What this officer's passkey signs to approve it."""
    profile_is_current: bool
    may_approve: bool
    outlook: Outlook


@dataclass(frozen=True)
class DecideOnApplication:
    """Show, approve, return, reject, withdraw."""

    unit_of_work: UnitOfWork
    clock: Clock
    seals: Seals
    passkeys: Passkeys
    authorize: Authorize
    profiles: Mapping[str, Profile]

    def show(self, session: str, application_id: str) -> CaseView:
        """The case as the signer holds it: what is signed is what the signer shows, not what a page made of it."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_WORKERS, TrustedRole.AUDITOR)
            application = find_case(work, self.seals, officer, application_id)
            profile = self.profiles.get(application.case.profile)
            seen = outlook(work, self.seals, application.case, profile, officer)
            work.commit()
        other_person = officer.person != application.case.maker_person
        return CaseView(
            application=application,
            challenge=approval(application.case, officer).challenge(),
            profile_is_current=application.case.is_under(profile),
            may_approve=other_person and TrustedRole.RA_APPROVER in officer.roles,
            outlook=seen,
        )

    def approve(self, session: str, application_id: str, *, case_digest: bytes, assertion: Assertion) -> Application:
        """Raise NotAllowed for the maker, InvalidTransition when the case is not the one that was shown."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_APPROVER)
            application = find_case(work, self.seals, officer, application_id)
            application.require_other_person(officer.person)
            if not hmac.compare_digest(case_digest, application.case.digest()):
                raise InvalidTransition("the case was changed since it was shown; read it again")
            require_profile(self.profiles, application.case)
            approved = application.become(ApplicationState.APPROVED, at=now)
            self.passkeys.decide(work, officer, approval(application.case, officer), assertion)
            work.applications.set_state(approved)
            details = {"case": application.case.digest().hex()}
            work.audit.append(AuditEvent("application.approved", application.id, officer.person, now, details))
            work.commit()
        return approved

    def send_back(self, session: str, application_id: str, *, reason: str) -> Application:
        """To its maker, who corrects it: the next version waits for an approver again. Not by the maker."""
        if not reason.strip():
            raise InvalidRequest(_SAY_WHY)
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_APPROVER)
            application = find_case(work, self.seals, officer, application_id)
            application.require_other_person(officer.person)
            case = application.case
            if case.asked is not None:
                raise InvalidTransition("a company's administrator signed for exactly this; reject it with the reason")
            returned = application.become(ApplicationState.RETURNED, at=now, reason=reason)
            work.applications.set_state(returned)
            former = FormerCase(case, reason, officer.person, now)
            work.applications.add_former(former, self.seals.seal(CASE_SEAL, case.sealed_fields()))
            details = {"reason": reason, "version": str(case.version)}
            work.audit.append(AuditEvent("application.returned", application.id, officer.person, now, details))
            work.commit()
        return returned

    def reject(self, session: str, application_id: str, *, reason: str) -> Application:
        """Not by the maker: who changed their mind withdraws."""
        return self._end(session, application_id, ApplicationState.REJECTED, reason)

    def withdraw(self, session: str, application_id: str, *, reason: str) -> Application:
        """By the maker only."""
        return self._end(session, application_id, ApplicationState.WITHDRAWN, reason)

    def _end(self, session: str, application_id: str, state: ApplicationState, reason: str) -> Application:
        if not reason.strip():
            raise InvalidRequest(_SAY_WHY)
        rejecting = state is ApplicationState.REJECTED
        role = TrustedRole.RA_APPROVER if rejecting else TrustedRole.RA_OPERATOR
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, role)
            application = find_case(work, self.seals, officer, application_id)
            if rejecting:
                application.require_other_person(officer.person)
            elif officer.person != application.case.maker_person:
                raise NotAllowed("only who entered an application can withdraw it")
            ended = application.become(state, at=now, reason=reason)
            work.applications.set_state(ended)
            free_device(work, ended.case, officer, now, reason)
            event = AuditEvent(f"application.{state.value}", application.id, officer.person, now, {"reason": reason})
            work.audit.append(event)
            work.commit()
        return ended
