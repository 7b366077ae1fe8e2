"""Other roles, another branch, or the end of a suspension: two security officers decide (invariant 2)."""

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import OfficerChangeForm, ReasonForm
from admin.signer import ask, officer, signed
from ca.adapters.db.rows import OfficerRow, db
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound
from ca.domain.proposals import ProposalState
from ca.officer_operations import (
    ApproveOfficerChange,
    ProposeOfficerChange,
    ProposeReinstatement,
    RejectOfficerChange,
    ShowOfficerChange,
)
from ca.operations import OfficerOperation

views = Blueprint("officer_changes", __name__, url_prefix="/admin")


@views.route("/officers/<officer_id>/roles", methods=["GET", "POST"])
def propose(officer_id: str) -> Response | tuple[str, int]:
    """The first security officer's part, beginning with what the officer has now."""
    row = _officer(officer_id)
    form = OfficerChangeForm(branch=row.branch, roles=row.roles.split(","))
    return _proposal("console/propose_roles.html", row, form, ProposeOfficerChange, "branch", "roles", "reason")


@views.route("/officers/<officer_id>/reinstate", methods=["GET", "POST"])
def propose_reinstatement(officer_id: str) -> Response | tuple[str, int]:
    """The same for the end of a suspension."""
    row, form = _officer(officer_id), ReasonForm()
    return _proposal("console/propose_reinstatement.html", row, form, ProposeReinstatement, "reason")


def _officer(officer_id: str) -> OfficerRow:
    row = db.session.get(OfficerRow, officer_id)
    if row is None:
        raise NotFound(_("there is no such officer"))
    return row


def _proposal(
    template: str, row: OfficerRow, form: FlaskForm, operation: type[OfficerOperation], *fields: str
) -> Response | tuple[str, int]:
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            change = ask(operation, officer=row.id, **{name: form[name].data for name in fields})["change"]
            return redirect(url_for("officer_changes.show", change=change), 303)
        except (InvalidRequest, InvalidTransition) as error:
            message, status = sentence(error), status_of(error)
    return render_template(template, row=row, form=form, message=message), status


@views.get("/officer-changes/<change>")
def show(change: str) -> str:
    """Old and new side by side, as the signer holds them."""
    return _change_page(change)


@views.post("/officer-changes/<change>/approve")
def approve(change: str) -> Response:
    """The second security officer's part."""
    answer = ask(ApproveOfficerChange, change=change, **signed())
    return redirect(url_for("officers.details_view", id=answer["officer"]["id"]), 303)


@views.post("/officer-changes/<change>/reject")
def reject(change: str) -> Response | tuple[str, int]:
    """By any security officer but the one it is about, with the reason."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _change_page(change, _("Say why, in a few words: it is kept in the audit log.")), 422
    ask(RejectOfficerChange, change=change, reason=form.reason.data)
    return redirect(url_for("officer_changes.show", change=change), 303)


def _change_page(change: str, message: str = "") -> str:
    shown = ask(ShowOfficerChange, change=change)
    fields, who = shown["fields"], officer().person
    waits = shown["state"] == ProposalState.PROPOSED.value
    return render_template(
        "console/officer_change.html",
        change=change,
        shown=shown,
        fields=fields,
        waits=waits,
        mine=who == fields["proposed_by"],
        about_me=who == fields["person"],
        reason_form=ReasonForm(),
        message=message,
    )
