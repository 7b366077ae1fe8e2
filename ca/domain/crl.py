"""Certificate revocation lists as we write them (RFC 5280 section 5).

A CRL is a splice: entries are encoded once each, when a status changes, and stand between a head and the extensions.
How they are read back, and what may leave a list, is in `crl_reading.py`.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from ca.domain import der
from ca.domain.algorithms import SIGNATURE_OF, SignatureAlgorithm
from ca.domain.certificates import Certificate
from ca.domain.issuers import Issuer
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.tbs import TBS

CRL_NUMBER = der.oid("2.5.29.20")
DELTA_INDICATOR = der.oid("2.5.29.27")
_REASON_CODE = der.oid("2.5.29.21")
_INVALIDITY_DATE = der.oid("2.5.29.24")
_ISSUING_DISTRIBUTION_POINT = der.oid("2.5.29.28")
_AUTHORITY_KEY_IDENTIFIER = der.oid("2.5.29.35")
_FRESHEST_CRL = der.oid("2.5.29.46")
_CRL_DISTRIBUTION_POINTS = "2.5.29.31"

_REMOVE_FROM_CRL = 8


@dataclass(frozen=True, slots=True)
class CRLScope:
    """Which certificates a CRL is about: all of an issuer's, or those of one partition; in full, or what changed."""

    issuer: str
    partition: int | None = None
    delta: bool = False

    @property
    def name(self) -> str:
        """The published file's name without its ending: `issuing`, `issuing-delta`, `issuing-p3`."""
        return self.issuer + self._mark

    def url(self, issuer_url: str) -> str:
        """Where it is published, from where the issuer's full CRL is."""
        return issuer_url.removesuffix(".crl") + self._mark + ".crl"

    @property
    def _mark(self) -> str:
        return "-delta" if self.delta else "" if self.partition is None else f"-p{self.partition}"


def partition_for(serial: int, partitions: int) -> int:
    """The partition of a new certificate, 1 to `partitions`: serials are random, so all grow alike."""
    return 1 + serial % partitions


def find_partition(tbs: TBS, issuer: str) -> tuple[int, str] | None:
    """The partition that a certificate of ours points to, and the address; None when it points to the full CRL.

    Read from what was signed: whatever the settings say later, a certificate stays where it points to.
    """
    extension = tbs.find(_CRL_DISTRIBUTION_POINTS)
    pattern = rb"https?://[\x21-\x7e]*/%s-p([1-9][0-9]{0,8})\.crl$" % re.escape(issuer.encode())
    found = re.search(pattern, extension.value) if extension else None
    return (int(found[1]), found[0].decode("ascii")) if found else None


@dataclass(frozen=True, slots=True)
class CRLRecord:
    """A CRL we made: its number only ever grows (RFC 5280 section 5.2.3). The bytes are where it is published."""

    scope: CRLScope
    number: int
    this_update: datetime
    next_update: datetime
    entries: int
    size: int
    sha256: str
    base: int | None = None
    """The full CRL that a delta builds on."""
    published: bool = False


# Entries


def crl_entry(certificate: Certificate) -> bytes | None:
    """The entry of a certificate; None while it holds."""
    revocation = certificate.seen_by_relying_parties()
    return None if revocation is None else revocation_entry(certificate.serial, revocation)


def revocation_entry(serial: int, revocation: Revocation) -> bytes:
    """The entry of a revoked certificate (RFC 5280 section 5.1.2.6), DER."""
    # Unspecified is said by leaving the reason out (RFC 5280 section 5.3.1).
    said = revocation.reason is not RevocationReason.UNSPECIFIED
    # The reason comes last: an entry is told by it (`is_final`).
    extensions = _invalidity_extension(revocation.invalid_since) + (
        _reason_extension(revocation.reason) if said else b""
    )
    return der.sequence(
        der.integer(serial),
        der.utc_or_generalized_time(revocation.revoked_at),
        der.sequence(extensions) if extensions else b"",
    )


def removal_entry(serial: int, at: datetime) -> bytes:
    """What a delta says of a hold that was lifted (RFC 5280 section 5.2.4)."""
    reason = der.sequence(_reason_extension(_REMOVE_FROM_CRL))
    return der.sequence(der.integer(serial), der.utc_or_generalized_time(at), reason)


def _invalidity_extension(since: datetime | None) -> bytes:
    """Always GeneralizedTime (RFC 5280 section 5.3.2)."""
    if since is None:
        return b""
    return der.sequence(_INVALIDITY_DATE, der.octet_string(der.generalized_time(since)))


def _reason_extension(reason: int) -> bytes:
    return der.sequence(_REASON_CODE, der.octet_string(der.enumerated(reason)))


