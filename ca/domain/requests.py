"""Certification requests (PKCS #10, RFC 2986): from them we take the public key and its proof of possession only.

What the tool says in one of how the key was made (`ca/domain/key_birth.py`) can refuse it and adds nothing to what is
certified.
"""

import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.key_birth import STATEMENT, KeyBirth
from ca.domain.keys import PublicKey

MAX_REQUEST_BYTES = 16 * 1024
MAX_ATTRIBUTES = 16

_RSA = "1.2.840.113549.1.1."
_ECDSA = "1.2.840.10045.4.3."
_SHA2: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
# Clients may sign with any SHA-2 of the usual sizes; SHA-1 and MD5 are absent here, and so refused.
_SIGNATURES = {
    der.sequence(der.oid(_RSA + "11"), der.null()): ("rsa", _SHA2["256"]),
    der.sequence(der.oid(_RSA + "12"), der.null()): ("rsa", _SHA2["384"]),
    der.sequence(der.oid(_RSA + "13"), der.null()): ("rsa", _SHA2["512"]),
    der.sequence(der.oid(_ECDSA + "2")): ("ec", _SHA2["256"]),
    der.sequence(der.oid(_ECDSA + "3")): ("ec", _SHA2["384"]),
    der.sequence(der.oid(_ECDSA + "4")): ("ec", _SHA2["512"]),
}
_UNKNOWN = ("unknown", _SHA2["256"])


@dataclass(frozen=True, slots=True)
class CertificationRequest:
    """A request that is signed by the key it contains. Its names and extensions are ignored: the profile decides."""

    der: bytes
    public_key: PublicKey
    birth: KeyBirth | None = None
    """How the key was made, as the request says it; None when it says nothing."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the request in hexadecimal: the same request again is the same wish again."""
        return hashlib.sha256(self.der).hexdigest()

    @classmethod
    def parse(cls, request_der: bytes) -> "CertificationRequest":
        """Raises InvalidRequest unless the request is well formed, its key acceptable and its signature by that key."""
        if len(request_der) > MAX_REQUEST_BYTES:
            raise InvalidRequest(f"the request has more than {MAX_REQUEST_BYTES} bytes")
        parts = der.parse_sequence(request_der, "the request")
        if [part.tag for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
            raise InvalidRequest("the request is not a PKCS #10 certification request")
        # A signature is whole octets; were unused bits passed over, another encoding of it would pass too.
        if not parts[2].content.startswith(b"\x00"):
            raise InvalidRequest("the request's signature does not end with a whole octet")
        fields = parts[0].children()
        # The attributes are not optional in RFC 2986, yet some clients leave them out when they have none.
        if [field.tag for field in fields] not in (_FIELDS, _FIELDS[:3]) or fields[0].content != b"\x00":
            raise InvalidRequest("the request is not a PKCS #10 certification request of version 1")
        if len(fields) == 4 and len(fields[3].children()) > MAX_ATTRIBUTES:
            raise InvalidRequest(f"the request has more than {MAX_ATTRIBUTES} attributes")
        # The key first: a signature is never verified with a key that is too large or too odd to be accepted.
        public_key = PublicKey.from_spki(fields[2].der)
        _verify_possession(public_key, parts)
        return cls(request_der, public_key, _birth(fields[3]) if len(fields) == 4 else None)


_FIELDS = [der.INTEGER, der.SEQUENCE, der.SEQUENCE, 0xA0]


def _birth(attributes: der.Element) -> KeyBirth | None:
    """RFC 2986 section 4.1: an attribute is a type and a set of values. All others than ours mean nothing here."""
    read = [one.children() for one in attributes.children() if one.tag == der.SEQUENCE]
    said = [parts[1:] for parts in read if parts and parts[0].der == der.oid(STATEMENT)]
    if not said:
        return None
    values = [value for parts in said for each in parts if each.tag == der.SET for value in each.children()]
    if len(said) != 1 or len(said[0]) != 1 or [value.tag for value in values] != [der.UTF8_STRING]:
        raise InvalidRequest("the request does not say once, in one text, how its key was made")
    return KeyBirth.parse(values[0].content.decode())


def _verify_possession(public_key: PublicKey, parts: list[der.Element]) -> None:
    """RFC 2986 section 4.2: the request is signed with the key it contains."""
    kind, hash_algorithm = _SIGNATURES.get(parts[1].der, _UNKNOWN)
    if not public_key.algorithm.startswith(kind):
        raise InvalidRequest(
            "the request must be signed with RSA (PKCS #1 v1.5) or ECDSA, and SHA-256, SHA-384 or SHA-512"
        )
    try:
        public_key.verify(parts[2].content[1:], parts[0].der, hash_algorithm)
    except InvalidRequest as error:
        raise InvalidRequest("the request is not signed with the key it contains") from error


def decode_base64_or_der(body: bytes) -> bytes:
    """The DER of a request body: base64 with any white space in it (RFC 8951 section 3), or DER itself."""
    # DER of a SEQUENCE starts with 0x30, base64 of it with "M".
    if body.startswith(b"\x30"):
        return body
    if body.lstrip().startswith(b"-----BEGIN"):
        raise InvalidRequest("send the request as base64 or DER without PEM lines: leave out the BEGIN and END lines")
    try:
        return binascii.a2b_base64(re.sub(rb"\s", b"", body), strict_mode=True)
    except binascii.Error as error:
        raise InvalidRequest("the body is neither base64 nor DER") from error
