"""What time ends: codes nobody used, certificates nobody confirmed, challenges nobody answered, sessions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ca.domain.applications import ApplicationState
from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.codes import CodeState
from ca.domain.policy import Policy
from ca.domain.profiles import Profile
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.ports import Clock, UnitOfWork
from ca.usecases.receipts import OpenReceipt

_ACTOR = "signer"
_NEVER_CONFIRMED = RevocationReason.CESSATION_OF_OPERATION


@dataclass(frozen=True)
class Sweep:
    """Each method does one kind and says how many."""

    unit_of_work: UnitOfWork
    clock: Clock
    profiles: Mapping[str, Profile]
    policy: Callable[[], Policy]
    publish_changes: Callable[[str], None]
    open_receipt: OpenReceipt

    def expire_codes(self) -> int:
        """Open pairs past their time; a supervisor may hand out new ones."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            listed = work.codes.list_open_expired(now)
        return sum(self._expire(pair.reference, now) for pair in listed)

    def _expire(self, reference: str, now: datetime) -> bool:
        with self.unit_of_work() as work:
            # Read again under its lock: it may have been claimed or voided meanwhile.
            pair = work.codes.find(reference)
            if pair is None or pair.state is not CodeState.OPEN:
                return False
            work.codes.save(replace(pair, state=CodeState.EXPIRED))
            application, _ = work.applications.get(pair.application)
            if application.state is ApplicationState.CODES_ISSUED:
                work.applications.set_state(application.become(ApplicationState.EXPIRED, at=now))
            work.audit.append(AuditEvent("codes.expired", pair.application, _ACTOR, now))
            work.commit()
        return True

    def revoke_unconfirmed(self) -> int:
        """Certificates whose key never proved itself within the profile's time (DESIGN invariant 5)."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            listed = work.certificates.list_unconfirmed_since_before(now)
        revoked = [one for one in listed if self._is_overdue(one, now) and self._revoke(one.serial, now)]
        for issuer in sorted({certificate.issuer for certificate in revoked}):
            self.publish_changes(issuer)
        return len(revoked)

    def _is_overdue(self, certificate: Certificate, now: datetime) -> bool:
        profile = self.profiles.get(certificate.profile)
        return profile is None or now >= certificate.issued_at + profile.confirm_within

    def _revoke(self, serial: int, now: datetime) -> bool:
        with self.unit_of_work() as work:
            # Read again under its lock: it may have been confirmed or revoked meanwhile.
            certificate = work.certificates.get(serial)
            if certificate.status is not CertificateStatus.UNCONFIRMED:
                return False
            revoked = certificate.revoke(_NEVER_CONFIRMED, at=now)
            work.certificates.save(revoked)
            work.crls.set_due(certificate.issuer, due=True)
            details = {"reason": RFC_NAMES[_NEVER_CONFIRMED], "why": "never confirmed"}
            work.audit.append(AuditEvent("certificate.revoked", serial_text(serial), _ACTOR, now, details))
            self.open_receipt(work, revoked)
            work.commit()
        return True

    def forget_challenges(self) -> int:
        """Challenges nobody answered in time."""
        with self.unit_of_work() as work:
            forgotten = work.challenges.forget_expired(self.clock.now())
            work.commit()
        return forgotten

    def forget_sessions(self) -> int:
        """Officers' sessions that are over: lists of live ones stay short."""
        with self.unit_of_work() as work:
            forgotten = work.sessions.forget_over(self.clock.now(), self.policy())
            work.commit()
        return forgotten