_COMPROMISE = _reason_extension(RevocationReason.KEY_COMPROMISE)
_HOLD = _reason_extension(RevocationReason.CERTIFICATE_HOLD)
_REMOVAL = _reason_extension(_REMOVE_FROM_CRL)


def says_key_compromise(entry: bytes) -> bool:
    return entry.endswith(_COMPROMISE)


def is_removal(entry: bytes) -> bool:
    return entry.endswith(_REMOVAL)


def is_final(entry: bytes) -> bool:
    """Whether an entry says revoked for good: everything but a hold and its lifting."""
    return not entry.endswith((_HOLD, _REMOVAL))


@dataclass(frozen=True, slots=True)
class Listing:
    """A certificate's place in CRLs, kept with its record. The numbers are of CRLs of its issuer."""

    entry: bytes | None = None
    since: int | None = None
    """The first CRL that could have shown an entry; None as long as no CRL could."""
    changed: int | None = None
    """The first CRL that can show the entry as it is now, or its absence: a delta on an older base says so."""

    def become(self, entry: bytes | None, upcoming: int) -> "Listing":
        """After a change of status, when `upcoming` is the number that the next CRL takes."""
        if entry == self.entry:
            return self
        if entry is None and self.since == upcoming:
            # A hold that was lifted before any CRL was made: nobody was told, nobody need be told.
            return Listing()
        return Listing(entry, self.since or upcoming, upcoming)


# Lists


@dataclass(frozen=True, slots=True)
class CRLFrame:
    """Everything a TBSCertList says besides its entries."""

    issuer: Issuer
    number: int
    this_update: datetime
    next_update: datetime
    base: int | None = None
    """The number of the full CRL that this delta builds on; None in a full CRL."""
    delta_url: str = ""
    """Where a full CRL's deltas are."""
    places: tuple[str, ...] = ()
    """The addresses in the certificates of a partition: each of them, so that every one of them matches."""

    def around(self, length: int) -> tuple[bytes, bytes]:
        """What comes before and after entries of that many octets."""
        fields = (
            der.integer(1)  # v2
            + der.algorithm_identifier(SIGNATURE_OF[self.issuer.algorithm])
            + self.issuer.subject_der
            + der.utc_or_generalized_time(self.this_update)
            + der.utc_or_generalized_time(self.next_update)
        )
        # An empty list is absent, not empty (RFC 5280 section 5.1.2.6).
        opening = der.header(der.SEQUENCE, length) if length else b""
        after = der.explicit(0, der.sequence(*self._extensions()))
        before = fields + opening
        return der.header(der.SEQUENCE, len(before) + length + len(after)) + before, after

    def drafted(self, entries: bytes) -> bytes:
        """The whole TBSCertList, when it is short."""
        before, after = self.around(len(entries))
        return before + entries + after

    def _extensions(self) -> list[bytes]:
        key_identifier = der.sequence(der.tlv(0x80, self.issuer.subject_key_identifier))
        extensions = [
            _extension(_AUTHORITY_KEY_IDENTIFIER, key_identifier),
            _extension(CRL_NUMBER, der.integer(self.number)),
        ]
        if self.base is not None:
            extensions.append(_extension(DELTA_INDICATOR, der.integer(self.base), critical=True))
        if self.places:
            names = der.sequence(_place(*self.places))
            extensions.append(_extension(_ISSUING_DISTRIBUTION_POINT, names, critical=True))
        if self.delta_url:
            points = der.sequence(der.sequence(_place(self.delta_url)))
            extensions.append(_extension(_FRESHEST_CRL, points))
        return extensions


def _extension(oid: bytes, value: bytes, *, critical: bool = False) -> bytes:
    # FALSE is the default of `critical`, so DER leaves it out.
    return der.sequence(oid, der.boolean(critical) if critical else b"", der.octet_string(value))


def _place(*urls: str) -> bytes:
    """`distributionPoint` with these as its full name, as certificates have it too (RFC 5280 section 4.2.1.13)."""
    return der.explicit(0, der.explicit(0, b"".join(der.tlv(0x86, url.encode("ascii")) for url in urls)))


def signed_around(tbs_length: int, algorithm: SignatureAlgorithm, signature: bytes) -> tuple[bytes, bytes]:
    """What comes before and after a TBSCertList of that many octets once it is signed."""
    after = der.algorithm_identifier(algorithm) + der.bit_string(signature)
    return der.header(der.SEQUENCE, tbs_length + len(after)), after


def with_partition(issuer: Issuer, partition: int) -> Issuer:
    """The issuer as the certificates of a partition point to it."""
    return replace(issuer, crl_url=CRLScope(issuer.name, partition).url(issuer.crl_url))
