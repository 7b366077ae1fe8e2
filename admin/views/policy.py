"""The policy as versions: one CA administrator proposes numbers, another approves with a passkey (invariant 2)."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import PolicyForm, ReasonForm
from admin.policy import TITLES
from admin.signer import ask, officer, signed
from admin.views.base import now, tomorrow
from ca.domain.errors import InvalidRequest, InvalidTransition
from ca.domain.policy import NUMBERS
from ca.domain.proposals import ProposalState
from ca.domain.times import instant, timestamp
from ca.policy_operations import ApprovePolicy, ProposePolicy, RejectPolicy, ShowPolicy, ShowPolicyVersion

views = Blueprint("policy", __name__, url_prefix="/admin")

_EFFECTS: dict[str, Any] = {
    "codes_life": _l("Codes that are handed out from then on end so soon; those in customers' hands keep their date."),
    "letter_life": _l("Letters that are handed out from then on end so soon; earlier ones keep their date."),
    "decide_within": _l("What waits longer is shown as overdue on every work list, also what waits already."),
    "hold_undo": _l("Officers take back their own hold alone for so long; after it a supervisor releases."),
    "hold_longest": _l("Certificates that are on hold for longer are on the work list of their branch's supervisors."),
    "cancellation_undo": _l("Cancellations from then on; those that are open keep their date."),
    "session_idle": _l("Officers who do nothing for so long sign in again, also those who are signed in already."),
    "session_life": _l("Officers sign in again after so long, also those who are signed in already."),
    "portal_session_idle": _l("Customers who do nothing for so long sign in again, also those who are signed in."),
    "portal_session_life": _l("Customers sign in again after so long, also those who are signed in already."),
    "invitation_life": _l("Invitations from then on; those that are open keep their date."),
    "officer_change_life": _l("Proposals from then on; those that wait keep their date."),
    "unlock_case_life": _l("Unlock cases from then on; those that are open keep their date."),
    "crl_within": _l("What relying parties are promised of changes from then on: receipts and the report go by it."),
}


@views.route("/policy/propose", methods=["GET", "POST"])
def propose() -> Response | tuple[str, int]:
    """The first administrator's part: every number, begun with those of the last version."""
    form = PolicyForm()
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            answer = ask(
                ProposePolicy,
                numbers={name: (form[name].data or "").strip() for name in NUMBERS},
                effective_from=timestamp(form.effective_from.data.astimezone()),
                reason=form.reason.data,
            )
            return redirect(url_for("policy.show_version", version=answer["version"]), 303)
        except (InvalidRequest, InvalidTransition) as error:
            message, status = sentence(error), status_of(error)
    shown = ask(ShowPolicy)
    if not form.is_submitted():
        for name, text in shown["newest"].items():
            form[name].data = text
        form.effective_from.data = tomorrow()
    return render_template("console/propose_policy.html", shown=shown, form=form, message=message), status


@views.get("/policy-versions/<version>")
def show_version(version: str) -> str:
    """A version beside the one it replaces, as the signer holds it."""
    return _version_page(version)


@views.post("/policy-versions/<version>/approve")
def approve(version: str) -> Response:
    """The second administrator's part."""
    ask(ApprovePolicy, version=version, **signed())
    return redirect(url_for("policy.show_version", version=version), 303)


@views.post("/policy-versions/<version>/reject")
def reject(version: str) -> Response | tuple[str, int]:
    """By any CA administrator, with the reason."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _version_page(version, _("Say why, in a few words: it is kept in the audit log.")), 422
    ask(RejectPolicy, version=version, reason=form.reason.data)
    return redirect(url_for("policy.show_version", version=version), 303)


def _version_page(version: str, message: str = "") -> str:
    shown = ask(ShowPolicyVersion, version=version)
    case, waits = shown["case"], shown["state"] == ProposalState.PROPOSED.value
    return render_template(
        "console/policy_version.html",
        shown=shown,
        case=case,
        titles=TITLES,
        effects=_EFFECTS,
        mine=case["maker_person"] == officer().person,
        may_approve=waits and shown["may_approve"] and officer().may("policy.approve"),
        may_reject=waits and officer().may("policy.reject"),
        is_late=waits and instant(case["effective_from"]) <= now(),
        reason_form=ReasonForm(),
        message=message,
    )
