"""The life of a certificate after it was signed (DESIGN section 5; RFC 5280 section 5).

UNCONFIRMED -> ACTIVE <-> ON_HOLD -> REVOKED; revocation is final. A certificate stays UNCONFIRMED until its new key has
signed a nonce of ours; until then relying parties see it as on hold. Superseded is a revocation reason, expired is a
fact of the clock: neither is a state of its own.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ca.domain.canonical import canonical
from ca.domain.errors import InvalidRequest, InvalidTransition, Tampered
from ca.domain.revocation import Revocation, RevocationReason


class CertificateStatus(StrEnum):
    """Where a certificate stands."""

    UNCONFIRMED = "unconfirmed"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    REVOKED = "revoked"


_NEXT: dict[CertificateStatus, frozenset[CertificateStatus]] = {
    CertificateStatus.UNCONFIRMED: frozenset({CertificateStatus.ACTIVE, CertificateStatus.REVOKED}),
    CertificateStatus.ACTIVE: frozenset({CertificateStatus.ON_HOLD, CertificateStatus.REVOKED}),
    CertificateStatus.ON_HOLD: frozenset({CertificateStatus.ACTIVE, CertificateStatus.REVOKED}),
    CertificateStatus.REVOKED: frozenset(),
}


def transitions() -> dict[CertificateStatus, frozenset[CertificateStatus]]:
    """The table, for the drawing and the property test."""
    return dict(_NEXT)


def standing(status: CertificateStatus, issued_at: datetime, revocation: Revocation | None) -> Revocation | None:
    """What relying parties see: nothing wrong, or a revocation. One rule for OCSP and CRL, so that they agree."""
    if status is CertificateStatus.UNCONFIRMED:
        return Revocation(RevocationReason.CERTIFICATE_HOLD, issued_at)
    return revocation


@dataclass(frozen=True, slots=True)
class Certificate:
    """An issued certificate and how it stands. Times are aware UTC; `serial` is unique per issuing CA."""

    serial: int
    issuer: str
    profile: str
    der: bytes
    public_key: str
    """SHA-256 of the SubjectPublicKeyInfo, hex."""
    subject: str
    application: str
    """Id of the application it answers; empty for the CA's own (responder, TLS server of the signer)."""
    customer: str
    device_serial: str
    branch: str
    not_before: datetime
    not_after: datetime
    issued_at: datetime
    status: CertificateStatus
    predecessor: int | None = None
    confirmed_at: datetime | None = None
    revocation: Revocation | None = None
    crl_partition: int | None = None
    """The partition whose CRL it points to; None when that is the full one. Never changes."""

    def is_expired(self, now: datetime) -> bool:
        # notAfter is the last second of validity, not the first without it (RFC 5280 section 4.1.2.5).
        return now > self.not_after

    @property
    def is_compromised(self) -> bool:
        return self.revocation is not None and self.revocation.reason is RevocationReason.KEY_COMPROMISE

    def confirm(self, *, at: datetime) -> "Certificate":
        """The new key proved itself: the certificate begins to hold."""
        self._require(CertificateStatus.ACTIVE, allowed_from=CertificateStatus.UNCONFIRMED)
        return replace(self, status=CertificateStatus.ACTIVE, confirmed_at=at)

    def suspend(self, *, at: datetime) -> "Certificate":
        """Hold: it may be released again (RFC 5280 certificateHold)."""
        self._require(CertificateStatus.ON_HOLD)
        hold = Revocation(RevocationReason.CERTIFICATE_HOLD, at)
        return replace(self, status=CertificateStatus.ON_HOLD, revocation=hold)

    def resume(self) -> "Certificate":
        """Lift the hold; the only way back there is."""
        self._require(CertificateStatus.ACTIVE, allowed_from=CertificateStatus.ON_HOLD)
        return replace(self, status=CertificateStatus.ACTIVE, revocation=None)

    def revoke(self, reason: RevocationReason, *, at: datetime, invalid_since: datetime | None = None) -> "Certificate":
        """End it for good, since the time from which relying parties saw it on hold, if they did.

        Raises InvalidRequest for an `invalid_since` outside of the time in which it was valid and held.
        """
        if reason is RevocationReason.CERTIFICATE_HOLD:
            raise InvalidTransition("certificateHold is not a revocation for good; hold the certificate instead")
        self._require(CertificateStatus.REVOKED)
        # Nobody may take it as having held in between: an unconfirmed one was on hold since its issuance.
        seen = self.seen_by_relying_parties()
        since = seen.revoked_at if seen else at
        if invalid_since is not None and not self.not_before <= invalid_since <= since:
            raise InvalidRequest(
                "“invalid since” lies between the beginning of the certificate's validity and the time since which it "
                "does not hold; leave it empty when it is not known to be earlier"
            )
        return replace(self, status=CertificateStatus.REVOKED, revocation=Revocation(reason, since, invalid_since))

    def seen_by_relying_parties(self) -> Revocation | None:
        """What OCSP and CRL say of it."""
        return standing(self.status, self.issued_at, self.revocation)

    def _require(self, wanted: CertificateStatus, *, allowed_from: CertificateStatus | None = None) -> None:
        wrong_start = allowed_from is not None and self.status is not allowed_from
        if wrong_start or wanted not in _NEXT[self.status]:
            raise InvalidTransition(f"a certificate that is {self.status.value} cannot become {wanted.value}")


@dataclass(frozen=True, slots=True)
class Intent:
    """What we are about to sign, recorded before the HSM is asked (DESIGN invariant 1)."""

    serial: int
    issuer: str
    profile: str
    application: str
    tbs_der: bytes
    public_key: str
    request: str
    """SHA-256 of the certification request, hex: the same request finds the same intent again."""
    predecessor: int | None
    intended_at: datetime
    needs_confirmation: bool
    """As the profile said when this was approved: no profile edited since makes an unproven certificate hold."""
    request_der: bytes = b""
    """The request itself; empty when its bytes were not kept (before revision 0018), and for the CA's own."""
    signed: bool = False
    seal: bytes = b""
    """The signer's own: an intent that somebody else wrote is never signed."""

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        told: dict[str, str | bool] = {
            "serial": f"{self.serial:x}",
            "issuer": self.issuer,
            "profile": self.profile,
            "application": self.application,
            "tbs": self.tbs_der.hex(),
            "public_key": self.public_key,
            "request": self.request,
            "predecessor": "" if self.predecessor is None else f"{self.predecessor:x}",
            "needs_confirmation": self.needs_confirmation,
        }
        # The request by its digest; that its bytes are kept is sealed, too, so that nobody takes them away unnoticed.
        return canonical(told | {"request_is_kept": True} if self.request_der else told)

    def require_request(self) -> None:
        """Raise Tampered unless the kept bytes of the request, if any, are those that its digest names."""
        if self.request_der and hashlib.sha256(self.request_der).hexdigest() != self.request:
            raise Tampered("the kept request does not match its digest: its row was changed since it was recorded")
