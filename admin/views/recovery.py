"""Getting back in with a recovery code: it registers a new passkey, and then its owner signs in like anybody."""

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from admin.errors import sentence, status_of
from admin.signer import parse_base64, try_to
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAuthenticated
from ca.officer_operations import OpenRecovery, Recover

views = Blueprint("recovery", __name__, url_prefix="/admin/recover")


@views.get("")
def page() -> str:
    """Employee number, code, and a name for the new passkey."""
    return render_template("console/recover.html", message="")


@views.post("/open")
def open_code() -> Response:
    """Whose code it is, and a challenge for the new passkey; refusals are slowed down."""
    return jsonify(try_to(OpenRecovery, person=_typed("person"), code=_typed("code")))


@views.post("")
def recover() -> BaseResponse:
    """The new passkey goes to the signer; the code is used up."""
    try:
        try_to(
            Recover,
            person=_typed("person"),
            code=_typed("code"),
            challenge=parse_base64(request.form.get("challenge", "")),
            registration=request.form.get("registration", ""),
            label=_typed("label"),
        )
    except (InvalidRequest, InvalidTransition, NotAuthenticated) as error:
        return make_response(render_template("console/recover.html", message=sentence(error)), status_of(error))
    return redirect(url_for("sign_in.page", welcome="1"), 303)


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()
