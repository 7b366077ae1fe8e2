"""The customer's tool: what is offered, and its release by two CA administrators (invariant 2).

The console hands the signer nothing to sign: a package that somebody uploads is compared by its hash and forgotten.
"""

import hashlib
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import PackageForm, ReasonForm
from admin.signer import ask, officer, signed
from ca.authority_operations import ApproveTool, ProposeTool, RejectTool, ShowTool, ShowToolCase, WithdrawTool
from ca.domain.errors import InvalidRequest, InvalidTransition
from ca.domain.tool_cases import ToolState

views = Blueprint("software", __name__, url_prefix="/admin")


@views.get("/software/")
def index() -> str:
    """What is offered, what is installed, what was decided."""
    return _page()


@views.post("/software/compare")
def compare() -> tuple[str, int]:
    """A package from elsewhere: is it one of ours, octet for octet?"""
    form = PackageForm()
    if not form.validate_on_submit():
        return _page(message=_("Choose a file first.")), 422
    content: bytes = form.package.data.read()
    found = {"name": form.package.data.filename, "sha256": hashlib.sha256(content).hexdigest(), "length": len(content)}
    return _page(compared=found), 200


@views.post("/software/propose")
def propose() -> Response | tuple[str, int]:
    """The first administrator's part."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _page(message=_("Say why, in a few words: it is kept in the audit log.")), 422
    try:
        case = ask(ProposeTool, reason=form.reason.data)["case"]
    except (InvalidRequest, InvalidTransition) as error:
        return _page(message=sentence(error)), status_of(error)
    return redirect(url_for("software.show", case=case), 303)


@views.post("/software/withdraw")
def withdraw() -> Response | tuple[str, int]:
    """By one person, at once."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _page(message=_("Say why, in a few words: it is kept in the audit log.")), 422
    ask(WithdrawTool, reason=form.reason.data)
    return redirect(url_for("software.index"), 303)


@views.get("/software/<case>")
def show(case: str) -> str:
    """A proposal as the signer holds it, beside what is offered."""
    return _case_page(case)


@views.post("/software/<case>/approve")
def approve(case: str) -> Response:
    """The second administrator's part."""
    ask(ApproveTool, case=case, **signed())
    return redirect(url_for("software.show", case=case), 303)


@views.post("/software/<case>/reject")
def reject(case: str) -> Response | tuple[str, int]:
    """By any CA administrator, with the reason."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _case_page(case, _("Say why, in a few words: it is kept in the audit log.")), 422
    ask(RejectTool, case=case, reason=form.reason.data)
    return redirect(url_for("software.show", case=case), 303)


def _page(message: str = "", compared: dict[str, Any] | None = None) -> str:
    shown = ask(ShowTool)
    offered = shown["offered"]["files"] if shown["offered"] else []
    places = []
    if compared:
        places += [("offered", name) for name, sha256, *_rest in offered if sha256 == compared["sha256"]]
        files = shown["installed"]["files"]
        places += [("installed", name) for name, sha256, *_rest in files if sha256 == compared["sha256"]]
    return render_template(
        "console/software.html",
        shown=shown,
        compared=compared,
        places=places,
        package_form=PackageForm(),
        reason_form=ReasonForm(formdata=None),
        message=message,
    )


def _case_page(case: str, message: str = "") -> str:
    shown = ask(ShowToolCase, case=case)
    waits = shown["state"] == ToolState.PROPOSED.value
    return render_template(
        "console/software_case.html",
        shown=shown,
        case=shown["case"],
        offered={name: (sha256, length) for name, sha256, length in shown["offered"]},
        mine=shown["case"]["maker_person"] == officer().person,
        may_approve=waits and shown["may_approve"] and officer().may("software.approve"),
        may_reject=waits and officer().may("software.reject"),
        reason_form=ReasonForm(),
        message=message,
    )
