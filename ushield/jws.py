"""Statements of the bank: JWS in compact form (RFC 7515), ES256 and nothing else (RFC 8725 section 3.1)."""

import json
from base64 import urlsafe_b64decode
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_HALF = 32
"""Octets of r and of s on P-256 (RFC 7518 section 3.4)."""
_LONGEST = 64 * 1024
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def signed_claims(kind: str, text: str, key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """The claims. Raises ValueError for anything but a statement of this kind, signed by this key."""
    try:
        if len(text) > _LONGEST or not text.isascii():
            raise ValueError("no statement is so long")
        header, payload, signature = text.split(".")
        named, raw = json.loads(decoded(header)), decoded(signature)
        if named.get("alg") != "ES256" or named.get("typ") != kind or "crit" in named or len(raw) != 2 * _HALF:
            raise ValueError("another kind of statement")
        der = encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))
        key.verify(der, f"{header}.{payload}".encode("ascii"), ec.ECDSA(SHA256()))
        claims = json.loads(decoded(payload))
    except (InvalidSignature, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("no statement of the bank") from error
    if not isinstance(claims, dict):
        raise ValueError("no claims")  # noqa: TRY004 - whoever asks treats all of these alike
    return claims


def decoded(part: str) -> bytes:
    """base64url without padding. Raises ValueError; urlsafe_b64decode would skip what does not belong there."""
    if not part or not set(part) <= _ALPHABET:
        raise ValueError("not base64url")
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
