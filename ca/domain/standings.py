"""How a certificate stands, and the few bytes in which the signer tells it to the status process.

The bytes are the contract of the standings map (docs/adr/0018): the signer's adapter writes them, the status process
reads them, and this is their only home. Times are seconds since 1970; those in 32 bits end in 2106.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ca.domain.audit import Head
from ca.domain.canonical import canonical
from ca.domain.certificates import Certificate, CertificateStatus, standing
from ca.domain.errors import Tampered
from ca.domain.revocation import Revocation, RevocationReason

FORMAT = b"3"
"""A map of another format or another boot of the machine is built anew, and read by nobody until then."""

# The tables of the map, and the records that say of what it is. APPLIED_KEY is there once the map is complete.
STANDINGS, NOT_GOOD, ABOUT = b"standings", b"not-good", b"about"
FORMAT_KEY, BOOT_KEY, APPLIED_KEY = b"format", b"boot", b"applied"
BOOT_MARK = "boot"
"""File beside the map that says of which boot it is: another one's is not even opened."""
BOOT_ID = "/proc/sys/kernel/random/boot_id"

KEY_OCTETS = 20
_LAYOUT = struct.Struct(">BBIIQ")
_INVALID_SINCE = struct.Struct(">I")
_END_OF_NAME = b"\x00"
"""Behind the issuer's name, where an invalidity date follows: records without one are as short as ever."""
_FACE = 10
_NO_REASON = 255
_ACTIVE, _REVOKED = 1, 4
_MAY_CHANGE = b"\xff\xff\xff\xff"
_GOOD = bytes((_ACTIVE, _NO_REASON))
_CODES = {
    CertificateStatus.ACTIVE: _ACTIVE,
    CertificateStatus.UNCONFIRMED: 2,
    CertificateStatus.ON_HOLD: 3,
    CertificateStatus.REVOKED: _REVOKED,
}
_STATUSES = {code: status for status, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a certificate decides the answer to a relying party."""

    issuer: str
    status: CertificateStatus
    issued_at: datetime
    not_after: datetime
    revocation: Revocation | None

    @classmethod
    def of(cls, certificate: Certificate) -> "Standing":
        return cls(
            certificate.issuer,
            certificate.status,
            certificate.issued_at,
            certificate.not_after,
            certificate.revocation,
        )

    def is_final(self) -> bool:
        """Revoked for good: nothing takes that back (DESIGN invariant 8), whatever a row says later."""
        return self.status is CertificateStatus.REVOKED

    def seen_by_relying_parties(self) -> Revocation | None:
        """What OCSP and CRL say of it."""
        return standing(self.status, self.issued_at, self.revocation)

    def holds(self, issuer: str, at: datetime) -> bool:
        """Whether who asks this issuer sees nothing but that it is good."""
        is_active = self.status is CertificateStatus.ACTIVE and self.revocation is None
        return is_active and self.issuer == issuer and self.not_after >= at

    def pack(self) -> bytes:
        """Raises Tampered for times that no certificate of ours has."""
        revocation = self.revocation
        try:
            fixed = _LAYOUT.pack(
                _CODES[self.status],
                revocation.reason if revocation else _NO_REASON,
                _seconds(revocation.revoked_at) if revocation else 0,
                _seconds(self.issued_at),
                _seconds(self.not_after),
            )
            since = revocation.invalid_since if revocation else None
            known = b"" if since is None else _END_OF_NAME + _INVALID_SINCE.pack(_seconds(since))
        except struct.error as error:
            raise Tampered("a certificate has a time before 1970 or after 2106") from error
        return fixed + self.issuer.encode("ascii") + known

    @classmethod
    def unpack(cls, packed: bytes) -> "Standing":
        """Raises Tampered for bytes that `pack` never makes."""
        try:
            code, reason, revoked_at, issued_at, not_after = _LAYOUT.unpack_from(packed)
            revocation = None
            if reason != _NO_REASON:
                revocation = Revocation(RevocationReason(reason), _instant(revoked_at), _invalid_since(packed))
            issuer = issuer_of(packed).decode("ascii")
            return cls(issuer, _STATUSES[code], _instant(issued_at), _instant(not_after), revocation)
        except (struct.error, ValueError, KeyError, OverflowError, OSError) as error:
            raise Tampered("the standings map holds a record that makes no sense") from error


def face_of(packed: bytes) -> bytes:
    """The part of a packed standing in which every change of what relying parties see shows; no face starts another."""
    # Of one that is active and nothing else they see no time.
    return _GOOD if packed.startswith(_GOOD) else packed[:_FACE]


def is_good_at(packed: bytes, seconds: int) -> bool:
    """Whether relying parties see a certificate that holds and has not expired at that time since 1970."""
    return packed.startswith(_GOOD) and int.from_bytes(packed[_FACE : _LAYOUT.size], "big") >= seconds


def is_good(packed: bytes) -> bool:
    """Whether relying parties see, until it expires, a certificate that holds."""
    return packed[0] == _ACTIVE


def is_final(packed: bytes) -> bool:
    """`Standing.is_final` of a packed one."""
    return packed[0] == _REVOKED


def not_good_key(packed: bytes, key: bytes) -> bytes:
    """Where one that is not good is listed: revoked ones by their times, behind them those that may change."""
    return not_good_prefix(issuer_of(packed)) + (packed[2:6] if is_final(packed) else _MAY_CHANGE) + key


def not_good_prefix(issuer: bytes) -> bytes:
    """With what all places of an issuer's certificates in that list begin."""
    return issuer + b"\x00"


def revoked_since(at: datetime) -> bytes:
    """What follows the prefix where the list of those begins that were revoked at that time or later."""
    return _seconds(at).to_bytes(4, "big")


def snapshot_message(head: Head, sha256: bytes) -> bytes:
    """The bytes that the audit key signs of a snapshot of all standings: to which event it goes, and its digest."""
    told = {"number": head.number, "hash": head.hash.hex(), "sha256": sha256.hex()}
    return b"vermilion standings snapshot v1\x00" + canonical(told)


def issuer_of(packed: bytes) -> bytes:
    """The issuer's name in a packed standing."""
    return packed[_LAYOUT.size :].partition(_END_OF_NAME)[0]


def serial_key(serial: int) -> bytes | None:
    """Where a serial number is found: padded, so that the order of keys is that of numbers. None: never issued."""
    if not 0 < serial < 1 << (8 * KEY_OCTETS):
        return None
    return serial.to_bytes(KEY_OCTETS, "big")


def packed_records(changed: Iterable[tuple[int, Standing]]) -> Iterator[tuple[bytes, bytes]]:
    """Keys with packed standings, without the serial numbers that no certificate has (RFC 5280 section 4.1.2.2)."""
    for serial, stands in changed:
        if key := serial_key(serial):
            yield key, stands.pack()


def _invalid_since(packed: bytes) -> datetime | None:
    _name, end, known = packed[_LAYOUT.size :].partition(_END_OF_NAME)
    return _instant(*_INVALID_SINCE.unpack(known)) if end else None


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
