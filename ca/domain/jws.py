"""Statements of the bank to its customers' tool: JWS in compact form (RFC 7515 section 7.1), ES256 (RFC 7518).

The algorithm is ours to know and never read from a header (RFC 8725 section 3.1); `kind` keeps one kind of statement
from passing for another.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ca.domain.errors import InvalidRequest
from ca.domain.keys import PublicKey

_HALF = 32
"""Octets of r and of s on P-256."""
_LONGEST = 64 * 1024


def signing_input(kind: str, claims: dict[str, Any], key_spki: bytes) -> bytes:
    """What ES256 signs: header and claims."""
    header = {"alg": "ES256", "typ": kind, "kid": hashlib.sha256(key_spki).hexdigest()[:16]}
    return ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)).encode()


def compact(signed: bytes, signature_der: bytes) -> str:
    """The JWS, from what was signed and the signature as X.509 has it."""
    r, s = decode_dss_signature(signature_der)
    return f"{signed.decode('ascii')}.{encoded(r.to_bytes(_HALF, 'big') + s.to_bytes(_HALF, 'big'))}"


def verified(kind: str, text: str, key_spki: bytes) -> dict[str, Any]:
    """The claims. Raises InvalidRequest unless this key signed them as a statement of this kind."""
    try:
        if len(text) > _LONGEST:
            raise ValueError("too long")
        header, payload, signature = text.split(".")
        named, raw = json.loads(_decoded(header)), _decoded(signature)
        if named.get("alg") != "ES256" or named.get("typ") != kind or "crit" in named or len(raw) != 2 * _HALF:
            raise ValueError("another kind of statement")
        der = encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))
        PublicKey.from_spki(key_spki).verify(der, f"{header}.{payload}".encode("ascii"))
        claims = json.loads(_decoded(payload))
        if not isinstance(claims, dict):
            raise TypeError("no claims")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRequest(f"this is no {kind} statement of ours") from error
    return claims


def encoded(raw: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decoded(part: str) -> bytes:
    decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    # Python skips what is not of the alphabet.
    if encoded(decoded) != part:
        raise ValueError("not base64url")
    return decoded
