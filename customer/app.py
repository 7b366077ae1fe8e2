"""The customer's process: enrolment endpoint and portal, behind the edge on a Unix socket. It holds no key and no
database: everything it wants done it asks of the signer."""

from pathlib import Path

from flask import Flask, Response

from ca.throttle import Throttle
from customer import account, bridge, company, confirmation, errors, est, language, portal, tool
from customer.services import Services, Signer, ToolPlace

_LARGEST_BODY = 32 * 1024
"""A request with a 4096-bit key has 2 KiB; the rest is room for clients that wrap and pad."""

# Referrer-Policy is not no-referrer: browsers would then say `Origin: null` with our own forms (Fetch, section 3.2).
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(
    *,
    signer: Signer,
    organization: str,
    chain_pem_path: Path,
    enrolment_url: str,
    public_url: str,
    tool_place: ToolPlace,
    hotline: str,
    throttle: Throttle | None = None,
) -> Flask:
    """`enrolment_url`: what customers type (https); `public_url`: base of OCSP, CRL and CA certificates (http)."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # Clients may carry their credentials along a redirect (STANDARDS E11), so there is none, not even for slashes.
    app.url_map.merge_slashes = False
    Services(
        signer=signer,
        throttle=Throttle() if throttle is None else throttle,
        accounts=Throttle(burst=8, per_second=1 / 60, everyone_burst=100_000, everyone_per_second=1000),
        organization=organization,
        enrolment_url=enrolment_url.rstrip("/"),
        public_url=public_url.rstrip("/"),
        chain_pem_path=chain_pem_path,
        tool=tool_place,
        hotline=hotline,
    ).install(app.extensions)
    app.register_blueprint(est.views)
    app.register_blueprint(confirmation.views)
    app.register_blueprint(portal.views)
    app.register_blueprint(bridge.views)
    app.register_blueprint(tool.views)
    app.register_blueprint(account.views)
    app.register_blueprint(company.views)
    app.register_blueprint(company.bridge)
    language.install(app)
    errors.install(app)
    app.after_request(_add_security_headers)
    return app


def _add_security_headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    # Strict-Transport-Security is not for here: it binds every port of the host, and status is http by design.
    response.headers.setdefault("Cache-Control", "no-store")
    return response
