"""The signer's HTTP face on its Unix socket: one route an operation, one table from error to status.

It knows no HTTP caller to trust: officers prove themselves with the session token the signer gave, customers with
codes and keys. Refusals are recorded; a defect is logged with a number and answered without detail.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, jsonify, request
from pydantic import ValidationError

from ca.domain import errors
from ca.operations import Operation, all_operations

log = logging.getLogger("vermilion.signer")

_STATUS: dict[type[errors.PKIError], int] = {
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.NotAuthenticated: 401,
    errors.InvalidRequest: 422,
    errors.InvalidTransition: 409,
    errors.KeyStoreUnavailable: 503,
    errors.NotReady: 503,
    errors.SigningRefused: 403,
    errors.Tampered: 409,
    errors.LintFailed: 500,
}
_BODY_LIMIT = 256 * 1024

Handler = Callable[[Any], dict[str, Any]]
Refused = Callable[[Operation, errors.PKIError], None]
Malformed = Callable[[type[Operation], errors.PKIError], None]
_LONGEST_FIELD = 40


def status_of(error: errors.PKIError) -> int:
    """The HTTP status of an error, by its nearest class in the table."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def create_app(handlers: Mapping[type[Operation], Handler], refused: Refused, malformed: Malformed) -> Flask:
    """A Flask app with one POST route an operation. Raises LookupError when an operation has no handler."""
    app = Flask("signer", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _BODY_LIMIT
    operations = all_operations()
    missing = [kind.__name__ for kind in operations.values() if kind not in handlers]
    if missing:
        raise LookupError(f"operations without a handler: {', '.join(missing)}")

    def perform(kind: type[Operation]) -> Callable[[], Response]:
        def view() -> Response:
            try:
                operation = kind.model_validate(request.get_json(force=True))
            except ValidationError as error:
                refusal = refusal_of(error)
                malformed(kind, refusal)
                raise refusal from error
            except RecursionError as error:
                refusal = errors.InvalidRequest("the message is nested too deeply")
                malformed(kind, refusal)
                raise refusal from error
            try:
                return jsonify(handlers[kind](operation))
            except errors.PKIError as error:
                refused(operation, error)
                raise

        return view

    for path, kind in operations.items():
        app.add_url_rule(f"/v1/{path}", path, perform(kind), methods=["POST"])

    @app.errorhandler(errors.PKIError)
    def refuse(error: errors.PKIError) -> tuple[Response, int]:
        return jsonify(error=error.code, message=str(error)), status_of(error)

    @app.errorhandler(500)
    def fail(error: Exception) -> tuple[Response, int]:
        number = secrets.token_hex(4)
        log.error("failure %s", number, exc_info=getattr(error, "original_exception", error))
        return jsonify(error="internal", message=f"something failed in the signer; the log has it as {number}"), 500

    return app


def refusal_of(error: ValidationError) -> errors.InvalidRequest:
    """What is said to a message that is none of our operations."""
    first = error.errors()[0]
    # The name of a field we do not know is the caller's text: only what looks like a name is repeated and recorded.
    parts = [str(part) for part in first["loc"]]
    fit = [part if part.isidentifier() or part.isdigit() else "?" for part in (one[:_LONGEST_FIELD] for one in parts)]
    return errors.InvalidRequest(f"{'.'.join(fit)}: {first['msg']}")
