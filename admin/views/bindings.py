"""Binding a certificate to an officer: one security officer proposes, another approves (docs/adr/0041; invariant 2)."""

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import BindingForm, ReasonForm
from admin.signer import ask, officer, signed
from ca.adapters.db.rows import OfficerRow, db
from ca.domain.bindings import BindingState
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound
from ca.door_operations import ApproveBinding, EndBinding, ProposeBinding, RejectBinding, ShowBinding

views = Blueprint("bindings", __name__, url_prefix="/admin")


@views.route("/officers/<officer_id>/certificates", methods=["GET", "POST"])
def propose(officer_id: str) -> Response | tuple[str, int]:
    """The first security officer's part: which certificate is this officer's."""
    row = db.session.get(OfficerRow, officer_id)
    if row is None:
        raise NotFound(_("there is no such officer"))
    form = BindingForm()
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            fields = {"serial": form.serial.data, "reason": form.reason.data}
            binding = ask(ProposeBinding, officer=row.id, **fields)["binding"]
            return redirect(url_for("bindings.show", binding=binding), 303)
        except (InvalidRequest, InvalidTransition, NotFound) as error:
            message, status = sentence(error), status_of(error)
    return render_template("console/propose_binding.html", row=row, form=form, message=message), status


@views.get("/certificate-bindings/<binding>")
def show(binding: str) -> str:
    """Officer and certificate side by side, as the signer holds them."""
    return _binding_page(binding)


@views.post("/certificate-bindings/<binding>/approve")
def approve(binding: str) -> Response:
    """The second security officer's part."""
    answer = ask(ApproveBinding, binding=binding, **signed())
    return redirect(url_for("officers.details_view", id=answer["officer"]), 303)


@views.post("/certificate-bindings/<binding>/reject")
def reject(binding: str) -> Response | tuple[str, int]:
    """By any security officer but the one it is about, with the reason."""
    return _with_reason(RejectBinding, binding)


@views.post("/certificate-bindings/<binding>/end")
def end(binding: str) -> Response | tuple[str, int]:
    """By any security officer; the officer ends their own under “My access”."""
    return _with_reason(EndBinding, binding)


def _with_reason(operation: type[RejectBinding | EndBinding], binding: str) -> Response | tuple[str, int]:
    form = ReasonForm()
    if not form.validate_on_submit():
        return _binding_page(binding, _("Say why, in a few words: it is kept in the audit log.")), 422
    ask(operation, binding=binding, reason=form.reason.data)
    return redirect(url_for("bindings.show", binding=binding), 303)


def _binding_page(binding: str, message: str = "") -> str:
    shown = ask(ShowBinding, binding=binding)
    return render_template(
        "console/binding.html",
        binding=binding,
        shown=shown,
        fields=shown["fields"],
        waits=shown["state"] == BindingState.PROPOSED.value,
        holds=shown["state"] == BindingState.BOUND.value,
        mine=officer().person == shown["fields"]["proposed_by"],
        reason_form=ReasonForm(),
        message=message,
    )
