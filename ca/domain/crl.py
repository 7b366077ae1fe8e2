"""Certificate revocation lists (RFC 5280 section 5).

A CRL is a splice: entries are encoded once each and put between a head and the extensions. What may leave a list from
one issue to the next is decided here too, because a revocation that is lost is a revocation undone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ca.domain import der
from ca.domain.algorithms import SIGNATURE_OF
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.issuers import Issuer
from ca.domain.revocation import RevocationReason

_CRL_NUMBER = der.oid("2.5.29.20")
_REASON_CODE = der.oid("2.5.29.21")
_AUTHORITY_KEY_IDENTIFIER = der.oid("2.5.29.35")


@dataclass(frozen=True, slots=True)
class CRLRecord:
    """A CRL we made: its number only ever grows (RFC 5280 section 5.2.3)."""

    issuer: str
    number: int
    this_update: datetime
    next_update: datetime
    entries: int
    der: bytes


def crl_entry(certificate: Certificate) -> bytes:
    """The entry of a certificate that does not hold."""
    revocation = certificate.seen_by_relying_parties()
    if revocation is None:
        raise InvalidRequest(f"certificate {certificate.serial:x} holds and has no place in a CRL")
    extensions = b""
    # Unspecified is said by leaving the reason out (RFC 5280 section 5.3.1).
    if revocation.reason is not RevocationReason.UNSPECIFIED:
        extensions = der.sequence(_reason_extension(revocation.reason))
    return der.sequence(der.integer(certificate.serial), der.utc_or_generalized_time(revocation.revoked_at), extensions)


def _reason_extension(reason: RevocationReason) -> bytes:
    return der.sequence(_REASON_CODE, der.octet_string(der.enumerated(reason)))


_HOLD = _reason_extension(RevocationReason.CERTIFICATE_HOLD)


def draft_crl(
    *, issuer: Issuer, number: int, this_update: datetime, next_update: datetime, entries: Iterable[bytes]
) -> bytes:
    """The TBSCertList of a full CRL, to be signed as it is. `entries` come from `crl_entry`."""
    body = b"".join(entries)
    key_identifier = der.sequence(der.tlv(0x80, issuer.subject_key_identifier))
    return der.sequence(
        der.integer(1),  # v2
        der.algorithm_identifier(SIGNATURE_OF[issuer.algorithm]),
        issuer.subject_der,
        der.utc_or_generalized_time(this_update),
        der.utc_or_generalized_time(next_update),
        # An empty list is absent, not empty (RFC 5280 section 5.1.2.6).
        der.sequence(body) if body else b"",
        der.explicit(
            0,
            der.sequence(
                der.sequence(_AUTHORITY_KEY_IDENTIFIER, der.octet_string(key_identifier)),
                der.sequence(_CRL_NUMBER, der.octet_string(der.integer(number))),
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class ParsedCRL:
    """A CRL of ours, read back. Only what we write is understood."""

    tbs_der: bytes
    signature: bytes
    number: int
    this_update: datetime
    next_update: datetime
    revoked: bytes
    """The entries, one after another."""

    @classmethod
    def parse(cls, blob: bytes) -> "ParsedCRL":
        """Raises InvalidRequest when it is not a full CRL as we make them. Entries are looked at by `entries`."""
        try:
            (outer,) = _inside(blob)
            tbs, _, signature = outer.children()
            _, _, _, this_update, next_update, *rest = tbs.children()
            revoked = rest[0].content if rest[0].tag == der.SEQUENCE else b""
            return cls(
                tbs.der,
                signature.content[1:],
                _crl_number(rest[-1]),
                _instant(this_update),
                _instant(next_update),
                revoked,
            )
        except (ValueError, IndexError, KeyError) as error:
            raise InvalidRequest("this is not a CRL of ours") from error

    def entries(self) -> dict[int, bytes]:
        """The entries as encoded, by serial number. Raises InvalidRequest."""
        try:
            return {_integer(entry.children()[0]): entry.der for entry in _inside(self.revoked)}
        except IndexError as error:
            raise InvalidRequest("this is not a CRL of ours: an entry is empty") from error


def _inside(content: bytes) -> list[der.Element]:
    return der.Element(der.SEQUENCE, content, content).children()


def _crl_number(extensions: der.Element) -> int:
    (listed,) = extensions.children()
    values = {parts[0].der: parts[-1] for parts in (extension.children() for extension in listed.children())}
    (number,) = _inside(values[_CRL_NUMBER].content)
    return _integer(number)


def _integer(element: der.Element) -> int:
    return int.from_bytes(element.content, "big", signed=True)


def _instant(element: der.Element) -> datetime:
    text = element.content.decode("ascii")
    if element.tag == der.UTC_TIME:
        # Two digits mean 1950 to 2049 (RFC 5280 section 4.1.2.5.1).
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def is_final(entry: bytes) -> bool:
    """Whether an entry says revoked for good: everything but a hold."""
    return not entry.endswith(_HOLD)


def gone(before: Mapping[int, bytes], entries: Mapping[int, bytes]) -> list[int]:
    """Serials that a list no longer carries."""
    return [serial for serial in before if serial not in entries]


def verify_nothing_lost(
    before: ParsedCRL, entries: Mapping[int, bytes], missing: Mapping[int, Certificate | None]
) -> None:
    """Raise Tampered when a list would take back what the one before it said.

    `missing` tells what the records say of the serials that are `gone`. An entry may leave when it was a hold that is
    lifted, or once a CRL made after the certificate's expiry has carried it (RFC 5280 section 3.3).
    """
    for serial, entry in before.entries().items():
        now = entries.get(serial)
        if now is None and not _may_leave(entry, missing[serial], before.this_update):
            raise Tampered(f"certificate {serial:x} is revoked in CRL {before.number} and missing in its successor")
        if now is not None and is_final(entry) and now != entry:
            raise Tampered(f"the records tell another story of certificate {serial:x} than CRL {before.number}")


def _may_leave(entry: bytes, certificate: Certificate | None, seen_in: datetime) -> bool:
    if certificate is None:
        return False
    if certificate.is_expired(seen_in):
        return True
    return not is_final(entry) and certificate.status is CertificateStatus.ACTIVE
