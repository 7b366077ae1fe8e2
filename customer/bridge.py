"""From the buttons of our pages to the customer's U-Shield tool: a job is signed, the page hands it to the extension.

The page never sees a code or a password, and what it gets here is of no use to other pages (docs/protocols/bridge.md).
"""

from flask import Blueprint, Response, jsonify, request

from ca.domain.errors import NotAllowed
from ca.operations import OrderToolJob
from customer.parsing import parse_body
from customer.services import services, source

views = Blueprint("bridge", __name__, url_prefix="/bridge")


@views.post("/jobs")
def order() -> Response:
    """-> {job}. Only for pages of our own: the browser says where a request comes from (Fetch Metadata)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise NotAllowed("another page asked for this; nothing was ordered")
    with services().throttle.attempt(source()):
        return jsonify(services().signer.call(parse_body(OrderToolJob)))
