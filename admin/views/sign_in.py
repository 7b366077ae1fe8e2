"""Signing in with a passkey, and out (WebAuthn level 2, section 7.2: checked by the signer, not here)."""

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from admin.errors import sentence, status_of
from admin.gate import forget, remember, safe_next
from admin.signer import ask, parse_assertion, parse_base64, tell, try_to
from ca.domain.errors import InvalidRequest, NotAuthenticated
from ca.operations import SignIn, SignInChallenge, SignOut

views = Blueprint("sign_in", __name__, url_prefix="/admin")


@views.get("/health")
def health() -> Response:
    """Whether this process answers; says nothing of others."""
    return jsonify(status="ok")


@views.get("/sign-in")
def page() -> str:
    """The page with one button."""
    return render_template("console/sign_in.html", message="", next=request.args.get("next", ""))


@views.post("/sign-in/challenge")
def challenge() -> Response:
    """A fresh challenge for the browser's passkey."""
    return jsonify(challenge=tell(SignInChallenge)["challenge"])


@views.post("/sign-in")
def enter() -> BaseResponse:
    """The passkey's answer, given to the signer; its session token becomes the cookie."""
    target = request.form.get("next", "")
    try:
        answer = try_to(
            SignIn,
            challenge=parse_base64(request.form.get("challenge", "")),
            assertion=parse_assertion(request.form.get("assertion", "")),
            source=request.remote_addr or "",
        )
    except (NotAuthenticated, InvalidRequest) as error:
        text = sentence(error)
        response = make_response(render_template("console/sign_in.html", message=text, next=target), status_of(error))
        forget(response)
        return response
    # A new CSRF secret with a new person: what was known before signing in is worth nothing (THREATS T-18).
    session.clear()
    entered = redirect(safe_next(target), 303)
    remember(entered, answer["token"])
    return entered


@views.post("/sign-out")
def leave() -> BaseResponse:
    """End the session at the signer, then here."""
    ask(SignOut)
    session.clear()
    response = redirect(url_for("sign_in.page"), 303)
    forget(response)
    return response
