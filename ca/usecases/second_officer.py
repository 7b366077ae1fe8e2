"""Which revocations wait for a second officer, and the cases that do (ca/domain/revocation_cases.py).

What is read here to end or hold a certificate is read leniently: no row that somebody forged, and no profile that
cannot be read, may keep a certificate good. What is read to release one is read strictly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound, PKIError, Tampered
from ca.domain.names import verify_text
from ca.domain.officers import Officer
from ca.domain.profiles import Profile
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.revocation_cases import CASE_LIFE, RevocationCase, RevocationCaseState, needs_second_officer
from ca.domain.serials import serial_text
from ca.ports import Random, Seals, Work
from ca.usecases.sealed import unsealed

REVOCATION_SEAL = "revocation-case"
REVOCATION_APPROVED = "revocation.approved"
LONGEST_WHY = 300


@dataclass(frozen=True, slots=True)
class WantedRevocation:
    """What an officer asks for."""

    reason: RevocationReason
    invalid_since: datetime | None
    why: str


@dataclass(frozen=True)
class SecondOfficer:
    """The policy, and the sealed cases."""

    random: Random
    seals: Seals
    profiles: Mapping[str, Profile]

    def is_policy(self, certificate: Certificate) -> bool:
        """What its profile in force says. A policy that cannot be read is the strict one: the hold loses nothing."""
        try:
            return self.profiles[certificate.profile].revocation_by_two
        except (KeyError, PKIError):
            return True

    def is_needed(self, certificate: Certificate, reason: RevocationReason) -> bool:
        return needs_second_officer(certificate.status, reason, by_two=self.is_policy(certificate))

    def find(self, work: Work, case_id: str) -> RevocationCase:
        """As the signer wrote it. Raises NotFound, Tampered."""
        found = work.revocation_cases.find(case_id)
        if found is None:
            raise NotFound("there is no such revocation at your branch")
        return unsealed(self.seals, REVOCATION_SEAL, found)

    def open_case(
        self, work: Work, held: Certificate, wanted: WantedRevocation, officer: Officer, now: datetime
    ) -> RevocationCase:
        """About the hold that `held` is on. Raises InvalidTransition while another one waits, InvalidRequest."""
        if held.revocation is None:
            raise InvalidTransition("only a certificate on hold waits for a second officer")
        if any(case.is_waiting(now) for case in self._readable(work, held.serial)):
            raise InvalidTransition("a revocation of this certificate waits for another officer already")
        if not wanted.why.strip():
            raise InvalidRequest("say why, in a few words: another officer decides on it")
        self.overtake(work, held.serial, officer, now)
        case = RevocationCase(
            id=self.random(8).hex(),
            version=1,
            serial=held.serial,
            subject=held.subject,
            branch=held.branch,
            reason=wanted.reason,
            invalid_since=wanted.invalid_since,
            why=verify_text(wanted.why, LONGEST_WHY),
            held_since=held.revocation.revoked_at,
            proposed_by=officer.person,
            proposed_at=now,
            expires_at=now + CASE_LIFE,
        )
        self.save(work, case)
        return case

    def overtake(self, work: Work, serial: int, officer: Officer, now: datetime) -> None:
        """Something else becomes of the certificate: no case about it is open any more."""
        for case in self._readable(work, serial):
            if case.state is RevocationCaseState.PROPOSED:
                self.save(work, case.decide(RevocationCaseState.OVERTAKEN, by=officer.person))
                event = AuditEvent("revocation.overtaken", serial_text(serial), officer.person, now, case_details(case))
                work.audit.append(event)

    def require_none_waiting(self, work: Work, serial: int, now: datetime) -> None:
        """Raise InvalidTransition while one waits: who proposed it would be passed over. Tampered for a forged row."""
        if any(case.is_waiting(now) for case in self._sealed(work, serial)):
            raise InvalidTransition("a revocation of this certificate waits for another officer; reject that one first")

    def save(self, work: Work, case: RevocationCase) -> None:
        """Seal and save."""
        work.revocation_cases.save(case, self.seals.seal(REVOCATION_SEAL, case.sealed_fields()))

    def _sealed(self, work: Work, serial: int) -> list[RevocationCase]:
        return [unsealed(self.seals, REVOCATION_SEAL, found) for found in work.revocation_cases.list_of(serial)]

    def _readable(self, work: Work, serial: int) -> list[RevocationCase]:
        # Whoever can write into the database must not be able to keep a certificate good with it.
        try:
            found = work.revocation_cases.list_of(serial)
        except Tampered:
            return []
        return [case for case, seal in found if self._is_ours(case, seal)]

    def _is_ours(self, case: RevocationCase, seal: bytes) -> bool:
        try:
            unsealed(self.seals, REVOCATION_SEAL, (case, seal))
        except Tampered:
            return False
        return True


def case_details(case: RevocationCase) -> dict[str, str]:
    """What the log says of a case; its events are about the certificate, so that they stand in its history."""
    return {"case": case.id, "reason": RFC_NAMES[case.reason]}
