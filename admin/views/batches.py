"""Applications for many people of a company: a list is checked as a whole, entered as a whole, approved by one
signature or case by case."""

from collections.abc import Sequence

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import BatchForm, choices
from admin.lists import decode, parse_lines
from admin.signer import ask, note_look, officer, signed
from ca.adapters.db.rows import CustomerRow, db
from ca.case_operations import ApproveBatch, BatchLineMessage, ShowBatch, SubmitBatch
from ca.domain.applications import CAME_TO_NOTHING, ApplicationState
from ca.domain.customers import CustomerKind
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound

views = Blueprint("batches", __name__, url_prefix="/admin")

_FOR_COMPANIES = ("corporate-operator", "company-operator")
_STEPS = (
    (ApplicationState.SUBMITTED.value, ApplicationState.RETURNED.value),
    (ApplicationState.APPROVED.value,),
    (ApplicationState.CODES_ISSUED.value, ApplicationState.EXPIRED.value, ApplicationState.LOCKED.value),
    (ApplicationState.CLAIMED.value, ApplicationState.COMPLETED.value),
)


@views.route("/customers/<company>/batch", methods=["GET", "POST"])
def enter(company: str) -> Response | tuple[str, int]:
    """A list for a company of this branch: read, checked, entered. Nothing is entered while a line has a problem."""
    row, form = _company(company), BatchForm()
    profiles: Sequence[str] = current_app.extensions["vermilion_profiles"]
    form.profile.choices = choices([name for name in _FOR_COMPANIES if name in profiles])
    lines: list[BatchLineMessage] = []
    problems: dict[int, str] = {}
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            text = decode(form.file.data.read()) if form.file.data else form.lines.data or ""
            form.lines.data, lines = text, parse_lines(text)
            entering = request.form.get("step") == "submit"
            asked = {"company": row.number, "profile": form.profile.data, "lines": lines, "apply": entering}
            answer = ask(SubmitBatch, **asked)
            if answer["batch"]:
                return redirect(url_for("batches.show", batch=answer["batch"]), 303)
            problems = {one["line"]: one["sentence"] for one in answer["problems"]}
            status = 422 if problems else 200
        except (InvalidRequest, InvalidTransition) as error:
            message, status = sentence(error), status_of(error)
            lines = []
    page = render_template(
        "console/batch_enter.html", form=form, company=row, lines=lines, problems=problems, message=message
    )
    return page, status


@views.get("/batches/<batch>")
def show(batch: str) -> str:
    """The list as the signer holds it, and how far each application is."""
    shown = ask(ShowBatch, batch=batch)
    note_look(shown["batch"]["company"], "batches")
    states = [one["state"] for one in shown["cases"]]
    going = [state for state in states if ApplicationState(state) not in CAME_TO_NOTHING]
    reached = [sum(state in group for group in _STEPS[at:] for state in going) for at in range(len(_STEPS))]
    return render_template(
        "console/batch.html",
        shown=shown,
        batch=shown["batch"],
        going=len(going),
        reached=dict(zip(("entered", "approved", "codes", "downloaded"), reached, strict=True)),
        waiting=states.count(ApplicationState.SUBMITTED.value),
        mine=shown["batch"]["maker_person"] == officer().person,
        may_approve=shown["may_approve"] and officer().may("batches.approve"),
    )


@views.post("/batches/<batch>/approve")
def approve(batch: str) -> Response:
    """The passkey's signature over the list, to the signer."""
    ask(ApproveBatch, batch=batch, **signed())
    return redirect(url_for("batches.show", batch=batch), 303)


def _company(company: str) -> CustomerRow:
    query = select(CustomerRow).where(CustomerRow.id == company, CustomerRow.branch == officer().branch)
    row = db.session.scalars(query.where(CustomerRow.kind == CustomerKind.COMPANY.value)).one_or_none()
    if row is None:
        raise NotFound(_("there is no such company at your branch"))
    note_look(row.id, "batches")
    return row
