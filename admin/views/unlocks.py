"""A customer's U-Shield is unlocked by two officers; one of the stock is prepared so that it can be (invariant 2)."""

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import PreparationForm, ReasonForm, UnlockForm
from admin.signer import ask, officer, parse_base64, signed
from ca.domain.errors import InvalidRequest, InvalidTransition
from ca.domain.unlocking import UnlockState
from ca.unlock_operations import ApproveUnlock, OpenUnlock, PrepareDevice, RejectUnlock, ShowUnlock

views = Blueprint("unlocks", __name__, url_prefix="/admin")
_PARTS = 2


@views.route("/u-shields/<serial>/unlock", methods=["GET", "POST"])
def open_case(serial: str) -> tuple[str, int]:
    """The first officer's part: who is asking, and how is that known."""
    form = UnlockForm()
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            opened = ask(OpenUnlock, device_serial=serial, reason=form.reason.data)
            return render_template("console/unlock_half.html", shown=opened, approver=False), 200
        except (InvalidRequest, InvalidTransition) as error:
            message, status = sentence(error), status_of(error)
    return render_template("console/unlock.html", serial=serial, form=form, message=message), status


@views.get("/unlocks/<reference>")
def show(reference: str) -> str:
    """The case as the signer holds it."""
    return _case_page(reference)


@views.post("/unlocks/<reference>/approve")
def approve(reference: str) -> str:
    """The supervisor's part; their half of the code is on this answer only."""
    answer = ask(ApproveUnlock, reference=reference, **signed())
    return render_template("console/unlock_half.html", shown=answer, approver=True)


@views.post("/unlocks/<reference>/reject")
def reject(reference: str) -> Response | tuple[str, int]:
    """By its maker or a supervisor, with the reason."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _case_page(reference, _("Say why, in a few words: it is kept in the audit log.")), 422
    ask(RejectUnlock, reference=reference, reason=form.reason.data)
    return redirect(url_for("unlocks.show", reference=reference), 303)


@views.route("/u-shields/<serial>/prepare", methods=["GET", "POST"])
def prepare(serial: str) -> tuple[str, int]:
    """What the tool asks for, answered for the tool alone."""
    form = PreparationForm()
    message, status, answer = "", 422 if form.is_submitted() else 200, ""
    if form.validate_on_submit():
        parts = (form.question.data or "").rsplit(":", 1)
        try:
            if len(parts) != _PARTS:
                raise InvalidRequest(_("this is not what `ushield prepare` printed; copy the whole line"))
            key = parse_base64(parts[1])
            answer, status = ask(PrepareDevice, serial=serial, token_serial=parts[0], public_key=key)["answer"], 200
        except (InvalidRequest, InvalidTransition) as error:
            message, status = sentence(error), status_of(error)
    page = render_template("console/prepare.html", serial=serial, form=form, message=message, answer=answer)
    return page, status


def _case_page(reference: str, message: str = "") -> str:
    shown = ask(ShowUnlock, reference=reference)
    waits = shown["state"] == UnlockState.PROPOSED.value
    is_open = shown["state"] in (UnlockState.PROPOSED.value, UnlockState.APPROVED.value)
    mine = shown["case"]["maker_person"] == officer().person
    return render_template(
        "console/unlock_case.html",
        reference=reference,
        shown=shown,
        case=shown["case"],
        waits=waits,
        mine=mine,
        may_approve=waits and shown["may_approve"] and officer().may("unlocks.approve"),
        may_reject=is_open and officer().may("unlocks.reject") and (mine or officer().may("unlocks.approve")),
        reason_form=ReasonForm(),
        message=message,
    )
