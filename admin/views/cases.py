"""Applications as work: enter one, decide on one, hand out its codes. Every decision is the signer's (invariant 2)."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import ApplicationForm, EmptyForm, ReasonForm
from admin.letters import code_letter
from admin.paper import as_link, qr_code, sealed_letter
from admin.signer import ask, note_look, officer, parse_assertion, parse_base64
from ca.adapters.db.rows import CustomerRow, db
from ca.domain.applications import ApplicationState
from ca.domain.codes import HandOver
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound
from ca.operations import (
    ApproveApplication,
    HandOutCodes,
    OfficerOperation,
    RejectApplication,
    ShowCase,
    SubmitApplication,
    WithdrawApplication,
)

views = Blueprint("cases", __name__, url_prefix="/admin")


@views.route("/customers/<customer>/apply", methods=["GET", "POST"])
def apply(customer: str) -> Response | tuple[str, int]:
    """A new application for a customer of this branch."""
    row = _customer(customer)
    form = ApplicationForm()
    profiles: Sequence[str] = current_app.extensions["vermilion_profiles"]
    form.profile.choices = list(profiles)
    if not form.validate_on_submit():
        return _application_page(form, row, 422 if form.errors else 200)
    try:
        answer = ask(
            SubmitApplication,
            customer=customer,
            profile=form.profile.data,
            device_serial=form.device_serial.data or "",
            host_names=form.list_host_names(),
        )
    except (InvalidRequest, InvalidTransition) as error:
        return _application_page(form, row, status_of(error), sentence(error))
    return redirect(url_for("applications.details_view", id=answer["application"]), 303)


@views.get("/cases/<application>")
def show(application: str) -> str:
    """The case as the signer holds it, and what this officer may decide."""
    return _case_page(application)


@views.post("/cases/<application>/approve")
def approve(application: str) -> Response:
    """The passkey's signature over this case, to the signer."""
    ask(
        ApproveApplication,
        application=application,
        digest=parse_base64(request.form.get("digest", "")),
        assertion=parse_assertion(request.form.get("assertion", "")),
    )
    return _done(application)


@views.post("/cases/<application>/reject")
def reject(application: str) -> Response | tuple[str, int]:
    """Back to its maker, with the reason."""
    return _end(RejectApplication, application)


@views.post("/cases/<application>/withdraw")
def withdraw(application: str) -> Response | tuple[str, int]:
    """By its maker, with the reason."""
    return _end(WithdrawApplication, application)


@views.post("/cases/<application>/codes")
def codes(application: str) -> str:
    """The receipt and, with it or by message, the authorization code: on this one answer and never again."""
    if not EmptyForm().validate_on_submit():
        abort(400)
    case = ask(ShowCase, application=application)["case"]
    pair = ask(HandOutCodes, application=application, by=request.form.get("by", HandOver.LETTER))
    code, bank = pair.get("authorization_code"), current_app.extensions["vermilion_organization"]
    portal = current_app.extensions["vermilion_enrolment_url"]
    return render_template(
        "console/codes.html",
        pair=pair,
        case=case,
        letter=as_link(sealed_letter(code_letter(case, code, pair["expires_at"], bank=bank))) if code else "",
        # Behind the #, so that no server and no log of one sees the number.
        qr=qr_code(f"{portal}/download#{pair['reference_number']}"),
    )


def _end(kind: type[OfficerOperation], application: str) -> Response | tuple[str, int]:
    form = ReasonForm()
    if not form.validate_on_submit():
        return _case_page(application, _("Say why, in a few words: the person concerned reads it.")), 422
    ask(kind, application=application, reason=form.reason.data)
    return _done(application)


def _done(application: str) -> Response:
    return redirect(url_for("applications.details_view", id=application), 303)


def _customer(customer_id: str) -> CustomerRow:
    query = select(CustomerRow).where(CustomerRow.id == customer_id, CustomerRow.branch == officer().branch)
    row = db.session.scalars(query).one_or_none()
    if row is None:
        raise NotFound(_("there is no such customer at your branch"))
    note_look(row.id, "applications")
    return row


def _application_page(
    form: ApplicationForm, customer: CustomerRow, status: int, message: str = ""
) -> tuple[str, int]:  # fmt: skip
    return render_template("console/apply.html", form=form, customer=customer, message=message), status


def _case_page(application: str, message: str = "") -> str:
    shown = ask(ShowCase, application=application)
    case: dict[str, Any] = shown["case"]
    note_look(case["customer"], "cases")
    mine = case["maker_person"] == officer().person
    waits = shown["state"] == ApplicationState.SUBMITTED.value
    return render_template(
        "console/case.html",
        application=application,
        shown=shown,
        case=case,
        registered=db.session.get(CustomerRow, case["customer"]),
        mine=mine,
        waits=waits,
        may_decide=waits and not mine and officer().may("cases.approve"),
        may_withdraw=waits and mine and officer().may("cases.withdraw"),
        reason_form=ReasonForm(),
        message=message,
    )
