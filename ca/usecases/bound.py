"""Whether a bound certificate still lets its officer in: asked at sign-in and at every request (THREATS 6, 45)."""

import hashlib
from datetime import datetime

from ca.domain.bindings import BindingState, CertificateBinding
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import NotAuthenticated, NotFound
from ca.keeping import Standings
from ca.ports import Seals, Work
from ca.usecases.sealed import unsealed

BINDING_SEAL = "certificate-binding"
CLOSED = "officers do not sign in with certificates here; use your passkey"


def sealed_binding(work: Work, seals: Seals, binding_id: str) -> CertificateBinding:
    """The binding, if the signer wrote it. Raises NotFound, Tampered."""
    found = work.bindings.find(binding_id)
    if found is None:
        raise NotFound("there is no such binding")
    return unsealed(seals, BINDING_SEAL, found)


def save_binding(work: Work, seals: Seals, binding: CertificateBinding) -> None:
    """Seal and save."""
    work.bindings.save(binding, seals.seal(BINDING_SEAL, binding.sealed_fields()))


def fingerprint(certificate_der: bytes) -> str:
    """SHA-256 of a certificate, hex."""
    return hashlib.sha256(certificate_der).hexdigest()


def require_good(work: Work, standings: Standings, binding: CertificateBinding, now: datetime) -> Certificate:
    """The certificate of a binding in force. Raises NotAuthenticated unless it is good at this instant."""
    if binding.state is not BindingState.BOUND:
        raise NotAuthenticated("this certificate is no longer bound to you; sign in with your passkey")
    certificate = work.certificates.find(binding.serial)
    if certificate is None or fingerprint(certificate.der) != binding.fingerprint:
        raise NotAuthenticated("this certificate is not the one that was bound; sign in with your passkey")
    require_holding(certificate, now)
    # Who turned the row of a revoked one back has not turned back what the journal tells (docs/adr/0024).
    acted = standings.find(binding.serial)
    if acted is None or acted.status is not CertificateStatus.ACTIVE:
        raise NotAuthenticated("this certificate does not hold by what was done with it; sign in with your passkey")
    return certificate


def require_holding(certificate: Certificate, now: datetime) -> None:
    """Raise NotAuthenticated when it is not in force or out of its time."""
    if certificate.status is not CertificateStatus.ACTIVE:
        raise NotAuthenticated(f"this certificate is {certificate.status.value}; sign in with your passkey")
    if not certificate.not_before <= now <= certificate.not_after:
        raise NotAuthenticated("this certificate is not valid today; sign in with your passkey")
