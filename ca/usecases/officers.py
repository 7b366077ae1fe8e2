"""How a person becomes an officer, and stops being one (RFC 3647 section 5.2; DESIGN invariant 2).

Two security officers are needed for an invitation: one proposes, another approves it with a passkey. Each is shown one
half of its code, so that neither alone can take the invited person's place. Redeeming it makes the sealed record. The
key ceremony invites the first officers, before witnesses.
"""

import base64
from dataclasses import dataclass, replace

from ca.domain.audit import AuditEvent
from ca.domain.canonical import digest
from ca.domain.codes import new_authorization_code, parse_authorization_code
from ca.domain.decisions import Act, Assertion, Decision
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated, Tampered
from ca.domain.names import verify_text
from ca.domain.officers import (
    Invitation,
    InvitationState,
    Officer,
    OfficerState,
    TrustedRole,
    code_halves,
    require_compatible,
    require_employee_number,
)
from ca.domain.sessions import CHALLENGE_LIFE, Challenge
from ca.ports import Authenticators, Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import OFFICER_SEAL, Authorize, save_officer
from ca.usecases.passkeys import Passkeys
from ca.usecases.sealed import unsealed

INVITATION_SEAL = "invitation"
_HALF_SEAL = "invitation-half"
_CODE_SEAL = "invitation-code"
LONGEST_NAME = 64


def invitation_digest(invitation: Invitation) -> bytes:
    """What a second security officer's passkey approves."""
    return digest("vermilion invitation v1", invitation.fields())


def parse_roles(names: list[str]) -> frozenset[TrustedRole]:
    """Roles by name. Raises InvalidRequest for an unknown one or a forbidden combination."""
    try:
        roles = frozenset(TrustedRole(name) for name in names)
    except ValueError as error:
        known = ", ".join(role.value for role in TrustedRole)
        raise InvalidRequest(f"unknown role; known are {known}") from error
    require_compatible(roles)
    return roles


@dataclass(frozen=True)
class Proposal:
    """A proposed invitation with the proposer's half of its code: exists on one page, once."""

    invitation: Invitation
    half: str


def propose_invitation(work: Work, seals: Seals, random: Random, invitation: Invitation) -> Proposal:
    """Record an invitation that waits for approval; the proposer's half, which is kept nowhere in clear."""
    half = new_authorization_code(random)
    proposed = replace(invitation, code_mac=_half_mac(seals, invitation.id, half))
    work.invitations.save(proposed, seals.seal(INVITATION_SEAL, proposed.sealed_fields()))
    return Proposal(proposed, half)


def open_invitation(work: Work, seals: Seals, random: Random, invitation: Invitation, approved_by: str) -> str:
    """Make an invitation redeemable; the approver's half of its code, which is kept nowhere in clear."""
    half = base64.urlsafe_b64encode(random(24)).decode("ascii")
    mac = seals.seal(_CODE_SEAL, _code_message(invitation.id, half, invitation.code_mac))
    opened = replace(invitation, state=InvitationState.OPEN, code_mac=mac, approved_by=approved_by)
    work.invitations.save(opened, seals.seal(INVITATION_SEAL, opened.sealed_fields()))
    return half


def _half_mac(seals: Seals, invitation_id: str, proposer_half: str) -> bytes:
    return seals.seal(_HALF_SEAL, f"{invitation_id}:{proposer_half}".encode())


def _code_message(invitation_id: str, approver_half: str, proposer_half_mac: bytes) -> bytes:
    # The other half enters by its MAC: who approves never sees it, and the code's MAC covers both all the same.
    return f"{invitation_id}:{approver_half}:".encode() + proposer_half_mac


@dataclass(frozen=True)
class InviteOfficer:
    """Propose, show, approve: two security officers, never the same person twice."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    passkeys: Passkeys
    authorize: Authorize

    def propose(self, session: str, *, person: str, name: str, branch: str, roles: list[str]) -> Proposal:
        """The proposed invitation, and the half of its code that the proposer gives to the invited person."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            proposer = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            person, name, branch = (verify_text(text, LONGEST_NAME) for text in (person, name, branch))
            require_employee_number(person)
            if proposer.person == person:
                raise NotAllowed("nobody proposes roles for themselves")
            invitation = Invitation(
                id=self.random(8).hex(),
                person=person,
                name=name,
                branch=branch,
                roles=parse_roles(roles),
                proposed_by=proposer.person,
                state=InvitationState.PROPOSED,
                expires_at=now + self.authorize.policy().invitation_life,
            )
            proposal = propose_invitation(work, self.seals, self.random, invitation)
            details = {"person": person, "branch": branch, "roles": " ".join(sorted(invitation.roles))}
            work.audit.append(AuditEvent("invitation.proposed", invitation.id, proposer.person, now, details))
            work.commit()
        return proposal

    def show(self, session: str, invitation_id: str) -> tuple[Invitation, bytes]:
        """The invitation and the challenge that this security officer's passkey would sign to approve it."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            invitation = _sealed(work, self.seals, invitation_id)
            work.commit()
        return invitation, _decision(invitation, officer).challenge()

    def approve(self, session: str, invitation_id: str, assertion: Assertion) -> str:
        """The approver's half of the one-time code: the link that is of use only with the proposer's."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            invitation = _sealed(work, self.seals, invitation_id)
            if invitation.state is not InvitationState.PROPOSED or now > invitation.expires_at:
                raise InvalidTransition("this invitation is no longer waiting for approval")
            if officer.person in (invitation.proposed_by, invitation.person):
                raise NotAllowed("another security officer must approve: not who proposed it, not who is invited")
            self.passkeys.decide(work, officer, _decision(invitation, officer), assertion)
            half = open_invitation(work, self.seals, self.random, invitation, officer.person)
            work.audit.append(AuditEvent("invitation.approved", invitation.id, officer.person, now))
            work.commit()
        return half


