"""Record, sign, record: the one way a certificate comes to be (DESIGN invariant 1).

The serial and the exact TBS bytes are committed before the HSM is asked. What was recorded is what is signed, now or
after a crash: finishing an intent always signs the same bytes, so two signatures can never mean two certificates.
"""

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

from ca.domain.applications import Application, ApplicationState
from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus, Intent
from ca.domain.crl import find_partition
from ca.domain.der import signed
from ca.domain.devices import DeviceState
from ca.domain.drafting import Draft, verify_signed
from ca.domain.errors import InvalidTransition, LintFailed, Tampered
from ca.domain.issuers import Issuer
from ca.domain.keys import SIGNATURE_OF, SignatureAlgorithm
from ca.domain.linting import lint_certificate
from ca.domain.names import Name
from ca.domain.profiles import Profile
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.serials import serial_text
from ca.domain.tbs import read_tbs
from ca.ports import Clock, KeyId, KeyStore, Linter, Seals, UnitOfWork, Work
from ca.usecases.clock import require_clock

_INTENT_SEAL = "intent"


class Turns:
    """One thread at a time for each serial, so that two downloads at once ask the HSM for one signature."""

    def __init__(self) -> None:
        self._locks = tuple(threading.Lock() for _ in range(64))

    def for_serial(self, serial: int) -> AbstractContextManager[bool]:
        return self._locks[serial % len(self._locks)]


@dataclass(frozen=True)
class Issuance:
    """The issuing CA's hand: drafts are linted and recorded, intents are signed, certificates are recorded."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    seals: Seals
    linter: Linter
    turns: Turns = field(default_factory=Turns)

    def record(self, work: Work, intent: Intent, draft: Draft, issuer: Issuer, profile: Profile, actor: str) -> Intent:
        """Lint, then record what is about to be signed. Raises LintFailed, NotReady: nothing is recorded then."""
        require_clock(work, intent.intended_at)
        lint_certificate(draft, profile, issuer)
        # The independent linter wants a whole certificate; a signature of zeros has the right shape for it.
        placeholder = _placeholder_signature(draft.algorithm)
        findings = self.linter.lint_certificate(signed(draft.tbs_der, draft.algorithm, placeholder))
        if findings:
            raise LintFailed("; ".join(findings))
        sealed = replace(intent, seal=self.seals.seal(_INTENT_SEAL, intent.sealed_fields()))
        work.intents.add(sealed)
        details = {"application": intent.application, "profile": intent.profile, "key": intent.public_key}
        if intent.request_der:
            details["request"] = intent.request
        event = AuditEvent("certificate.intended", serial_text(intent.serial), actor, intent.intended_at, details)
        work.audit.append(event)
        return sealed

    def finish(self, intent: Intent, issuer: Issuer, actor: str) -> Certificate:
        """Sign the recorded bytes, verify, record the certificate. Finishing twice returns the first certificate."""
        with self.turns.for_serial(intent.serial):
            with self.unit_of_work() as work:
                existing = work.certificates.find(intent.serial)
                if existing is not None:
                    return existing
                require_clock(work, self.clock.now())
            # A row that somebody else wrote is not what we recorded: it is never signed.
            self.seals.require(_INTENT_SEAL, intent.sealed_fields(), intent.seal)
            signature = self.key_store.sign(KeyId(issuer.key_id), intent.tbs_der)
            der = signed(intent.tbs_der, SIGNATURE_OF[issuer.algorithm], signature)
            # A wrong key, a fault in the HSM or a swapped record shows here, before anything leaves (T-50).
            verify_signed(der, issuer.spki_der)
            return self._record_signed(intent, issuer, der, actor)

    def _record_signed(self, intent: Intent, issuer: Issuer, der: bytes, actor: str) -> Certificate:
        now = self.clock.now()
        parsed = read_tbs(intent.tbs_der)
        partition, place = find_partition(parsed, issuer.name) or (None, "")
        with self.unit_of_work() as work:
            compromised = _follows_compromised(work, intent)
            application = work.applications.get(intent.application)[0] if intent.application else None
            certificate = Certificate(
                serial=intent.serial,
                issuer=issuer.name,
                profile=intent.profile,
                der=der,
                public_key=intent.public_key,
                subject=Name.from_der(parsed.subject_der).text,
                application=intent.application,
                customer=application.case.customer if application else "",
                device_serial=application.case.device_serial if application else "",
                branch=application.case.branch if application else "",
                not_before=parsed.not_before,
                not_after=parsed.not_after,
                issued_at=now,
                status=CertificateStatus.UNCONFIRMED if intent.needs_confirmation else CertificateStatus.ACTIVE,
                predecessor=intent.predecessor,
                crl_partition=partition,
            )
            try:
                work.certificates.add(certificate)
            except InvalidTransition:
                # Another node finished the same intent first: its certificate is the one that exists.
                return work.certificates.get(intent.serial)
            if partition is not None:
                work.crls.add_partition(issuer.name, partition, place)
            work.intents.mark_signed(intent.serial)
            if application and not intent.needs_confirmation:
                complete(work, application, at=now)
            details = {"application": intent.application, "profile": intent.profile, "status": certificate.status.value}
            work.audit.append(AuditEvent("certificate.issued", serial_text(intent.serial), actor, now, details))
            if compromised:
                certificate = _end_at_once(work, certificate, at=now)
            work.commit()
        return certificate


def require_recorded(seals: Seals, intent: Intent) -> None:
    """Raise Tampered unless it is as we recorded it, the kept request to the last byte."""
    intent.require_request()
    try:
        seals.require(_INTENT_SEAL, intent.sealed_fields(), intent.seal)
    except Tampered as error:
        raise Tampered("what was recorded before this certificate was signed was changed since") from error


def _follows_compromised(work: Work, intent: Intent) -> bool:
    if intent.predecessor is None:
        return False
    # Under its lock: a revocation that comes later finds this certificate as the successor.
    return work.certificates.get(intent.predecessor).is_compromised


def _end_at_once(work: Work, certificate: Certificate, *, at: datetime) -> Certificate:
    """What was asked for with a key that was then reported as compromised never holds."""
    revoked = certificate.revoke(RevocationReason.KEY_COMPROMISE, at=at)
    work.certificates.save(revoked)
    work.crls.set_due(certificate.issuer, due=True)
    details = {"reason": RFC_NAMES[RevocationReason.KEY_COMPROMISE], "why": "the certificate it follows is compromised"}
    work.audit.append(AuditEvent("certificate.revoked", serial_text(certificate.serial), "signer", at, details))
    return revoked


def complete(work: Work, application: Application, *, at: datetime) -> None:
    """The application has its certificate and its U-Shield is in use. A renewal finds both so already."""
    if application.state is ApplicationState.CLAIMED:
        work.applications.set_state(application.become(ApplicationState.COMPLETED, at=at))
    device = work.devices.find(application.case.device_serial) if application.case.device_serial else None
    if device is not None and device.state is DeviceState.ASSIGNED:
        work.devices.save(device.become(DeviceState.IN_USE))


def _placeholder_signature(algorithm: SignatureAlgorithm) -> bytes:
    # ECDSA-Sig-Value {1, 1} or a row of zeros: they have the right shape and sign nothing.
    if algorithm is SignatureAlgorithm.RSA_SHA256:
        return bytes(256)
    return bytes.fromhex("3006020101020101")
