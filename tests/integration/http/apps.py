"""What the servers of these tests run: the real fronts, with a fake signer and an echo in place of the console."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from customer.app import create_app
from customer.services import ToolPlace
from edge.proxy import Edge
from tests.fakes.signer import FakeSigner
from tests.fakes.software_ca import SoftwareCA

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REFERENCES = [f"{1000000000 + number}" for number in range(50)]
CODE = "ABCD-EFGH-JKMC"
ECHOED = (
    "REQUEST_METHOD",
    "RAW_URI",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "SCRIPT_NAME",
    "wsgi.url_scheme",
)


def edge(directory: str) -> "WSGIApplication":
    return Edge(customer_socket=Path(directory) / "customer.sock", console_socket=Path(directory) / "console.sock")


def customer(directory: str) -> Flask:
    # The fake signs with a hierarchy of its own: what matters here is the way there and back.
    signer = FakeSigner(SoftwareCA("Signer"))
    for reference in REFERENCES:
        signer.knows(reference, CODE)
    return create_app(
        signer=signer,
        organization="Test Bank",
        chain_pem_path=Path(directory) / "chain.pem",
        tool_place=ToolPlace(Path(directory) / "tool", Path(directory) / "tool-release.spki"),
        hotline="95588",
        enrolment_url="https://localhost:8443",
        public_url="http://localhost:8080",
    )


def echo(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Tells what arrived; some paths answer in a special way."""
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read()
    if path == "/admin/redirect":
        start_response("302 Found", [("Location", "/admin/?next=%2Fx"), ("Content-Length", "0")])
        return []
    if path == "/admin/cookies":
        cookies = [("Set-Cookie", "a=1; Path=/admin"), ("Set-Cookie", "b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT")]
        start_response("204 No Content", cookies)
        return []
    if path == "/admin/pieces":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (b"%d\n" % number for number in range(1000))
    if path == "/admin/slow":
        time.sleep(1)
    seen = {key: value for key, value in environ.items() if key.startswith("HTTP_") or key in ECHOED}
    answer = json.dumps(seen | {"body": len(body)}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]
