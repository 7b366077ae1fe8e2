"""What time ends: codes nobody used, certificates nobody confirmed, challenges nobody answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ca.domain.applications import ApplicationState
from ca.domain.audit import AuditEvent
from ca.domain.codes import CodeState
from ca.domain.profiles import Profile
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.ports import Clock, UnitOfWork

_ACTOR = "signer"
_NEVER_CONFIRMED = RevocationReason.CESSATION_OF_OPERATION


@dataclass(frozen=True)
class Sweep:
    """Each method does one kind and says how many."""

    unit_of_work: UnitOfWork
    clock: Clock
    profiles: Mapping[str, Profile]
    publish_changes: Callable[[str], None]

    def expire_codes(self) -> int:
        """Open pairs past their time; a supervisor may hand out new ones."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            expired = list(work.codes.list_open_expired(now))
            for pair in expired:
                work.codes.save(replace(pair, state=CodeState.EXPIRED))
                application, _ = work.applications.get(pair.application)
                if application.state is ApplicationState.CODES_ISSUED:
                    work.applications.set_state(application.become(ApplicationState.EXPIRED, at=now))
                work.audit.append(AuditEvent("codes.expired", pair.application, _ACTOR, now))
            work.commit()
        return len(expired)

    def revoke_unconfirmed(self) -> int:
        """Certificates whose key never proved itself within the profile's time (DESIGN invariant 5)."""
        now = self.clock.now()
        issuers: set[str] = set()
        revoked = 0
        with self.unit_of_work() as work:
            for certificate in work.certificates.list_unconfirmed_since_before(now):
                profile = self.profiles.get(certificate.profile)
                if profile is not None and now < certificate.issued_at + profile.confirm_within:
                    continue
                work.certificates.save(certificate.revoke(_NEVER_CONFIRMED, at=now))
                work.crls.set_due(certificate.issuer, due=True)
                details = {"reason": RFC_NAMES[_NEVER_CONFIRMED], "why": "never confirmed"}
                event = AuditEvent("certificate.revoked", serial_text(certificate.serial), _ACTOR, now, details)
                work.audit.append(event)
                issuers.add(certificate.issuer)
                revoked += 1
            work.commit()
        for issuer in issuers:
            self.publish_changes(issuer)
        return revoked

    def forget_challenges(self) -> int:
        """Challenges nobody answered in time."""
        with self.unit_of_work() as work:
            forgotten = work.challenges.forget_expired(self.clock.now())
            work.commit()
        return forgotten
