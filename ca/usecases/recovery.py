"""Recovery codes: made after a step-up, good for a new passkey and for nothing else (THREATS 21, 46, 47).

Wrong code, unknown person and a person without codes get one sentence and cost the same look-up and MAC.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.canonical import canonical
from ca.domain.codes import new_recovery_code, parse_recovery_code
from ca.domain.errors import InvalidRequest, NotAuthenticated
from ca.domain.names import verify_text
from ca.domain.officers import LONGEST_LABEL, Officer, OfficerState
from ca.domain.recovery import CODES, RecoveryCodes
from ca.domain.sessions import CHALLENGE_LIFE, Challenge
from ca.domain.times import timestamp
from ca.ports import Authenticators, Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import OFFICER_SEAL, Authorize, save_officer
from ca.usecases.sealed import unsealed

RECOVERY_SEAL = "recovery-codes"
_CODE_SEAL = "recovery-code"
WRONG = (
    "the employee number or the recovery code is not right, or the code was used; "
    "after five wrong ones wait a quarter of an hour"
)


@dataclass(frozen=True)
class RecoveryBook:
    """Recovery codes with their seals checked and made."""

    seals: Seals

    def find(self, work: Work, officer: str) -> RecoveryCodes | None:
        """Raises Tampered for a set that the signer did not write."""
        found = work.recovery_codes.find(officer)
        if found is None:
            return None
        return unsealed(self.seals, RECOVERY_SEAL, found)

    def save(self, work: Work, codes: RecoveryCodes) -> None:
        work.recovery_codes.save(codes, self.seals.seal(RECOVERY_SEAL, codes.sealed_fields()))

    def mac(self, officer: str, made_at: datetime, code: str) -> bytes:
        """What is kept of a code: it tells nothing, and is of use in no other set."""
        message = canonical({"officer": officer, "made_at": timestamp(made_at), "code": code})
        return self.seals.seal(_CODE_SEAL, message)


@dataclass(frozen=True)
class RecoverAccess:
    """Make ten codes; with one of them and a new passkey, get back in."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authenticators: Authenticators
    authorize: Authorize
    book: RecoveryBook

    def make(self, token: str) -> Sequence[str]:
        """Ten codes, to be shown once; the ones before are void. Raises NotAllowed without a step-up."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize.stepped_up(work, token)
            codes = [new_recovery_code(self.random) for _ in range(CODES)]
            macs = tuple(self.book.mac(officer.id, now, code) for code in codes)
            before = self.book.find(work, officer.id)
            made = before.remade(macs, now) if before else RecoveryCodes(officer.id, 1, macs, now)
            self.book.save(work, made)
            details = {"void": str(len(before.macs) if before else 0)}
            work.audit.append(AuditEvent("recovery.codes-made", officer.id, officer.person, now, details))
            work.commit()
        return codes

    def open(self, person: str, code: str) -> tuple[Officer, bytes]:
        """Whose code it is, and a challenge for a new passkey. Raises NotAuthenticated, in one sentence for all."""
        value = self.random(32)
        with self.unit_of_work() as work:
            officer, _codes, _mac = self._require(work, person, code)
            work.challenges.add(Challenge(_purpose(officer), value, self.clock.now() + CHALLENGE_LIFE))
            work.commit()
        return officer, value

    def __call__(self, person: str, code: str, *, challenge: bytes, registration: str, label: str) -> Officer:
        """Register the new passkey; every session ends, and whoever has the passkey signs in with it like anybody."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer, codes, mac = self._require(work, person, code)
            given = work.challenges.take(_purpose(officer), challenge)
            work.commit()  # it stays used, whatever comes of it
        if given is None or given.is_over(now):
            raise NotAuthenticated("this took too long; begin again")
        credential = self.authenticators.verify_registration(
            registration, challenge=challenge, label=verify_text(label, LONGEST_LABEL)
        )
        with self.unit_of_work() as work:
            officer, codes, mac = self._require(work, person, code)
            if work.officers.find_by_credential(credential.id) is not None:
                raise InvalidRequest("this passkey is registered already")
            used = codes.use(mac, now)
            self.book.save(work, used)
            recovered = officer.with_credential(credential)
            save_officer(work, self.seals, recovered)
            work.sessions.end_all_of(officer.id)
            details = {"left": str(len(used.macs))}
            work.audit.append(AuditEvent("recovery.code-used", officer.id, officer.person, now, details))
            details = {"by": "recovery code", "officer_version": str(recovered.version)}
            work.audit.append(AuditEvent("officer.passkey-registered", officer.id, officer.person, now, details))
            work.commit()
        return recovered

    def _require(self, work: Work, person: str, code: str) -> tuple[Officer, RecoveryCodes, bytes]:
        """The officer, the set and the MAC of this code in it. A miss is counted and committed."""
        now = self.clock.now()
        found = work.officers.find_by_person(person)
        officer = self._sealed(found) if found else None
        codes = self.book.find(work, officer.id if officer else "")
        mac = self._mac(officer.id if officer else "", codes.made_at if codes else now, code)
        hears = codes is not None and codes.hears(now)
        if officer and codes and hears and any(hmac.compare_digest(mac, one) for one in codes.macs):
            if officer.state is OfficerState.ACTIVE:
                return officer, codes, mac
        elif officer and codes and hears:
            missed = codes.miss(now)
            self.book.save(work, missed)
            details = {"misses": str(missed.misses)}
            work.audit.append(AuditEvent("recovery.code-missed", officer.id, "unknown", now, details))
            work.commit()
        raise NotAuthenticated(WRONG)

    def _sealed(self, found: tuple[Officer, bytes]) -> Officer:
        return unsealed(self.seals, OFFICER_SEAL, found)

    def _mac(self, officer: str, made_at: datetime, code: str) -> bytes:
        try:
            return self.book.mac(officer, made_at, parse_recovery_code(code))
        except InvalidRequest:
            return b""


def _purpose(officer: Officer) -> str:
    return f"recover:{officer.id}"
