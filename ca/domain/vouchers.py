"""What the edge vouches for: whoever sent this request held the key of this certificate (docs/adr/0041).

The console passes certificate and voucher on and can make neither a voucher of its own nor one into another: it is a
signature of the edge's over the request's target, which holds a challenge of the signer's, and over the certificate.
"""

import base64
import hashlib

from ca.domain.errors import InvalidRequest

DOOR = "/admin/sign-in/certificate"
"""The one path of the console at which the edge tells of a client certificate."""
CHALLENGE = "challenge"
"""The name in the query."""
_CONTEXT = b"vermilion officers' door v1\x00"


def challenge_text(challenge: bytes) -> str:
    """A challenge as it stands in the target (RFC 4648 section 5, without padding)."""
    return base64.urlsafe_b64encode(challenge).decode("ascii").rstrip("=")


def challenge_of(text: str) -> bytes:
    """And back. Raises InvalidRequest."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise InvalidRequest("the page's address did not arrive whole; begin again") from error


def door_target(challenge: bytes) -> str:
    """The target of the request that signs in by a certificate: path and query, exactly."""
    return f"{DOOR}?{CHALLENGE}={challenge_text(challenge)}"


def vouched(target: str, certificate_der: bytes) -> bytes:
    """What the edge signs when a request with the method POST and this target comes from the certificate's holder."""
    return _CONTEXT + b"".join(hashlib.sha256(part).digest() for part in (target.encode(), certificate_der))
