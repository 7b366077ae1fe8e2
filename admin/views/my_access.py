"""My access: an officer's own passkeys, recovery codes and sessions. Changes to passkeys and codes need a step-up.

A step-up exchanges the session's token, so the cookie is exchanged with it (T-18).
"""

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from admin.errors import sentence, status_of
from admin.forms import PasskeyForm
from admin.gate import forget, remember
from admin.signer import ask, officer, parse_assertion, parse_base64
from ca.adapters.db.officer_rows import CertificateBindingRow
from ca.adapters.db.rows import db
from ca.domain.bindings import BindingState
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAuthenticated, PKIError
from ca.domain.times import instant
from ca.door_operations import EndBinding
from ca.officer_operations import (
    AddPasskey,
    EndOwnOtherSessions,
    EndOwnSession,
    MakeRecoveryCodes,
    NewPasskey,
    RemovePasskey,
    ShowAccess,
    StepUp,
    StepUpChallenge,
)

views = Blueprint("my_access", __name__, url_prefix="/admin/my-access")


@views.get("")
def index() -> str:
    """All the ways in that the officer has."""
    return _page()


@views.post("/step-up/challenge")
def step_up_challenge() -> Response:
    """What the passkey is to sign."""
    return jsonify(challenge=ask(StepUpChallenge)["challenge"])


@views.post("/step-up")
def step_up() -> BaseResponse | tuple[str, int]:
    """The passkey's answer; the session's new token becomes the cookie."""
    try:
        answer = ask(
            StepUp,
            challenge=parse_base64(request.form.get("challenge", "")),
            assertion=parse_assertion(request.form.get("assertion", "")),
            source=request.remote_addr or "",
        )
    except (InvalidRequest, NotAuthenticated) as error:
        return _refused(error)
    response = _back()
    remember(response, answer["token"])
    return response


@views.post("/passkeys/challenge")
def new_passkey() -> Response:
    """What a browser needs to make one more passkey."""
    return jsonify(ask(NewPasskey))


@views.post("/passkeys")
def add_passkey() -> BaseResponse | tuple[str, int]:
    """The new passkey goes to the signer."""
    form = PasskeyForm()
    if not form.validate_on_submit():
        return _refused(InvalidRequest(_("give the passkey a name by which you know it")))
    try:
        ask(
            AddPasskey,
            challenge=parse_base64(request.form.get("challenge", "")),
            registration=request.form.get("registration", ""),
            label=form.label.data,
        )
    except (InvalidRequest, InvalidTransition, NotAuthenticated) as error:
        return _refused(error)
    return _back()


@views.post("/passkeys/remove")
def remove_passkey() -> BaseResponse | tuple[str, int]:
    """One passkey less, never the last."""
    try:
        ask(RemovePasskey, passkey=parse_base64(request.form.get("passkey", "")))
    except (InvalidRequest, InvalidTransition) as error:
        return _refused(error)
    return _back()


@views.post("/recovery-codes")
def make_recovery_codes() -> str:
    """The ten codes are on this answer only."""
    return render_template("console/recovery_codes.html", codes=ask(MakeRecoveryCodes)["codes"])


@views.post("/sessions/end")
def end_session() -> BaseResponse:
    """One of one's own; with this one the officer is out."""
    wanted = request.form.get("session", "")
    this = next((one for one in ask(ShowAccess)["sessions"] if one["this"]), None)
    ask(EndOwnSession, live=wanted)
    if this is None or this["id"] != wanted:
        return _back()
    response = redirect(url_for("sign_in.page"), 303)
    forget(response)
    return response


@views.post("/sessions/end-others")
def end_others() -> BaseResponse:
    """All but this one."""
    ask(EndOwnOtherSessions)
    return _back()


@views.post("/certificates/end")
def unbind() -> BaseResponse | tuple[str, int]:
    """One of one's own certificates signs in no more; a session begun with it is over."""
    try:
        ask(EndBinding, binding=request.form.get("binding", ""), reason="ended by the officer")
    except InvalidTransition as error:
        return _refused(error)
    return _back()


def _bound(officer_id: str) -> list[CertificateBindingRow]:
    query = select(CertificateBindingRow).where(
        CertificateBindingRow.officer == officer_id, CertificateBindingRow.state == BindingState.BOUND.value
    )
    return list(db.session.scalars(query.order_by(CertificateBindingRow.proposed_at)))


def _back() -> BaseResponse:
    return redirect(url_for("my_access.index"), 303)


def _refused(error: PKIError) -> tuple[str, int]:
    return _page(sentence(error)), status_of(error)


def _page(message: str = "") -> str:
    access = ask(ShowAccess)
    until = access["stepped_up_until"]
    return render_template(
        "console/my_access.html",
        access=access,
        bound=_bound(officer().id),
        stepped_up_until=instant(until) if until else None,
        form=PasskeyForm(formdata=None),
        message=message,
    )
