"""Every error of the console becomes a page with one sentence, here and nowhere else.

What we raise on purpose is written for the officer; anything else becomes a reference number, and the log has the rest.
"""

import logging
import secrets
from http import HTTPStatus

from flask import Flask, Response, jsonify, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from admin.language import named, told
from ca.domain import errors
from ca.languages import CHINESE

_log = logging.getLogger("vermilion.console")

STATUS: dict[type[errors.PKIError], int] = {
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.NotAuthenticated: 401,
    errors.InvalidRequest: 422,
    errors.InvalidTransition: 409,
    errors.SigningRefused: 409,
    errors.KeyStoreUnavailable: 503,
    errors.NotReady: 503,
    errors.Tampered: 500,
    errors.LintFailed: 500,
}

TITLES: dict[int, str] = {
    400: "This request was refused",
    401: "We do not know who is asking",
    403: "This is not open to you",
    404: "There is nothing here",
    405: "This cannot be done this way",
    409: "This cannot be done now",
    413: "This is too large",
    422: "Something needs correcting",
    429: "Too many attempts",
    500: "Something failed on our side",
    503: "Not available right now",
}


def status_of(error: errors.PKIError) -> int:
    """The HTTP status of an error we raised on purpose."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def sentence(error: errors.PKIError) -> str:
    """The message as a sentence of its own: the core's messages begin in lower case and end without a full stop."""
    text = told(str(error).strip()) or _("no reason was given")
    stop = "。" if str(get_locale()) == CHINESE and not text.isascii() else "."
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?。！？" else stop)


def translate_errors(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(errors.PKIError, _on_purpose)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unexpected)


def _page(status: int, text: str, code: str = "", reference: str = "") -> tuple[str | Response, int]:
    if request.accept_mimetypes.best == "application/json":
        return jsonify(error=code, message=text, reference=reference), status
    title = TITLES.get(status, TITLES[500] if status >= 500 else TITLES[400])
    return (
        render_template(
            "console/error.html", title=named(title), text=text, code=code, reference=reference, status=status
        ),
        status,
    )


def _on_purpose(error: errors.PKIError) -> tuple[str | Response, int]:
    if type(error) is errors.PKIError:
        return _unexpected(error)
    if isinstance(error, errors.Tampered | errors.LintFailed):
        _log.error("refused at %s: %s", request.endpoint, error, exc_info=error)
    return _page(status_of(error), sentence(error), error.code)


def _of_http(error: HTTPException) -> tuple[str | Response, int]:
    if isinstance(error, SecurityError):
        # No page: under a host name that is not ours there are no links to build.
        return Response("This host name is not one of the console's.\n", mimetype="text/plain"), 400
    if isinstance(error, CSRFError):
        text = _(
            "This form is from another session, or your browser keeps no cookies. Nothing was changed: reload the page."
        )
        return _page(400, text, "http-400")
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    texts = {
        404: _("This page does not exist, or it is not for your branch."),
        405: _("Open it from the page that offers it."),
        413: _("What you sent is larger than any form here needs."),
    }
    return _page(status, texts.get(status) or told(error.description or ""), f"http-{status}")


def _unexpected(error: Exception) -> tuple[str | Response, int]:
    reference = secrets.token_hex(4)
    _log.error("unexpected error %s at %s", reference, request.endpoint, exc_info=error)
    text = _("Nothing was changed unless a page told you so. Tell the hotline the reference below.")
    return _page(500, text, "internal", reference)
