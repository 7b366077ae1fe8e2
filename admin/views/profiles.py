"""Profiles as versions: one CA administrator proposes, another approves with a passkey (invariant 2)."""

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import ProfileForm, ReasonForm
from admin.signer import ask, officer, signed
from admin.views.base import now, tomorrow
from ca.adapters.db.rows import ApplicationRow, db
from ca.authority_operations import (
    ApproveProfile,
    ListProfiles,
    ProposeProfile,
    RejectProfile,
    ShowProfile,
    ShowProfileVersion,
)
from ca.domain.applications import ApplicationState
from ca.domain.errors import InvalidRequest, InvalidTransition
from ca.domain.proposals import ProposalState
from ca.domain.times import instant, timestamp

views = Blueprint("profiles", __name__, url_prefix="/admin")

_OPEN = (ApplicationState.SUBMITTED, ApplicationState.APPROVED, ApplicationState.CODES_ISSUED, ApplicationState.LOCKED)
_MOST = 1000
"""Applications are counted so far."""


@views.get("/profiles/")
def index() -> str:
    """Every profile with its version."""
    return render_template("console/profiles.html", profiles=ask(ListProfiles)["profiles"])


@views.get("/profiles/<name>")
def show(name: str) -> str:
    """Every field of the version in force, and all versions."""
    shown = ask(ShowProfile, profile=name)
    return render_template("console/profile.html", shown=shown, facts=dict(shown["facts"]))


@views.route("/profiles/<name>/propose", methods=["GET", "POST"])
def propose(name: str) -> Response | tuple[str, int]:
    """The first administrator's part: the next version, begun with the text of the last one."""
    form = ProfileForm()
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            answer = ask(
                ProposeProfile,
                profile=name,
                text=(form.text.data or "").replace("\r\n", "\n"),
                effective_from=timestamp(form.effective_from.data.astimezone()),
                reason=form.reason.data,
            )
            return redirect(url_for("profiles.show_version", version=answer["version"]), 303)
        except (InvalidRequest, InvalidTransition) as error:
            message, status = sentence(error), status_of(error)
    shown = ask(ShowProfile, profile=name)
    if not form.is_submitted():
        form.text.data, form.effective_from.data = shown["text"], tomorrow()
    return render_template("console/propose_profile.html", shown=shown, form=form, message=message), status


@views.get("/profile-versions/<version>")
def show_version(version: str) -> str:
    """A version beside the one it replaces, as the signer holds it."""
    return _version_page(version)


@views.post("/profile-versions/<version>/approve")
def approve(version: str) -> Response:
    """The second administrator's part."""
    ask(ApproveProfile, version=version, **signed())
    return redirect(url_for("profiles.show_version", version=version), 303)


@views.post("/profile-versions/<version>/reject")
def reject(version: str) -> Response | tuple[str, int]:
    """By any CA administrator, with the reason."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _version_page(version, _("Say why, in a few words: it is kept in the audit log.")), 422
    ask(RejectProfile, version=version, reason=form.reason.data)
    return redirect(url_for("profiles.show_version", version=version), 303)


def _version_page(version: str, message: str = "") -> str:
    shown = ask(ShowProfileVersion, version=version)
    facts, replaced = dict(shown["facts"]), dict(shown["replaced"])
    case, waits = shown["case"], shown["state"] == ProposalState.PROPOSED.value
    return render_template(
        "console/profile_version.html",
        shown=shown,
        case=case,
        facts=facts,
        replaced=replaced,
        changed=[name for name, text in facts.items() if replaced[name] != text],
        mine=case["maker_person"] == officer().person,
        may_approve=waits and shown["may_approve"] and officer().may("profiles.approve"),
        may_reject=waits and officer().may("profiles.reject"),
        is_late=waits and instant(case["effective_from"]) <= now(),
        open_applications=_open_applications(case["profile"]) if waits else 0,
        reason_form=ReasonForm(),
        message=message,
    )


def _open_applications(profile: str) -> int:
    """How many would have to be entered again."""
    states = [state.value for state in _OPEN]
    found = select(ApplicationRow.id).where(ApplicationRow.profile == profile, ApplicationRow.state.in_(states))
    return db.session.scalar(select(func.count()).select_from(found.limit(_MOST).subquery())) or 0
