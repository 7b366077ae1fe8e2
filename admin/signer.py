"""How views ask the signer: a message with the officer's session, every field checked before it leaves."""

import base64
import binascii
from typing import Any, Protocol

from flask import current_app, g, request
from pydantic import ValidationError

from admin.access import SignedIn
from ca.domain.errors import InvalidRequest
from ca.operations import AssertionMessage, NoteLook, OfficerOperation, Operation
from ca.throttle import Throttle


class Signer(Protocol):
    """What the console needs of `ca.signer_client.SignerClient`."""

    def call(self, operation: Operation) -> dict[str, Any]: ...


def officer() -> SignedIn:
    """Who asks; the gate has put it there."""
    found: SignedIn = g.officer
    return found


def tell(kind: type[Operation], /, **fields: Any) -> dict[str, Any]:
    """Ask without a session: signing in and invitations."""
    signer: Signer = current_app.extensions["vermilion_signer"]
    try:
        operation = kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = str(first["loc"][0]).replace("_", " ") if first["loc"] else "the form"
        raise InvalidRequest(f"{where}: {first['msg'].lower()}") from error
    return signer.call(operation)


def try_to(kind: type[Operation], /, **fields: Any) -> dict[str, Any]:
    """The same for what anybody may try: each refusal becomes an event, so refusals are slowed down."""
    throttle: Throttle = current_app.extensions["vermilion_throttle"]
    with throttle.attempt(request.remote_addr or "local"):
        return tell(kind, **fields)


def ask(kind: type[OfficerOperation], /, **fields: Any) -> dict[str, Any]:
    """Ask as the officer who is signed in."""
    return tell(kind, session=officer().token, **fields)


def note_look(customer: str, page: str) -> None:
    """Before a page shows a customer's data. Raises PKIError: what cannot be recorded is not shown."""
    if customer:
        ask(NoteLook, customer=customer, page=page)


def note_export(page: str) -> None:
    """Before a sheet with many customers' data is given out. Raises PKIError, as `note_look`."""
    ask(NoteLook, page=page)


def parse_assertion(text: str) -> AssertionMessage:
    """The passkey's answer as our script wrote it into the form. Raises InvalidRequest."""
    try:
        return AssertionMessage.model_validate_json(text)
    except ValidationError as error:
        raise InvalidRequest("the passkey's answer did not arrive whole; try again") from error


def signed() -> dict[str, Any]:
    """What a form with a passkey's answer carries, and the digest of what was shown. Raises InvalidRequest."""
    return {
        "digest": parse_base64(request.form.get("digest", "")),
        "assertion": parse_assertion(request.form.get("assertion", "")),
    }


def parse_base64(text: str) -> bytes:
    """Bytes that a form carried. Raises InvalidRequest."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("the form did not arrive whole; reload the page and try again") from error
