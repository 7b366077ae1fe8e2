"""From the buttons of our pages to the customer's U-Shield tool: a job is signed, the page hands it to the extension.

The page never sees a code or a password, and what it gets here is of no use to other pages (docs/protocols/bridge.md).
"""

from flask import Blueprint, Response, jsonify, request, url_for

from ca.domain.errors import NotAllowed, NotAuthenticated
from ca.languages import language
from ca.portal_operations import CancelByKey, OrderToolJob, PortalSignInByKey
from customer.account import keep_session
from customer.parsing import parse_body
from customer.services import services, source

views = Blueprint("bridge", __name__, url_prefix="/bridge")


@views.post("/jobs")
def order() -> Response:
    """-> {job}. Only for pages of our own: the browser says where a request comes from (Fetch Metadata)."""
    require_own_page()
    with services().throttle.attempt(source()):
        return jsonify(services().signer.call(parse_body(OrderToolJob, language=language())))


@views.post("/sign-in")
def sign_in() -> Response:
    """-> {next}: a session in the cookie, by a statement signed on the U-Shield."""
    require_own_page()
    stated = parse_body(PortalSignInByKey, source=source())
    try:
        with services().throttle.attempt(source()):
            answer = services().signer.call(stated)
    except NotAuthenticated as error:
        raise NotAllowed(str(error)) from error
    response = jsonify({"next": url_for("account.home")})
    keep_session(response, answer["token"])
    return response


@views.post("/cancel")
def cancel() -> Response:
    """-> {serial, status}: revoked at once, by a statement signed on the U-Shield. Nobody need be signed in."""
    require_own_page()
    try:
        with services().throttle.attempt(source()):
            return jsonify(services().signer.call(parse_body(CancelByKey)))
    except NotAuthenticated as error:
        raise NotAllowed(str(error)) from error


def require_own_page() -> None:
    """Raise NotAllowed when another site sent this."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise NotAllowed("another page asked for this; nothing was done")