@dataclass(frozen=True)
class RedeemInvitation:
    """The invited person registers a passkey; the signer seals the officer's record."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authenticators: Authenticators

    def open(self, invitation_id: str, code: str) -> tuple[Invitation, bytes]:
        """The invitation and a one-time challenge for the new passkey."""
        value = self.random(32)
        with self.unit_of_work() as work:
            invitation = self._redeemable(work, invitation_id, code)
            work.challenges.add(Challenge(f"register:{invitation.id}", value, self.clock.now() + CHALLENGE_LIFE))
            work.commit()
        return invitation, value

    def __call__(self, invitation_id: str, code: str, *, challenge: bytes, registration: str, label: str) -> Officer:
        """The officer, new or with one passkey more."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            given = work.challenges.take(f"register:{invitation_id}", challenge)
            work.commit()  # it stays used, whatever comes of it
        with self.unit_of_work() as work:
            invitation = self._redeemable(work, invitation_id, code)
            if given is None or given.is_over(now):
                raise NotAuthenticated("this took too long; open the link again")
            credential = self.authenticators.verify_registration(registration, challenge=challenge, label=label)
            if work.officers.find_by_credential(credential.id) is not None:
                raise InvalidRequest("this passkey is registered already")
            officer = self._officer(work, invitation).with_credential(credential)
            save_officer(work, self.seals, officer)
            work.sessions.end_all_of(officer.id)  # of one who comes back with other roles
            redeemed = replace(invitation, state=InvitationState.REDEEMED)
            work.invitations.save(redeemed, self.seals.seal(INVITATION_SEAL, redeemed.sealed_fields()))
            details = {
                "invitation": invitation.id,
                "roles": " ".join(sorted(officer.roles)),
                "branch": officer.branch,
                "officer_version": str(officer.version),
            }
            work.audit.append(AuditEvent("officer.passkey-registered", officer.id, officer.person, now, details))
            work.commit()
        return officer

    def _redeemable(self, work: Work, invitation_id: str, code: str) -> Invitation:
        invitation = _sealed(work, self.seals, invitation_id)
        if not invitation.is_redeemable(self.clock.now()):
            raise InvalidTransition("this invitation was used already or is out of date; ask for a new one")
        approver_half, proposer_half = code_halves(code)
        try:
            half_mac = _half_mac(self.seals, invitation.id, parse_authorization_code(proposer_half))
            self.seals.require(_CODE_SEAL, _code_message(invitation.id, approver_half, half_mac), invitation.code_mac)
        except (InvalidRequest, Tampered) as error:
            raise NotAuthenticated(
                "the link or the other half of the code is not complete; copy both again, to their very end"
            ) from error
        return invitation

    def _officer(self, work: Work, invitation: Invitation) -> Officer:
        found = work.officers.find_by_person(invitation.person)
        if found is None:
            return Officer(
                id=self.random(8).hex(),
                person=invitation.person,
                name=invitation.name,
                branch=invitation.branch,
                roles=invitation.roles,
                state=OfficerState.ACTIVE,
                credentials=(),
            )
        officer = unsealed(self.seals, OFFICER_SEAL, found)
        if officer.state is not OfficerState.ACTIVE:
            raise NotAllowed(f"{officer.name} is {officer.state.value}; reinstate them first")
        return replace(officer, roles=invitation.roles, branch=invitation.branch)


@dataclass(frozen=True)
class ChangeOfficer:
    """A security officer suspends or retires another officer; their sessions end at once. Two reinstate one."""

    unit_of_work: UnitOfWork
    clock: Clock
    seals: Seals
    authorize: Authorize

    def __call__(self, session: str, officer_id: str, *, state: str, reason: str) -> Officer:
        now = self.clock.now()
        try:
            wanted = OfficerState(state)
        except ValueError as error:
            raise InvalidRequest("an officer can be active, suspended or left") from error
        if wanted is OfficerState.ACTIVE:
            raise NotAllowed("two security officers reinstate an officer: propose it, and another one approves")
        with self.unit_of_work() as work:
            by = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            officer = self.authorize.sealed_officer(work, officer_id)
            if officer.person == by.person:
                raise NotAllowed("nobody changes their own record")
            changed = officer.become(wanted)
            save_officer(work, self.seals, changed)
            work.sessions.end_all_of(officer.id)
            details = {"reason": reason, "officer_version": str(changed.version)}
            work.audit.append(AuditEvent(f"officer.{wanted.value}", officer.id, by.person, now, details))
            work.commit()
        return changed


def _sealed(work: Work, seals: Seals, invitation_id: str) -> Invitation:
    return unsealed(seals, INVITATION_SEAL, work.invitations.get(invitation_id))


def _decision(invitation: Invitation, officer: Officer) -> Decision:
    return Decision(Act.APPROVE_INVITATION, invitation.id, invitation_digest(invitation), officer.id, officer.person)
