"""Confirmation: the new key signs a nonce of ours, and only then is the certificate active (DESIGN, invariant 5).

JSON in, JSON out; the messages are those of `ca/operations.py`, so a field that they do not know is refused.
"""

import json
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from ca.domain.errors import InvalidRequest, NotAllowed, NotAuthenticated
from ca.operations import Confirm, ConfirmationChallenge, EnrolmentHints, Operation
from customer.credentials import require_codes
from customer.services import services, source

views = Blueprint("confirmation", __name__, url_prefix="/enrolment")
Message = TypeVar("Message", bound=Operation)


@views.post("/challenge")
def challenge() -> Response:
    """A nonce for the new key to sign."""
    return _answer(_parse(ConfirmationChallenge))


@views.post("/confirm")
def confirm() -> Response:
    """The signature over the nonce and the certificate."""
    return _answer(_parse(Confirm))


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


def _parse(kind: type[Message]) -> Message:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON with the content type application/json.")
    try:
        return kind.model_validate(json.loads(request.get_data(), object_pairs_hook=_unique))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidRequest(f"{where}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("the body is not a JSON object with each name once") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of one text must not see two things, so a repeated name is refused."""
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name is repeated")
    return names
