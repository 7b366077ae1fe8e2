"""A second officer decides on an application (DESIGN invariant 2; RFC 3647 section 4.2).

The approver's passkey signs the digest of the case as shown. What it signed is kept and checked again at issuance.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ca.domain.applications import Application, ApplicationState
from ca.domain.audit import AuditEvent
from ca.domain.custody import Holder
from ca.domain.decisions import Assertion, Evidence, approval
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated
from ca.domain.names import unusual_characters
from ca.domain.officers import Officer, TrustedRole
from ca.domain.profiles import Profile
from ca.ports import Authenticators, Clock, Seals, UnitOfWork, Work
from ca.usecases.apply import find_case
from ca.usecases.authorize import Authorize
from ca.usecases.custody import move

_WORKERS = (TrustedRole.RA_OPERATOR, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR)


@dataclass(frozen=True)
class CaseView:
    """A case with what the approver must know before deciding."""

    application: Application
    challenge: bytes
    """What this officer's passkey signs to approve it."""
    profile_is_current: bool
    may_approve: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class DecideOnApplication:
    """Show, approve, reject, withdraw."""

    unit_of_work: UnitOfWork
    clock: Clock
    seals: Seals
    authenticators: Authenticators
    authorize: Authorize
    profiles: Mapping[str, Profile]

    def show(self, session: str, application_id: str) -> CaseView:
        """The case as the signer holds it: what is signed is what the signer shows, not what a page made of it."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_WORKERS, TrustedRole.AUDITOR)
            application = find_case(work, self.seals, officer, application_id)
            work.commit()
        profile = self.profiles.get(application.case.profile)
        warnings = [
            f"{attribute}: {note}" for attribute, text in application.case.subject for note in unusual_characters(text)
        ]
        other_person = officer.person != application.case.maker_person
        return CaseView(
            application=application,
            challenge=approval(application.case, officer).challenge(),
            profile_is_current=profile is not None and profile.digest == application.case.profile_digest,
            may_approve=other_person and TrustedRole.RA_APPROVER in officer.roles,
            warnings=tuple(warnings),
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
            profile = self.profiles.get(application.case.profile)
            if profile is None or profile.digest != application.case.profile_digest:
                raise InvalidTransition("the profile was changed since the application was entered; enter it again")
            approved = application.become(ApplicationState.APPROVED, at=now)
            credential = officer.find_credential(assertion.credential_id)
            if credential is None:
                raise NotAuthenticated("this passkey is not yours")
            decision = approval(application.case, officer)
            count = self.authenticators.verify_assertion(
                assertion,
                challenge=decision.challenge(),
                public_key=credential.public_key,
                previous_sign_count=credential.sign_count,
            )
            work.officers.note_sign_count(credential.id, count)
            work.applications.add_evidence(application.id, Evidence(decision, assertion, credential.public_key, now))
            work.applications.set_state(approved)
            details = {"case": application.case.digest().hex()}
            work.audit.append(AuditEvent("application.approved", application.id, officer.person, now, details))
            work.commit()
        return approved

    def reject(self, session: str, application_id: str, *, reason: str) -> Application:
        """Not by the maker: who changed their mind withdraws."""
        return self._end(session, application_id, ApplicationState.REJECTED, reason)

    def withdraw(self, session: str, application_id: str, *, reason: str) -> Application:
        """By the maker only."""
        return self._end(session, application_id, ApplicationState.WITHDRAWN, reason)

    def _end(self, session: str, application_id: str, state: ApplicationState, reason: str) -> Application:
        if not reason.strip():
            raise InvalidRequest("say why, in a few words: the maker reads it")
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
            _free_device(work, ended, officer, now)
            event = AuditEvent(f"application.{state.value}", application.id, officer.person, now, {"reason": reason})
            work.audit.append(event)
            work.commit()
        return ended


def _free_device(work: Work, ended: Application, officer: Officer, now: datetime) -> None:
    """The U-Shield goes back to the stock unless another application needs it or it is in use."""
    serial = ended.case.device_serial
    device = work.devices.find(serial) if serial else None
    # What a company was handed stays with it, whatever becomes of its operators' applications.
    if device is None or device.state is not DeviceState.ASSIGNED or device.customer != ended.case.customer:
        return
    if not any(application.needs_its_device for application in work.applications.list_by_device(serial)):
        freed = device.unassign()
        work.devices.save(freed)
        if freed.holder is Holder.CUSTOMER:
            move(work, freed, Holder.BRANCH, by=officer.person, at=now, why=ended.reason)
        work.audit.append(AuditEvent("device.unassigned", serial, officer.person, now, {"application": ended.id}))
