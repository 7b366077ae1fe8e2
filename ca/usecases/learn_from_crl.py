"""What a lost journal told of revocations, learnt again from the last CRL that relying parties have."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from cryptography import x509

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl_reading import read_whole
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.keys import PublicKey
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.ports import Clock, UnitOfWork, Work

_REASONS = {name: reason for reason, name in RFC_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the CRL had that the records had not."""

    number: int
    """Of the CRL; the next one has a higher one."""
    revoked: int
    unknown: Sequence[int]
    """Serial numbers that are not in the records: issued and revoked after the last act that was restored."""


@dataclass(frozen=True)
class LearnFromCRL:
    """Nothing that relying parties were told was revoked becomes good again, and no CRL number comes twice."""

    unit_of_work: UnitOfWork
    clock: Clock

    def __call__(self, crl_der: bytes) -> Learnt:
        """Raises InvalidRequest when it is no full CRL of ours, Tampered when none of our keys signed it."""
        try:
            head, crl = read_whole(crl_der), x509.load_der_x509_crl(crl_der)
        except ValueError as error:
            raise InvalidRequest("the last CRL cannot be read; it is a file in DER, like issuing.crl") from error
        if head.base is not None:
            raise InvalidRequest("this is a delta CRL; name the full one, like issuing.crl")
        revoked, unknown = 0, list[int]()
        with self.unit_of_work() as work:
            issuer = _issuer_of(work, crl)
            for entry in crl:
                certificate = work.certificates.find(entry.serial_number)
                if certificate is None:
                    unknown.append(entry.serial_number)
                elif (learnt := _as_told(certificate, entry)) is not None:
                    revoked += 1
                    _save(work, learnt, head.number)
            work.crls.take_number(issuer, head.number)
            work.crls.set_due(issuer, due=True)
            details = {"number": str(head.number), "revoked": str(revoked), "unknown": str(len(unknown))}
            work.audit.append(AuditEvent("crl.learnt", issuer, "operator", self.clock.now(), details))
            work.commit()
        return Learnt(head.number, revoked, unknown)


def _issuer_of(work: Work, crl: x509.CertificateRevocationList) -> str:
    for issuer in work.issuers.list():
        with suppress(InvalidRequest):
            PublicKey.from_spki(issuer.spki_der).verify(crl.signature, crl.tbs_certlist_bytes)
            return issuer.name
    raise Tampered("the last CRL is not signed by any CA of ours")


def _as_told(certificate: Certificate, entry: x509.RevokedCertificate) -> Certificate | None:
    """As the CRL has it, where that is worse than the records."""
    found = {each.oid: each.value for each in entry.extensions}
    told = found.get(x509.CRLReason.oid)
    reason = _REASONS[told.reason.value] if isinstance(told, x509.CRLReason) else RevocationReason.UNSPECIFIED
    at = entry.revocation_date_utc
    if reason is RevocationReason.CERTIFICATE_HOLD:
        return certificate.suspend(at=at) if certificate.status is CertificateStatus.ACTIVE else None
    if certificate.status is CertificateStatus.REVOKED:
        return None
    invalid = found.get(x509.InvalidityDate.oid)
    since = invalid.invalidity_date_utc if isinstance(invalid, x509.InvalidityDate) else None
    return certificate.revoke(reason, at=at, invalid_since=since)


def _save(work: Work, learnt: Certificate, number: int) -> None:
    work.certificates.save(learnt)
    assert learnt.revocation is not None  # noqa: S101  both ways above give it one
    held = learnt.status is CertificateStatus.ON_HOLD
    details = {"reason": RFC_NAMES[learnt.revocation.reason], "learnt_from": f"CRL {number}"}
    # The instant that relying parties were told: the log and the record tell the same.
    name, at = "certificate.held" if held else "certificate.revoked", learnt.revocation.revoked_at
    work.audit.append(AuditEvent(name, serial_text(learnt.serial), "operator", at, details))
