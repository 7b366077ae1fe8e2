"""The gate: every request is somebody's, and the signer says whose (DESIGN section 2; THREATS 45).

The cookie holds the signer's opaque session token and nothing else. The signer resolves it on each request, so a
suspended officer or a changed role is out at once; the console keeps no session of its own to go stale, which is why
it needs no Flask-Login.
"""

from flask import Flask, Response, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from admin.access import PUBLIC, SignedIn
from admin.errors import sentence
from admin.security import COOKIE_PATH, SESSION_COOKIE
from admin.signer import tell
from ca.domain.errors import NotAllowed, NotAuthenticated
from ca.domain.officers import TrustedRole
from ca.operations import WhoAmI


def guard(app: Flask) -> None:
    """Put the gate in front of every route."""
    app.before_request(_admit)


def _admit() -> BaseResponse | None:
    g.officer = None
    if request.endpoint is None or request.endpoint in PUBLIC:
        return None  # an unknown URL is a 404 for everybody
    token = request.cookies.get(SESSION_COOKIE, "")
    if not token or len(token) > 100:
        return _to_sign_in()
    try:
        answer = tell(WhoAmI, session=token)
    except NotAuthenticated as error:
        return _to_sign_in(sentence(error))
    known = answer["officer"]
    g.officer = SignedIn(
        token=token,
        id=known["id"],
        person=known["person"],
        name=known["name"],
        branch=known["branch"],
        roles=frozenset(TrustedRole(role) for role in known["roles"]),
    )
    if not g.officer.may(request.endpoint):
        raise NotAllowed(_("your roles do not open this room"))
    return None


def _to_sign_in(message: str = "") -> BaseResponse:
    """Reading leads to the sign-in page; a command is refused, because it must not be repeated unseen."""
    response: BaseResponse
    if request.method in {"GET", "HEAD"}:
        response = redirect(url_for("sign_in.page", next=request.full_path.rstrip("?")), 303)
    else:
        text = message or _("Sign in first.")
        response = make_response(render_template("console/sign_in.html", message=text, next=""), 401)
    forget(response)
    return response


def remember(response: BaseResponse, token: str) -> None:
    """Give the browser its session: until it is closed, unreadable to scripts, never from another site."""
    response.set_cookie(SESSION_COOKIE, token, path=COOKIE_PATH, secure=True, httponly=True, samesite="Strict")


def forget(response: BaseResponse | Response) -> None:
    """Take the session cookie back."""
    response.delete_cookie(SESSION_COOKIE, path=COOKIE_PATH, secure=True, httponly=True, samesite="Strict")


def safe_next(target: str) -> str:
    """Where to go after signing in: a page of the console, or home."""
    inside = target.startswith("/admin/") and not any(bad in target for bad in ("//", "\\", "\r", "\n"))
    return target if inside else url_for("admin.index")
