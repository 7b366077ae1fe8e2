"""Applications as work: enter one, decide on one, hand out its codes. Every decision is the signer's (invariant 2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import ApplicationForm, EmptyForm, ReasonForm, choices
from admin.letters import code_letter
from admin.paper import as_link, qr_code, sealed_letter
from admin.signer import ask, note_look, officer, signed
from ca.adapters.db.rows import CustomerRow, db
from ca.case_operations import (
    ApproveApplication,
    CorrectApplication,
    PreviewApplication,
    RejectApplication,
    ReturnApplication,
    ShowCase,
    SubmitApplication,
    WithdrawApplication,
)
from ca.domain.applications import ApplicationState
from ca.domain.codes import HandOver
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound, SigningRefused
from ca.operations import HandOutCodes, OfficerOperation

views = Blueprint("cases", __name__, url_prefix="/admin")


@views.route("/customers/<customer>/apply", methods=["GET", "POST"])
def apply(customer: str) -> Response | tuple[str, int]:
    """A new application for a customer of this branch: chosen, looked at, submitted."""
    row = _customer(customer)
    form = _entry_form()
    counter = Counter(_("New application"), _("Submit for approval"), url_for("customers.details_view", id=customer))
    return _enter(counter, form, row, lambda: ask(SubmitApplication, customer=customer, **form.entry())["application"])


@views.route("/cases/<application>/correct", methods=["GET", "POST"])
def correct(application: str) -> Response | tuple[str, int]:
    """The next version of a case that came back, by who entered it."""
    shown = ask(ShowCase, application=application)
    case = shown["case"]
    if case["maker_person"] != officer().person or shown["state"] != ApplicationState.RETURNED.value:
        raise InvalidTransition(_("only who entered an application that came back can correct it"))
    form = _entry_form(case)
    counter = Counter(
        _("Correct this application"), _("Submit the corrected case"), url_for("cases.show", application=application),
        reason=shown["reason"], application=application,
    )  # fmt: skip

    def submit() -> str:
        ask(CorrectApplication, application=application, **form.entry())
        return application

    return _enter(counter, form, _customer(case["customer"]), submit)


@views.get("/cases/<application>")
def show(application: str) -> str:
    """The case as the signer holds it, and what this officer may decide."""
    return _case_page(application)


@views.post("/cases/<application>/approve")
def approve(application: str) -> Response:
    """The passkey's signature over this case, to the signer."""
    ask(ApproveApplication, application=application, **signed())
    return _done(application)


@views.post("/cases/<application>/return")
def send_back(application: str) -> Response | tuple[str, int]:
    """To its maker for correction, with the reason."""
    return _end(ReturnApplication, application)


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


@dataclass(frozen=True, slots=True)
class Counter:
    """The page on which a case is entered."""

    title: str
    button: str
    back: str
    """Where to go when nothing is to be entered."""
    reason: str = ""
    """Why it came back."""
    application: str = ""
    """Which case came back; empty for a new one."""


def _entry_form(case: dict[str, Any] | None = None) -> ApplicationForm:
    hosts = "\n".join(text for kind, text in case["alternative_names"] if kind == "dns") if case else ""
    chosen = {"profile": case["profile"], "device_serial": case["device_serial"], "host_names": hosts} if case else {}
    form = ApplicationForm(data=chosen)
    profiles: Sequence[str] = current_app.extensions["vermilion_profiles"]
    form.profile.choices = choices(profiles)
    return form


def _enter(
    counter: Counter, form: ApplicationForm, customer: CustomerRow, submit: Callable[[], str]
) -> Response | tuple[str, int]:
    """Chosen, then seen as it would be, then submitted: what is submitted is what was seen."""
    fields = {"counter": counter, "form": form, "customer": customer}
    if not form.validate_on_submit() or request.form.get("step") == "change":
        return render_template("console/apply.html", message="", **fields), 422 if form.errors else 200
    try:
        if request.form.get("step") == "submit":
            return _done(submit())
        asked = {"customer": customer.id, "application": counter.application}
        seen = ask(PreviewApplication, **asked, **form.entry())
    except (InvalidRequest, InvalidTransition, SigningRefused) as error:
        return render_template("console/apply.html", message=sentence(error), **fields), status_of(error)
    return render_template("console/preview.html", seen=seen, **fields), 200


def _case_page(application: str, message: str = "") -> str:
    shown = ask(ShowCase, application=application)
    case: dict[str, Any] = shown["case"]
    note_look(case["customer"], "cases")
    mine = case["maker_person"] == officer().person
    waits = shown["state"] == ApplicationState.SUBMITTED.value
    came_back = shown["state"] == ApplicationState.RETURNED.value
    return render_template(
        "console/case.html",
        application=application,
        shown=shown,
        case=case,
        registered=db.session.get(CustomerRow, case["customer"]),
        mine=mine,
        waits=waits,
        may_decide=waits and not mine and officer().may("cases.approve"),
        may_withdraw=mine and (waits or came_back) and officer().may("cases.withdraw"),
        may_correct=mine and came_back and officer().may("cases.correct"),
        may_reject=not mine and (waits or came_back) and officer().may("cases.reject"),
        reason_form=ReasonForm(),
        message=message,
    )
