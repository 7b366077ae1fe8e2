"""The one table from what went wrong to what the caller sees: status, and plain text, JSON or a page by the door.

EST clients get text/plain (RFC 7030 section 4.2.3), the confirmation endpoints JSON, the portal a page. Every 401 is
the same to the byte, whether the reference number is unknown, the code wrong, locked or expired (T-08).
"""

import logging
import secrets

from flask import Flask, Response, jsonify, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from ca.domain import errors

_LOG = logging.getLogger(__name__)

STATUS: dict[type[errors.PKIError], int] = {
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.NotAuthenticated: 401,
    errors.InvalidRequest: 400,
    errors.InvalidTransition: 409,
    errors.SigningRefused: 403,
    errors.KeyStoreUnavailable: 503,
    errors.NotReady: 503,
}
"""By class; a subclass counts as its nearest base, anything else is our own fault (500)."""

_HTTP_CODES = {
    400: "invalid-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
}
CHALLENGE = 'Basic realm="Vermilion enrolment", charset="UTF-8"'
_RETRY_SECONDS = "10"
_WRONG_CODES = (
    "The reference number or the authorization code is not right, or they can no longer be used. "
    "Check both against the letter of your branch; the branch can give you new ones."
)
_AWAY = "The bank cannot sign certificates at this moment. Nothing is lost: try again in a minute."
_OWN_WORDS = {
    404: "There is nothing at this address.",
    405: "This address does not take requests of this kind.",
    413: "What you sent is larger than any request here needs.",
}


def install(app: Flask) -> None:
    """Every error of the app goes through here."""
    app.register_error_handler(errors.PKIError, _pki_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _our_fault)


def _pki_error(error: errors.PKIError) -> Response:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    if status == 500:
        return _our_fault(error)
    if status == 401 and request.blueprint in {"account", "company"}:
        return _to_the_door()
    if status == 401:
        return _render(401, errors.NotAuthenticated.code, _WRONG_CODES, {"WWW-Authenticate": CHALLENGE})
    if status == 503:
        _LOG.warning("not available: %s", error)
        return _render(503, error.code, _AWAY, {"Retry-After": _RETRY_SECONDS})
    return _render(status, error.code, str(error), {})


def _to_the_door() -> Response:
    """Nobody is signed in, or not any more."""
    response = Response(status=303)
    response.headers["Location"] = url_for("account.sign_in", over="1")
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status == 503:
        _LOG.error("not available: %s", error.description)
        return _render(503, errors.NotReady.code, str(error.description), {"Retry-After": "60"})
    if status >= 500:
        return _our_fault(error)
    # Said by our own code, or by the framework in its words.
    message = error.description
    if message == type(error).description:
        message = _OWN_WORDS.get(status, message)
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return _render(status, _HTTP_CODES.get(status, "invalid-request"), message or error.name, headers)


def _our_fault(error: Exception) -> Response:
    number = secrets.token_hex(4)
    _LOG.error("failure %s on %s", number, request.endpoint, exc_info=error)
    message = f"Something failed on our side. Try again; if it stays, tell the hotline the number {number}."
    return _render(500, errors.PKIError.code, message, {})


def _render(status: int, code: str, message: str, headers: dict[str, str]) -> Response:
    if request.path.startswith("/.well-known/"):
        response = Response(message + "\n", mimetype="text/plain")
    elif request.path.startswith(("/enrolment/", "/bridge/")):
        response = jsonify({"error": code, "message": message})
    else:
        response = Response(render_template("customer/error.html", message=message), mimetype="text/html")
    response.status_code = status
    response.headers.update(headers)
    return response
