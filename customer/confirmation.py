"""Confirmation: the new key signs a nonce of ours, and only then is the certificate active (DESIGN, invariant 5).

JSON in, JSON out; the messages are those of `ca/operations.py`, so a field that they do not know is refused.
"""

from flask import Blueprint, Response, jsonify

from ca.domain.errors import NotAllowed, NotAuthenticated
from ca.operations import Confirm, ConfirmationChallenge, EnrolmentHints, Operation
from ca.portal_operations import RenewByKey
from ca.unlock_operations import AnswerUnlock, CompleteUnlock
from customer.credentials import require_codes
from customer.parsing import parse_body
from customer.services import services, source

views = Blueprint("confirmation", __name__, url_prefix="/enrolment")


@views.post("/challenge")
def challenge() -> Response:
    """A nonce for the new key to sign."""
    return _answer(parse_body(ConfirmationChallenge))


@views.post("/confirm")
def confirm() -> Response:
    """The signature over the nonce and the certificate."""
    return _answer(parse_body(Confirm))


@views.post("/renew")
def renew() -> Response:
    """A new certificate for a new key, by a signature of the old one."""
    return _answer(parse_body(RenewByKey))


@views.post("/unlock")
def unlock() -> Response:
    """What the tool unlocks a U-Shield with, for the code of two officers (docs/protocols/unlock.md)."""
    return _answer(parse_body(AnswerUnlock))


@views.post("/unlocked")
def unlocked() -> Response:
    """The signature that proves it."""
    return _answer(parse_body(CompleteUnlock))


@views.get("/profile-hints")
def profile_hints() -> Response:
    """What the codes stand for, so that the tool makes the right kind of key; a wrong code counts as an attempt."""
    codes = require_codes()
    with services().throttle.attempt(source()):
        answer = services().signer.call(EnrolmentHints(reference=codes.reference, code=codes.code))
    return jsonify(answer)


def _answer(operation: Operation) -> Response:
    """Refusals cost the caller's source as wrong codes do, yet none is a 401: there are no codes to ask for."""
    try:
        with services().throttle.attempt(source()):
            return jsonify(services().signer.call(operation))
    except NotAuthenticated as error:
        raise NotAllowed(str(error)) from error
