"""Officers come and go: two security officers for an invitation, one to suspend or retire (invariant 2)."""

from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import InvitationForm, ReasonForm
from admin.signer import ask, officer, parse_assertion
from ca.adapters.db.rows import OfficerRow, db
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound
from ca.domain.officers import InvitationState, OfficerState, TrustedRole
from ca.operations import ApproveInvitation, ChangeOfficer, ProposeInvitation, ShowInvitation

views = Blueprint("people", __name__, url_prefix="/admin")

CHANGES: dict[str, tuple[OfficerState, Any, tuple[Any, ...]]] = {
    "suspend": (
        OfficerState.SUSPENDED,
        _l("Suspend this officer"),
        (
            _l("Every session of theirs ends at once, and no new one begins."),
            _l("They can be reinstated, by two security officers."),
        ),
    ),
    "retire": (
        OfficerState.LEFT,
        _l("Retire this officer"),
        (
            _l("Every session of theirs ends at once. This is for good: they never act again under this record."),
            _l("What they did stays on record and stays provable."),
        ),
    ),
}


_TOO_FEW = _l(
    "Fewer than two security officers are left then: nobody can be invited, reinstated or given other roles any more. "
    "Invite another security officer first."
)
_NEEDED = 2


@views.route("/invitations/propose", methods=["GET", "POST"])
def propose() -> tuple[str, int]:
    """The first security officer's part."""
    form = InvitationForm()
    if not form.validate_on_submit():
        return _proposal(form, 422 if form.errors else 200)
    try:
        answer = ask(
            ProposeInvitation,
            person=form.person.data,
            name=form.name.data,
            branch=form.branch.data,
            roles=form.roles.data,
        )
    except (InvalidRequest, InvalidTransition) as error:
        return _proposal(form, status_of(error), sentence(error))
    # The proposer's half of the code is on this answer only.
    page = render_template(
        "console/invitation_half.html", invitation=answer["invitation"], half=answer["half"], name=form.name.data
    )
    return page, 200


@views.get("/invitations/<invitation>/decide")
def show_invitation(invitation: str) -> str:
    """What the second security officer approves, as the signer holds it."""
    shown = ask(ShowInvitation, invitation=invitation)
    fields = shown["fields"]
    own = officer().person in (fields["proposed_by"], fields["person"])
    return render_template(
        "console/decide_invitation.html",
        invitation=invitation,
        shown=shown,
        fields=fields,
        own=own,
        may_decide=shown["state"] == InvitationState.PROPOSED.value and not own,
    )


@views.post("/invitations/<invitation>/approve")
def approve_invitation(invitation: str) -> str:
    """The second security officer's part; the link with their half of the code is on this answer only."""
    answer = ask(ApproveInvitation, invitation=invitation, assertion=parse_assertion(request.form.get("assertion", "")))
    path = url_for("invitation.page", invitation=answer["invitation"])
    origins: tuple[str, ...] = current_app.extensions["vermilion_origins"]
    # The address the officer uses works here; the invited person gets the same one if it is one of ours.
    here = request.host_url.rstrip("/")
    link = f"{here if here in origins else origins[0]}{path}#{answer['half']}"
    return render_template("console/invitation_link.html", link=link)


@views.route("/officers/<officer_id>/<act>", methods=["GET", "POST"])
def change(officer_id: str, act: str) -> Response | tuple[str, int]:
    """Suspend or retire, with a reason."""
    if act not in CHANGES:
        abort(404)
    state, title, effects = CHANGES[act]
    row = db.session.get(OfficerRow, officer_id)
    if row is None:
        raise NotFound(_("there is no such officer"))
    if _too_few_without(row):
        effects += (_TOO_FEW,)
    form = ReasonForm()
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            ask(ChangeOfficer, officer=row.id, state=state.value, reason=form.reason.data)
            return redirect(url_for("officers.details_view", id=row.id), 303)
        except (InvalidRequest, InvalidTransition) as error:
            message, status = sentence(error), status_of(error)
    page = render_template(
        "console/change_officer.html", row=row, title=title, effects=effects, form=form, act=act, message=message
    )
    return page, status


def _too_few_without(row: OfficerRow) -> bool:
    """Whether what needs two security officers cannot be done any more without this one."""
    role, active = TrustedRole.SECURITY_OFFICER.value, OfficerState.ACTIVE.value
    if row.state != active or role not in row.roles.split(","):
        return False
    others = select(OfficerRow.id).where(
        OfficerRow.state == active, OfficerRow.roles.contains(role), OfficerRow.id != row.id
    )
    return len(db.session.scalars(others.limit(_NEEDED)).all()) < _NEEDED


def _proposal(form: InvitationForm, status: int, message: str = "") -> tuple[str, int]:
    title, button = _("Propose an invitation"), _("Propose this invitation")
    page = render_template(
        "console/form.html", form=form, title=title, button=button, back="invitations.index_view", message=message
    )
    return page, status
