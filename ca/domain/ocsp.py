"""OCSP answers (RFC 6960, profiled by RFC 9919; nonce by RFC 9654): what is asked, what is said of it, and the bytes.

A CertID is echoed exactly as sent: clients compare it byte for byte, and NULL parameters differ from none.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache

from ca.domain import der
from ca.domain.algorithms import SignatureAlgorithm
from ca.domain.errors import InvalidRequest
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.serials import SERIAL_OCTETS
from ca.domain.standings import Standing
from ca.domain.tbs import read_certificate

MAX_CERT_IDS = 20
MAX_NONCE = 128

BASIC_OID = der.oid("1.3.6.1.5.5.7.48.1.1")
NONCE_OID = der.oid("1.3.6.1.5.5.7.48.1.2")
_ARCHIVE_CUTOFF_OID = der.oid("1.3.6.1.5.5.7.48.1.6")
_EXTENDED_REVOKE = der.sequence(der.oid("1.3.6.1.5.5.7.48.1.9"), der.octet_string(der.null()))

NEVER_ISSUED = Revocation(RevocationReason.CERTIFICATE_HOLD, datetime(1970, 1, 1, tzinfo=UTC))
"""What the extended definition of revoked says of a serial that was never issued (RFC 6960 section 2.2)."""

_HASHES = {
    der.oid("1.3.14.3.2.26"): ("sha1", 20),
    der.oid("2.16.840.1.101.3.4.2.1"): ("sha256", 32),
    der.oid("2.16.840.1.101.3.4.2.2"): ("sha384", 48),
    der.oid("2.16.840.1.101.3.4.2.3"): ("sha512", 64),
}
HASH_NAMES = tuple(name for name, _ in _HASHES.values())


class ErrorStatus(IntEnum):
    """OCSPResponseStatus without an answer (RFC 6960 section 4.2.1); such a response is not signed."""

    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True, slots=True)
class CertId:
    """Which certificate is asked about: hashes that name its issuer, and its serial number."""

    der: bytes
    hash_name: str
    """`sha1` … `sha512`, or empty for a hash we do not know: then no issuer of ours can be meant."""
    name_hash: bytes
    key_hash: bytes
    serial: int

    @classmethod
    def parse(cls, blob: bytes) -> "CertId":
        """Raises InvalidRequest unless `blob` is a CertID in DER with hashes as long as their algorithm says."""
        head, octets = blob[:-SERIAL_OCTETS], blob[-SERIAL_OCTETS:]
        # Clients write the CertIDs of one issuer alike, and our serial numbers begin so: then only the number is new.
        like = _like(head) if octets.startswith(b"\x01") else None
        return cls.read(blob) if like is None else like.with_serial(octets)

    @classmethod
    def read(cls, blob: bytes) -> "CertId":
        """As `parse`, octet by octet."""
        parts = der.parse_sequence(blob, "the CertID")
        if [part.tag for part in parts] != [der.SEQUENCE, der.OCTET_STRING, der.OCTET_STRING, der.INTEGER]:
            raise InvalidRequest("the CertID is not an algorithm, two hashes and a serial number")
        algorithm, name_hash, key_hash, serial = parts
        hash_name, length = _hash_of(algorithm)
        if length and (len(name_hash.content), len(key_hash.content)) != (length, length):
            raise InvalidRequest(f"the CertID's hashes are not as long as {hash_name} makes them")
        if len(serial.content) > 20:
            raise InvalidRequest("the CertID's serial number is longer than 20 octets (RFC 5280 section 4.1.2.2)")
        number = int.from_bytes(serial.content, "big", signed=True)
        return cls(blob, hash_name, name_hash.content, key_hash.content, number)

    @property
    def serial_octets(self) -> bytes:
        """The serial number as it stands at the end of the CertID."""
        return self.der[-self._octets :]

    @property
    def head(self) -> bytes:
        """All before that: the same for every certificate of the issuer, as long as clients write alike."""
        return self.der[: -self._octets]

    @property
    def _octets(self) -> int:
        # One bit more than the magnitude, for the sign.
        return (self.serial if self.serial >= 0 else ~self.serial).bit_length() // 8 + 1

    def with_serial(self, octets: bytes) -> "CertId":
        """The same of another certificate, whose serial number has as many octets and is positive."""
        number = int.from_bytes(octets, "big")
        return CertId(self.head + octets, self.hash_name, self.name_hash, self.key_hash, number)

    @property
    def issuer_key(self) -> tuple[str, bytes, bytes]:
        """What names the issuer: equal to one of `issuer_keys` of that issuer."""
        return self.hash_name, self.name_hash, self.key_hash


@lru_cache(maxsize=256)
def _like(head: bytes) -> CertId | None:
    """A CertID that begins so and ends in a serial number as long as ours; None when there is none."""
    try:
        read = CertId.read(head + b"\x01".ljust(SERIAL_OCTETS, b"\x00"))
    except InvalidRequest:
        return None
    return read if read.head == head else None


def _hash_of(algorithm: der.Element) -> tuple[str, int]:
    parts = algorithm.children()
    # Parameters are absent or NULL; both are met in the field (RFC 5754 section 2).
    if not parts or parts[0].tag != der.OBJECT_IDENTIFIER or [part.der for part in parts[1:]] not in ([], [der.null()]):
        raise InvalidRequest("the CertID's hash algorithm is not an identifier without parameters")
    return _HASHES.get(parts[0].der, ("", 0))


@lru_cache(maxsize=64)
def issuer_keys(certificate_der: bytes) -> frozenset[tuple[str, bytes, bytes]]:
    """Every way a CertID can name this issuer: by its subject and the bits of its key (RFC 6960 section 4.1.1)."""
    try:
        certificate = read_certificate(certificate_der)
        key_bits = der.parse(certificate.spki_der).children()[1].content[1:]
    except (ValueError, IndexError) as error:
        raise InvalidRequest("this is not a certificate of a CA") from error
    return frozenset(
        (name, hashlib.new(name, certificate.subject_der).digest(), hashlib.new(name, key_bits).digest())
        for name in HASH_NAMES
    )


@dataclass(frozen=True, slots=True)
class Good:
    """Issued by us and holding."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """Issued by us and not holding: revoked, on hold, or not yet confirmed."""

    revocation: Revocation


@dataclass(frozen=True, slots=True)
class Unknown:
    """Never issued by this issuer: not good (RFC 6960 section 2.2)."""


CertStatus = Good | Revoked | Unknown


@dataclass(frozen=True, slots=True)
class Policy:
    """What a bank may choose in how it answers."""

    extended_revoke: bool = False
    """Serials that were never issued are revoked, not unknown (RFC 6960 section 4.4.8)."""
    archive_cutoff: bool = False
    """Of expired certificates it is said since when their status is known (RFC 6960 section 4.4.4)."""

    def status(self, standing: Standing | None, issuer: str) -> CertStatus:
        """What is said of a serial number; a certificate of another issuer was not issued by this one."""
        if standing is None or standing.issuer != issuer:
            return Revoked(NEVER_ISSUED) if self.extended_revoke else Unknown()
        revocation = standing.seen_by_relying_parties()
        return Revoked(revocation) if revocation else Good()


PLAIN = Policy()
"""Unless a bank chooses otherwise."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a relying party wants one answer to: CertIDs as sent, and the nonce to echo."""

    cert_ids: tuple[CertId, ...]
    nonce: bytes | None = None

    @classmethod
    def parse(cls, cert_ids: Sequence[bytes], nonce: bytes | None = None) -> "Question":
        """Raises InvalidRequest."""
        if not 1 <= len(cert_ids) <= MAX_CERT_IDS:
            raise InvalidRequest(f"ask about 1 to {MAX_CERT_IDS} certificates at a time")
        if nonce is not None and not 1 <= len(nonce) <= MAX_NONCE:
            raise InvalidRequest("a nonce has 1 to 128 octets (RFC 9654 section 2.1)")
        return cls(tuple(CertId.parse(blob) for blob in cert_ids), nonce)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one certificate, from when until when."""

    cert_id: bytes
    status: CertStatus
    this_update: datetime
    next_update: datetime
    archive_cutoff: datetime | None = None


def said_of(cert_id: bytes, status: CertStatus) -> bytes:
    """The start of a SingleResponse: the CertID as asked and its status.

    The invalidity date of a revocation is left out: extensions of CRL entries may be in a SingleResponse (RFC 6960
    section 4.4.5), none must, and answers that differ in nothing else stay as short as others. The CRL has it.
    """
    if isinstance(status, Good):
        return cert_id + der.tlv(0x80)
    if isinstance(status, Unknown):
        return cert_id + der.tlv(0x82)
    revocation = status.revocation
    # As in the CRL: unspecified says nothing and is left out (RFC 5280 section 5.3.1).
    unspecified = revocation.reason is RevocationReason.UNSPECIFIED
    reason = b"" if unspecified else der.explicit(0, der.enumerated(revocation.reason))
    return cert_id + der.tlv(0xA1, der.generalized_time(revocation.revoked_at), reason)


def response_data(
    answers: Sequence[Answer], *, responder_key_bits: bytes, produced_at: datetime, nonce: bytes | None = None
) -> bytes:
    """The bytes a responder signs (ResponseData): responder named by key, which is SHA-1 by definition."""
    key_hash = hashlib.sha1(responder_key_bits, usedforsecurity=False).digest()
    extensions = b""
    if nonce is not None:
        # The nonce is an OCTET STRING inside the extension's OCTET STRING (RFC 9654 section 2.1).
        extensions += der.sequence(NONCE_OID, der.octet_string(der.octet_string(nonce)))
    if any(answer.status == Revoked(NEVER_ISSUED) for answer in answers):
        extensions += _EXTENDED_REVOKE
    return der.sequence(
        der.explicit(2, der.octet_string(key_hash)),
        der.generalized_time(produced_at),
        der.sequence(*(_single_response(answer) for answer in answers)),
        der.explicit(1, der.sequence(extensions)) if extensions else b"",
    )


def _single_response(answer: Answer) -> bytes:
    extensions = b""
    if answer.archive_cutoff is not None:
        cutoff = der.octet_string(der.generalized_time(answer.archive_cutoff))
        extensions = der.explicit(1, der.sequence(der.sequence(_ARCHIVE_CUTOFF_OID, cutoff)))
    return der.sequence(
        said_of(answer.cert_id, answer.status),
        der.generalized_time(answer.this_update),
        der.explicit(0, der.generalized_time(answer.next_update)),
        extensions,
    )


def basic_response(
    data: bytes, *, algorithm: SignatureAlgorithm, signature: bytes, responder_certificate: bytes
) -> bytes:
    """A complete OCSPResponse around signed data, with the one certificate a client needs to check it."""
    before, between, after = _frame(len(data), len(signature), algorithm, responder_certificate)
    return b"".join((before, data, between, signature, after))


@lru_cache(maxsize=256)
def _frame(data: int, signature: int, algorithm: SignatureAlgorithm, certificate: bytes) -> tuple[bytes, bytes, bytes]:
    """What stands around data and a signature of these lengths: the same for all answers of a responder."""
    between = der.algorithm_identifier(algorithm) + der.header(der.BIT_STRING, signature + 1) + b"\x00"
    after = der.explicit(0, der.sequence(certificate))
    length, before = data + len(between) + signature + len(after), b""
    # From the inside out: BasicOCSPResponse in an OCTET STRING, behind its type in ResponseBytes, behind the status.
    for tag, first in (
        (der.SEQUENCE, b""),
        (der.OCTET_STRING, b""),
        (der.SEQUENCE, BASIC_OID),
        (0xA0, b""),
        (der.SEQUENCE, der.enumerated(0)),
    ):
        inside = first + before
        before = der.header(tag, length + len(inside)) + inside
    return before, between, after


def error_response(status: ErrorStatus) -> bytes:
    """An OCSPResponse that says why there is no answer."""
    return der.sequence(der.enumerated(status))
