"""What every answer of the console carries and every request must have (THREATS 38, 39, 50; T-17, T-21).

No inline script or style exists, so the policy needs neither nonces nor unsafe-inline. Pages are never stored.
"""

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from flask_wtf.csrf import CSRFProtect

SESSION_COOKIE = "vermilion_officer"
COOKIE_PATH = "/admin"
BODY_LIMIT = 64 * 1024
UPLOAD_LIMIT = 1024 * 1024
"""What the edge lets through (edge/proxy.py), for the one endpoint that takes a file."""
UPLOADS = frozenset({"software.compare"})

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), "
    "geolocation=(), microphone=(), payment=(), usb=()",
}
_YEAR_SECONDS = 365 * 24 * 3600


def secure(app: Flask, secret_key: bytes, origins: tuple[str, ...], *, shares_host: bool) -> None:
    """Cookies, limits, CSRF and headers for the whole app. `shares_host`: another port of it speaks plain http."""
    app.secret_key = secret_key
    app.config.update(
        SESSION_COOKIE_NAME="vermilion_console",
        SESSION_COOKIE_PATH=COOKIE_PATH,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        MAX_FORM_MEMORY_SIZE=BODY_LIMIT,
        MAX_FORM_PARTS=100,
        # The names officers type, and the one by which the supervisor asks whether we are well. A foreign page
        # that makes its own name point here is refused (DNS rebinding).
        TRUSTED_HOSTS=["localhost", *(urlsplit(origin).hostname or "" for origin in origins)],
        # Our pages send no referrer; `_refuse_foreign_posts` looks at what browsers say of the origin instead.
        WTF_CSRF_SSL_STRICT=False,
        # A token is good for its session and no other; a form may stay open for as long as that lasts.
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.before_request(_admit_uploads)
    app.before_request(_refuse_null)
    app.before_request(_refuse_foreign_posts)
    CSRFProtect(app)
    app.after_request(_add_headers)
    if not shares_host:
        app.after_request(_promise_https)

    def _refuse_foreign_origin() -> None:
        origin = request.headers.get("Origin", "null")
        if request.method != "GET" and origin != "null" and origin not in origins:
            abort(400, "This form was sent from another site.")

    app.before_request(_refuse_foreign_origin)


def _admit_uploads() -> None:
    if request.endpoint in UPLOADS:
        request.max_content_length = UPLOAD_LIMIT


def _refuse_null() -> None:
    # No name here holds one, and PostgreSQL would fail on it instead of finding nothing.
    if "\x00" in request.path or any("\x00" in one for one in request.args.getlist("id")):
        abort(404)


def _refuse_foreign_posts() -> None:
    # Fetch metadata: browsers say where a request comes from, and pages cannot forge it.
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method not in {"GET", "HEAD", "OPTIONS"} and site not in {"same-origin", "none"}:
        abort(400, "This form was sent from another site.")


def _add_headers(response: Response) -> Response:
    for name, text in _HEADERS.items():
        response.headers[name] = text
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _promise_https(response: Response) -> Response:
    # It binds every port of the host, whatever else is served there.
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"
    return response
