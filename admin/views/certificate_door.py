"""The second door: signing in with a TLS client certificate, when the bank has opened it (docs/adr/0041).

The edge tells of the certificate at this path only; it vouches for the request that signs in, over a challenge of the
signer's in that request's target. Nothing is decided here.
"""

from cryptography import x509
from flask import Blueprint, abort, current_app, make_response, redirect, render_template, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.edge import CERTIFICATE, VOUCHER
from admin.errors import sentence, status_of
from admin.gate import forget, remember, safe_next
from admin.signer import parse_base64, tell, try_to
from ca.domain.errors import InvalidRequest, NotAllowed, NotAuthenticated, PKIError
from ca.domain.serials import serial_text
from ca.domain.vouchers import CHALLENGE, DOOR, challenge_of, door_target
from ca.door_operations import CertificateChallenge, SignInByCertificate

views = Blueprint("certificate_door", __name__)


@views.before_request
def _only_when_open() -> None:
    if not current_app.extensions["vermilion_certificates"]:
        abort(404)


@views.get(DOOR)
def page() -> str:
    """The certificate that the browser showed, and the button that signs in with it; or how to show one."""
    return _door("", request.args.get("next", ""))


@views.post(DOOR)
def enter() -> Response:
    """Certificate and voucher as the edge gave them, to the signer; its session token becomes the cookie."""
    target = request.form.get("next", "")
    try:
        answer = try_to(
            SignInByCertificate,
            challenge=challenge_of(request.args.get(CHALLENGE, "")),
            certificate=_given(CERTIFICATE),
            voucher=_given(VOUCHER),
            source=request.remote_addr or "",
        )
    except (NotAuthenticated, NotAllowed, InvalidRequest) as error:
        return _refused(error, target)
    # A new CSRF secret with a new person: what was known before signing in is worth nothing (THREATS T-18).
    session.clear()
    entered = redirect(safe_next(target), 303)
    remember(entered, answer["token"])
    return entered


def _refused(error: PKIError, target: str) -> Response:
    response = make_response(_door(sentence(error), target), status_of(error))
    forget(response)
    return response


def _door(message: str, target: str) -> str:
    shown = _shown()
    action = ""
    if shown is not None:
        challenge = parse_base64(tell(CertificateChallenge)["challenge"])
        action = door_target(challenge)
    return render_template("console/certificate_door.html", message=message, next=target, shown=shown, action=action)


def _given(what: str) -> bytes:
    text: str = request.environ.get(what, "")
    if not text:
        raise NotAuthenticated(_("Your browser showed no certificate. Plug in your U-Shield and begin again."))
    return parse_base64(text)


def _shown() -> tuple[str, str] | None:
    """Subject and serial number of the certificate that the connection showed."""
    try:
        certificate = x509.load_der_x509_certificate(parse_base64(request.environ.get(CERTIFICATE, "")))
        return certificate.subject.rfc4514_string(), serial_text(certificate.serial_number)
    except (ValueError, InvalidRequest):
        return None
