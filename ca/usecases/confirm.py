"""The new key proves itself, and only then does the certificate hold (DESIGN invariant 5; RFC 3647 section 4.4)."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound
from ca.domain.keys import PublicKey
from ca.domain.notices import Notice
from ca.domain.revocation import RevocationReason
from ca.domain.serials import serial_text
from ca.domain.sessions import CHALLENGE_LIFE, Challenge
from ca.domain.tbs import read_certificate
from ca.portal_records import Notify
from ca.ports import Clock, Random, UnitOfWork, Work
from ca.usecases.issuance import complete
from ca.usecases.receipts import OpenReceipt

_CONTEXT = b"vermilion confirm v2\x00"


def proof_message(origin: str, nonce: bytes, certificate_der: bytes) -> bytes:
    """What the new key signs, for the bank at this web origin alone (T-44): docs/protocols/enrolment.md."""
    return _CONTEXT + hashlib.sha256(origin.encode()).digest() + nonce + hashlib.sha256(certificate_der).digest()


def _verify(signer_der: bytes, message: bytes, signature: bytes, whose: str) -> None:
    try:
        PublicKey.from_spki(read_certificate(signer_der).spki_der).verify(signature, message)
    except InvalidRequest as error:
        raise InvalidRequest(f"the signature is not by {whose} over this nonce and our address") from error


@dataclass(frozen=True)
class ConfirmCertificate:
    """Challenge, proof, active; the certificate it follows is retired in the same transaction."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    publish_changes: Callable[[str], None]
    open_receipt: OpenReceipt
    notify: Notify
    origin: str
    """Our own web origin, `https://name[:port]`."""

    def challenge(self, serial: int) -> bytes:
        """A one-time nonce for this certificate, good for five minutes. Raises NotFound."""
        value = self.random(32)
        with self.unit_of_work() as work:
            certificate = work.certificates.get(serial)
            if certificate.status not in (CertificateStatus.UNCONFIRMED, CertificateStatus.ACTIVE):
                raise InvalidTransition(f"this certificate is {certificate.status.value} and cannot be confirmed")
            work.challenges.add(Challenge(confirmation_purpose(serial), value, self.clock.now() + CHALLENGE_LIFE))
            work.commit()
        return value

    def __call__(
        self, serial: int, nonce: bytes, signature: bytes, *, predecessor_signature: bytes | None = None
    ) -> Certificate:
        """The active certificate; confirming twice is no mistake. A nonce works once, whatever came of it.

        A renewal needs the old key's signature as well: that TLS once saw the old certificate is only the web tier's
        word, and the signer does not take it (DESIGN section 2).
        """
        now = self.clock.now()
        with self.unit_of_work() as work:
            given = work.challenges.take(confirmation_purpose(serial), nonce)
            work.commit()
        if given is None or given.is_over(now):
            raise InvalidRequest("this nonce was not given for this certificate or is used up; ask for a new one")
        with self.unit_of_work() as work:
            certificate = _locked(work, serial)
            proof = proof_message(self.origin, nonce, certificate.der)
            _verify(certificate.der, proof, signature, "the new certificate's key")
            if certificate.status is CertificateStatus.ACTIVE:
                return certificate
            predecessor = _predecessor(work, certificate)
            if predecessor is not None:
                _verify(predecessor.der, proof, predecessor_signature or b"", "the key of the certificate it follows")
            # Locked before the numbering of CRLs, as at issuance: neither waits for the other then.
            application, _ = work.applications.get(certificate.application)
            customer = work.customers.get(certificate.customer)
            active = certificate.confirm(at=now)
            work.certificates.save(active)
            self._mark_crl_due(work, certificate)
            complete(work, application, at=now)
            work.audit.append(AuditEvent("certificate.confirmed", serial_text(serial), "customer", now))
            if predecessor is not None:
                self.open_receipt(work, _retire(work, predecessor, active, at=now))
            work.commit()
        self.publish_changes(certificate.issuer)
        self.notify(customer, active, Notice.ACTIVE)
        return active

    def _mark_crl_due(self, work: Work, certificate: Certificate) -> None:
        # A CRL made since it was issued, or being signed right now, shows it as on hold: the next one must not wait for
        # its hour.
        last = work.crls.last(certificate.issuer)
        begun = work.crls.last_number(certificate.issuer) > (last.number if last else 0)
        if begun or (last is not None and last.this_update >= certificate.issued_at):
            work.crls.set_due(certificate.issuer, due=True)


def _locked(work: Work, serial: int) -> Certificate:
    # The predecessor's lock first, in the order of a revocation that takes the successors with it.
    found = work.certificates.find(serial)
    if found is not None and found.predecessor is not None:
        with suppress(NotFound):
            work.certificates.get(found.predecessor)
    return work.certificates.get(serial)


def _predecessor(work: Work, successor: Certificate) -> Certificate | None:
    """The certificate that was renewed. Raises InvalidTransition unless it still is the customer's."""
    if successor.predecessor is None:
        return None
    predecessor = work.certificates.get(successor.predecessor)
    # Renewed by a thief before the theft was reported, or renewed twice: one certificate has one successor.
    if predecessor.status is not CertificateStatus.ACTIVE:
        raise InvalidTransition(
            f"the certificate it follows is {predecessor.status.value}; this one is not confirmed, ask at your branch"
        )
    return predecessor


def _retire(work: Work, predecessor: Certificate, successor: Certificate, *, at: datetime) -> Certificate:
    retired = predecessor.revoke(RevocationReason.SUPERSEDED, at=at)
    work.certificates.save(retired)
    work.crls.set_due(predecessor.issuer, due=True)
    details = {"reason": "superseded", "successor": serial_text(successor.serial)}
    work.audit.append(AuditEvent("certificate.revoked", serial_text(predecessor.serial), "customer", at, details))
    return retired


def confirmation_purpose(serial: int) -> str:
    """Of the challenge that a certificate's key answers."""
    return f"confirm:{serial:x}"
