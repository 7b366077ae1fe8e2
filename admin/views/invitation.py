"""Redeeming an invitation: the link's code sits in the URL's fragment, so that no log or referrer ever holds it."""

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from admin.language import named
from admin.signer import parse_base64, try_to
from ca.domain.codes import parse_authorization_code
from ca.domain.errors import InvalidRequest
from ca.domain.officers import code_halves
from ca.operations import OpenInvitation, RedeemInvitation

views = Blueprint("invitation", __name__, url_prefix="/admin/invitation")


@views.get("/<invitation>")
def page(invitation: str) -> str:
    """The page; the script reads the fragment and opens the invitation with it."""
    return render_template("console/invitation.html", invitation=invitation)


@views.post("/<invitation>/open")
def open_link(invitation: str) -> Response:
    """Who is invited to what, and a challenge for the new passkey."""
    code = request.form.get("code", "")
    half = code_halves(code)[1]
    try:
        if half:
            parse_authorization_code(half)
    except InvalidRequest as error:
        # A slip of the finger is told here: it is no attempt that somebody must look into.
        raise InvalidRequest(_("the other half is mistyped: compare it again, to its last character")) from error
    opened = try_to(OpenInvitation, invitation=invitation, code=code)
    return jsonify(opened | {"roles": [named(role) for role in opened["roles"]]})


@views.post("/<invitation>/redeem")
def redeem(invitation: str) -> BaseResponse:
    """The new passkey goes to the signer; then its owner signs in with it."""
    try_to(
        RedeemInvitation,
        invitation=invitation,
        code=request.form.get("code", ""),
        challenge=parse_base64(request.form.get("challenge", "")),
        registration=request.form.get("registration", ""),
        label=request.form.get("label", "").strip() or "passkey",
    )
    return redirect(url_for("sign_in.page", welcome="1"), 303)
