"""Which use case answers which operation on officers and their access. No rule lives here."""

import base64
from dataclasses import dataclass
from typing import Any

from ca import officer_operations as own
from ca import operations as ops
from ca.domain.codes import shown
from ca.domain.decisions import Assertion
from ca.domain.officers import Invitation, Officer
from ca.signer import Handler
from ca.usecases.officer_changes import DecideOnOfficerChange
from ca.usecases.officers import ChangeOfficer, InviteOfficer, RedeemInvitation


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _assertion(message: ops.AssertionMessage) -> Assertion:
    return Assertion(message.credential_id, message.client_data, message.authenticator_data, message.signature)


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


@dataclass(frozen=True)
class Officers:
    """The use cases of officers: how they come, change and go."""

    invite: InviteOfficer
    redeem: RedeemInvitation
    change: ChangeOfficer
    decide: DecideOnOfficerChange

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
            own.ShowOfficerChange: self._show_change,
            own.ApproveOfficerChange: self._approve_change,
            own.RejectOfficerChange: lambda op: {
                "state": self.decide.reject(op.session, op.change, reason=op.reason).state.value
            },
        }

    # Invitations

    def _open_invitation(self, op: ops.OpenInvitation) -> dict[str, Any]:
        invitation, challenge = self.redeem.open(op.invitation, op.code)
        return _invitation(invitation) | {"challenge": _b64(challenge)}

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
        return {"fields": invitation.fields(), "state": invitation.state.value, "challenge": _b64(challenge)}

    def _approve_invitation(self, op: ops.ApproveInvitation) -> dict[str, Any]:
        half = self.invite.approve(op.session, op.invitation, _assertion(op.assertion))
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
            "digest": _b64(change.digest()),
            "state": change.state.value,
            "void": view.is_void,
            "decided_by": change.decided_by,
            "decision_reason": change.decision_reason,
            "challenge": _b64(view.challenge),
            "may_approve": view.may_approve,
        }

    def _approve_change(self, op: own.ApproveOfficerChange) -> dict[str, Any]:
        officer = self.decide.approve(
            op.session, op.change, change_digest=op.digest, assertion=_assertion(op.assertion)
        )
        return {"officer": officer_fields(officer)}
