"""How a certificate stands, and the few bytes in which the signer tells it to the status process.

The bytes are the contract of the standings map (docs/adr/0018): the signer's adapter writes them, the status process
reads them, and this is their only home. Times are seconds since 1970; those in 32 bits end in 2106.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from ca.domain.certificates import Certificate, CertificateStatus, standing
from ca.domain.errors import Tampered
from ca.domain.revocation import Revocation, RevocationReason

FORMAT = b"1"
"""A map of another format or another boot of the machine is built anew, and read by nobody until then."""

# The tables of the map, and the records that say of what it is. APPLIED_KEY is there once the map is complete.
STANDINGS, NOT_GOOD, ABOUT = b"standings", b"not-good", b"about"
FORMAT_KEY, BOOT_KEY, APPLIED_KEY = b"format", b"boot", b"applied"
BOOT_ID = "/proc/sys/kernel/random/boot_id"

KEY_OCTETS = 20
_LAYOUT = struct.Struct(">BBIIQ")
_FACE = 10
_NO_REASON = 255
_ACTIVE = 1
_GOOD = bytes((_ACTIVE, _NO_REASON))
_CODES = {
    CertificateStatus.ACTIVE: _ACTIVE,
    CertificateStatus.UNCONFIRMED: 2,
    CertificateStatus.ON_HOLD: 3,
    CertificateStatus.REVOKED: 4,
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
        except struct.error as error:
            raise Tampered("a certificate has a time before 1970 or after 2106") from error
        return fixed + self.issuer.encode("ascii")

    @classmethod
    def unpack(cls, packed: bytes) -> "Standing":
        """Raises Tampered for bytes that `pack` never makes."""
        try:
            code, reason, revoked_at, issued_at, not_after = _LAYOUT.unpack_from(packed)
            revocation = None
            if reason != _NO_REASON:
                revocation = Revocation(RevocationReason(reason), _instant(revoked_at))
            issuer = packed[_LAYOUT.size :].decode("ascii")
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


def issuer_of(packed: bytes) -> bytes:
    """The issuer's name in a packed standing."""
    return packed[_LAYOUT.size :]


def serial_key(serial: int) -> bytes | None:
    """Where a serial number is found: padded, so that the order of keys is that of numbers. None: never issued."""
    if not 0 < serial < 1 << (8 * KEY_OCTETS):
        return None
    return serial.to_bytes(KEY_OCTETS, "big")


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
