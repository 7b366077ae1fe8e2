"""What the edge process tells of the browser: believed on the Unix socket only, struck out everywhere else.

Anybody who reaches the console over TCP could otherwise claim https or another address (THREATS 45).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
    "HTTP_X_VERMILION_CLIENT_CERTIFICATE",
    "HTTP_X_VERMILION_VOUCHER",
)
CERTIFICATE, VOUCHER = "vermilion.certificate", "vermilion.voucher"
"""In the environment, base64: the TLS client certificate and the edge's word for it (docs/adr/0041). No header, in any
spelling, gets these names."""


class TrustTheEdge:
    """WSGI middleware. A Unix socket has no peer address: that is how the edge is known."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        forwarded = {name: environ.pop(name) for name in _FORWARDED if name in environ}
        if not environ.get("REMOTE_ADDR"):
            if forwarded.get("HTTP_X_FORWARDED_PROTO") in {"http", "https"}:
                environ["wsgi.url_scheme"] = forwarded["HTTP_X_FORWARDED_PROTO"]
            # The edge appends the address it saw; what stands before it came from outside.
            environ["REMOTE_ADDR"] = forwarded.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
            environ[CERTIFICATE] = forwarded.get("HTTP_X_VERMILION_CLIENT_CERTIFICATE", "")
            environ[VOUCHER] = forwarded.get("HTTP_X_VERMILION_VOUCHER", "")
        return self._application(environ, start_response)
