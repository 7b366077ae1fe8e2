"""Which use case answers which operation on officers and their access. No rule lives here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from ca import officer_operations as own
from ca import operations as ops
from ca.domain.codes import shown
from ca.domain.officers import Invitation, Officer
from ca.domain.times import timestamp
from ca.operations import encode_base64
from ca.ports import Authenticators, Clock, Random, Seals, UnitOfWork
from ca.signer import Handler
from ca.usecases.authorize import Authorize
from ca.usecases.end_sessions import EndSessions
from ca.usecases.officer_changes import DecideOnOfficerChange
from ca.usecases.officers import ChangeOfficer, InviteOfficer, RedeemInvitation
from ca.usecases.own_access import Access, OwnAccess
from ca.usecases.passkeys import Passkeys
from ca.usecases.recovery import RecoverAccess, RecoveryBook


def officer_fields(officer: Officer) -> dict[str, Any]:
    """An officer as fronts are told of one."""
    return {
        "id": officer.id,
        "person": officer.person,
        "name": officer.name,
        "branch": officer.branch,
        "roles": sorted(role.value for role in officer.roles),
        "state": officer.state.value,
    }


def _invitation(invitation: Invitation) -> dict[str, Any]:
    return invitation.fields() | {"state": invitation.state.value}


def _time(at: datetime | None) -> str | None:
    return timestamp(at) if at else None


def _access(access: Access) -> dict[str, Any]:
    recovery = access.recovery
    return {
        "passkeys": [
            {"id": encode_base64(one.id), "label": one.label, "used_at": _time(one.used_at)} for one in access.passkeys
        ],
        "sessions": [
            {
                "id": live.session.id,
                "began_at": timestamp(live.session.began_at),
                "seen_at": timestamp(live.session.seen_at),
                "source": live.session.source,
                "certificate": bool(live.session.binding),
                "this": live.is_this,
            }
            for live in access.sessions
        ],
        "recovery": {
            "left": len(recovery.macs),
            "made_at": timestamp(recovery.made_at),
            "used_at": _time(recovery.used_at),
        }
        if recovery
        else None,
        "stepped_up_until": _time(access.stepped_up_until),
    }


@dataclass(frozen=True)
class Officers:
    """The use cases of officers: how they come, change and go, and how they get in."""

    invite: InviteOfficer
    redeem: RedeemInvitation
    change: ChangeOfficer
    decide: DecideOnOfficerChange
    access: OwnAccess
    recover: RecoverAccess
    end: EndSessions

    @classmethod
    def over(
        cls,
        unit_of_work: UnitOfWork,
        clock: Clock,
        random: Random,
        seals: Seals,
        authenticators: Authenticators,
        authorize: Authorize,
    ) -> Self:
        """All of them, put together over the ports."""
        base = unit_of_work, clock, random, seals
        passkeys = Passkeys(authenticators, clock)
        return cls(
            InviteOfficer(*base, passkeys, authorize),
            RedeemInvitation(*base, authenticators),
            ChangeOfficer(unit_of_work, clock, seals, authorize),
            DecideOnOfficerChange(*base, passkeys, authorize),
            OwnAccess(*base, authenticators, passkeys, authorize),
            RecoverAccess(*base, authenticators, authorize, RecoveryBook(seals)),
            EndSessions(unit_of_work, clock, authorize),
        )

    def table(self) -> dict[type[ops.Operation], Handler]:
        """Every operation with what answers it."""
        return {
            ops.OpenInvitation: self._open_invitation,
            ops.RedeemInvitation: self._redeem_invitation,
            ops.ProposeInvitation: self._propose_invitation,
            ops.ShowInvitation: self._show_invitation,
            ops.ApproveInvitation: self._approve_invitation,
            ops.ChangeOfficer: self._change_officer,
            own.ProposeOfficerChange: self._propose_change,
            own.ProposeReinstatement: lambda op: {
                "change": self.decide.propose_reinstatement(op.session, op.officer, reason=op.reason).id
            },
            own.ShowOfficerChange: self._show_change,
            own.ApproveOfficerChange: self._approve_change,
            own.RejectOfficerChange: lambda op: {
                "state": self.decide.reject(op.session, op.change, reason=op.reason).state.value
            },
            **self._of_their_own(),
            own.EndSessionsOf: lambda op: {"ended": self.end.of(op.session, op.officer)},
            own.EndAllSessions: lambda op: {"ended": self.end.of_everybody(op.session)},
        }

    def _of_their_own(self) -> dict[type[ops.Operation], Handler]:
        return {
            own.ShowAccess: lambda op: _access(self.access.show(op.session)),
            own.StepUpChallenge: lambda op: {"challenge": encode_base64(self.access.challenge(op.session))},
            own.StepUp: self._step_up,
            own.NewPasskey: self._new_passkey,
            own.AddPasskey: self._add_passkey,
            own.RemovePasskey: self._remove_passkey,
            own.MakeRecoveryCodes: lambda op: {"codes": [shown(code) for code in self.recover.make(op.session)]},
            own.OpenRecovery: self._open_recovery,
            own.Recover: self._recover,
            own.EndOwnSession: self._end_own_session,
            own.EndOwnOtherSessions: lambda op: {"ended": self.access.end_others(op.session)},
        }

    # Invitations

    def _open_invitation(self, op: ops.OpenInvitation) -> dict[str, Any]:
        invitation, challenge = self.redeem.open(op.invitation, op.code)
        return _invitation(invitation) | {"challenge": encode_base64(challenge)}

    def _redeem_invitation(self, op: ops.RedeemInvitation) -> dict[str, Any]:
        officer = self.redeem(
            op.invitation, op.code, challenge=op.challenge, registration=op.registration, label=op.label
        )
        return {"officer": officer_fields(officer)}

    def _propose_invitation(self, op: ops.ProposeInvitation) -> dict[str, Any]:
        proposal = self.invite.propose(op.session, person=op.person, name=op.name, branch=op.branch, roles=op.roles)
        return {"invitation": proposal.invitation.id, "half": shown(proposal.half)}

    def _show_invitation(self, op: ops.ShowInvitation) -> dict[str, Any]:
        invitation, challenge = self.invite.show(op.session, op.invitation)
        return {"fields": invitation.fields(), "state": invitation.state.value, "challenge": encode_base64(challenge)}

    def _approve_invitation(self, op: ops.ApproveInvitation) -> dict[str, Any]:
        half = self.invite.approve(op.session, op.invitation, op.assertion.to_assertion())
        return {"invitation": op.invitation, "half": half}

    # Standing, roles and branch

    def _change_officer(self, op: ops.ChangeOfficer) -> dict[str, Any]:
        return {"officer": officer_fields(self.change(op.session, op.officer, state=op.state, reason=op.reason))}

    def _propose_change(self, op: own.ProposeOfficerChange) -> dict[str, Any]:
        change = self.decide.propose(op.session, op.officer, branch=op.branch, roles=op.roles, reason=op.reason)
        return {"change": change.id}

    def _show_change(self, op: own.ShowOfficerChange) -> dict[str, Any]:
        view = self.decide.show(op.session, op.change)
        change = view.change
        return {
            "fields": change.fields(),
            "digest": encode_base64(change.digest()),
            "state": change.state.value,
            "reinstates": change.reinstates,
            "void": view.is_void,
            "decided_by": change.decided_by,
            "decision_reason": change.decision_reason,
            "challenge": encode_base64(view.challenge),
            "may_approve": view.may_approve,
        }

    def _approve_change(self, op: own.ApproveOfficerChange) -> dict[str, Any]:
        officer = self.decide.approve(
            op.session, op.change, change_digest=op.digest, assertion=op.assertion.to_assertion()
        )
        return {"officer": officer_fields(officer)}

    # One's own access

    def _step_up(self, op: own.StepUp) -> dict[str, Any]:
        return {"token": self.access.step_up(op.session, op.challenge, op.assertion.to_assertion(), source=op.source)}

    def _new_passkey(self, op: own.NewPasskey) -> dict[str, Any]:
        officer, challenge = self.access.new_passkey(op.session)
        known = [encode_base64(each.id) for each in officer.credentials]
        return {"challenge": encode_base64(challenge), "person": officer.person, "name": officer.name, "known": known}

    def _add_passkey(self, op: own.AddPasskey) -> dict[str, Any]:
        self.access.add_passkey(op.session, challenge=op.challenge, registration=op.registration, label=op.label)
        return {}

    def _remove_passkey(self, op: own.RemovePasskey) -> dict[str, Any]:
        self.access.remove_passkey(op.session, op.passkey)
        return {}

    def _open_recovery(self, op: own.OpenRecovery) -> dict[str, Any]:
        officer, challenge = self.recover.open(op.person, op.code)
        return {"challenge": encode_base64(challenge), "person": officer.person, "name": officer.name}

    def _recover(self, op: own.Recover) -> dict[str, Any]:
        self.recover(op.person, op.code, challenge=op.challenge, registration=op.registration, label=op.label)
        return {}

    def _end_own_session(self, op: own.EndOwnSession) -> dict[str, Any]:
        self.access.end_session(op.session, op.live)
        return {}
