"""Handing out the two codes, and checking them (DESIGN invariant 4; THREATS 21, T-07 to T-10)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ca.domain.applications import Application, ApplicationState, Case
from ca.domain.audit import AuditEvent
from ca.domain.codes import (
    CodePair,
    CodeState,
    HandOver,
    new_authorization_code,
    new_reference,
    parse_authorization_code,
    shown,
)
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAuthenticated, Tampered
from ca.domain.officers import Officer, TrustedRole
from ca.domain.profiles import Profile
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.apply import find_profile
from ca.usecases.authorize import Authorize
from ca.usecases.cases import find_case
from ca.usecases.clock import require_clock
from ca.usecases.custody import hand_over
from ca.usecases.notices import SendCode

_CODE_SEAL = "authorization-code"
# The same words whatever was wrong: who guesses learns nothing (T-08).
WRONG_CODES = "the reference number or the authorization code is not valid"


@dataclass(frozen=True)
class HandedOut:
    """A pair of codes in clear: exists on one page, once."""

    reference: str
    authorization_code: str
    expires_at: datetime
    sent_to: tuple[str, ...] = ()
    """Masked addresses that the authorization code went to; empty for a letter."""


@dataclass(frozen=True)
class HandOutCodes:
    """The first pair by an officer of the branch; a new pair, which voids the old one, by a supervisor."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authorize: Authorize
    profiles: Mapping[str, Profile]
    send_code: SendCode

    def __call__(self, session: str, application_id: str, by: HandOver = HandOver.LETTER) -> HandedOut:
        """By message, the code leaves before it holds: what fails then has handed out nothing.

        Raises InvalidRequest when there is no address for a message, NotReady when it could not be written.
        """
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(
                work, session, TrustedRole.RA_OPERATOR, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR
            )
            # The pair before its application, in the order of a download: or each could wait for the other for ever.
            work.codes.find_for_application(application_id)
            application = find_case(work, self.seals, officer, application_id)
            again = application.state is not ApplicationState.APPROVED
            if again:
                officer.require(TrustedRole.RA_SUPERVISOR)
            handed_out = application.become(ApplicationState.CODES_ISSUED, at=now)
            self._void_old(work, application)
            profile = find_profile(self.profiles, application.case.profile)
            code = new_authorization_code(self.random)
            pair = CodePair(
                reference=self._free_reference(work),
                application=application.id,
                code_mac=b"",
                state=CodeState.OPEN,
                expires_at=now + min(profile.codes_valid_for, self.authorize.policy().codes_life),
                attempts_left=profile.code_attempts,
            )
            pair = replace(pair, code_mac=self.seals.seal(_CODE_SEAL, _code_message(pair, code)))
            work.codes.save(pair)
            work.applications.set_state(handed_out)
            self._hand_over_device(work, handed_out.case, officer, now)
            name = "codes.reissued" if again else "codes.handed-out"
            details = {"reference": pair.reference, "by": by.value}
            work.audit.append(AuditEvent(name, application.id, officer.person, now, details))
            sent_to = self._send(work, application, code, pair) if by is HandOver.MESSAGE else []
            work.commit()
        return HandedOut(pair.reference, code, pair.expires_at, tuple(sent_to))

    def _send(self, work: Work, application: Application, code: str, pair: CodePair) -> list[str]:
        customer, approved = work.customers.get(application.case.customer), application.case.approved_addresses()
        # The case was approved by two people and is sealed; the row of the register is neither.
        email, phone = (one if one in approved else "" for one in (customer.email, customer.phone))
        return self.send_code(work, replace(customer, email=email, phone=phone), shown(code), pair.expires_at)

    def _hand_over_device(self, work: Work, case: Case, officer: Officer, now: datetime) -> None:
        # With the first codes the customer has what it takes: from here on the branch does not count it any more.
        device = work.devices.find(case.device_serial) if case.device_serial else None
        if device is not None:
            hand_over(work, device, case.customer, by=officer.person, at=now)

    def _void_old(self, work: Work, application: Application) -> None:
        old = work.codes.find_for_application(application.id)
        if old is not None:
            work.codes.save(replace(old, state=CodeState.VOID))

    def _free_reference(self, work: Work) -> str:
        for _ in range(3):
            reference = new_reference(self.random)
            if work.codes.find(reference) is None:
                return reference
        raise InvalidTransition("no free reference number was found; the random source looks broken, call operations")


@dataclass(frozen=True)
class CheckCodes:
    """Whether a pair of codes opens the door; every miss is counted and recorded, and all misses look alike."""

    unit_of_work: UnitOfWork
    clock: Clock
    seals: Seals

    def require(self, reference: str, code: str) -> CodePair:
        """The usable pair. Raises NotAuthenticated after counting the attempt; NotReady when the clock went back."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            require_clock(work, now)  # by an old clock, expired codes are open again
            pair = work.codes.find(reference)
            if pair is not None and self._matches(pair, code) and pair.is_usable(now):
                return pair
            if pair is None:
                # The same work as for a known reference, so that time tells nothing either.
                self._matches(_NOBODY, code)
            else:
                self.count_miss(work, pair, now)
            details = {"reference": pair.reference} if pair else {}
            work.audit.append(AuditEvent("codes.refused", pair.application if pair else "", "customer", now, details))
            work.commit()
        raise NotAuthenticated(WRONG_CODES)

    def count_miss(self, work: Work, pair: CodePair, now: datetime) -> None:
        """One attempt less; the last one locks pair and application until a supervisor hands out new codes."""
        missed = pair.miss()
        work.codes.save(missed)
        if missed.state is CodeState.LOCKED and pair.state is CodeState.OPEN:
            application, _ = work.applications.get(pair.application)
            work.applications.set_state(application.become(ApplicationState.LOCKED, at=now))
            work.audit.append(AuditEvent("codes.locked", pair.application, "customer", now))

    def _matches(self, pair: CodePair, code: str) -> bool:
        try:
            message = _code_message(pair, parse_authorization_code(code))
        except InvalidRequest:
            message = _code_message(pair, "")
        try:
            self.seals.require(_CODE_SEAL, message, pair.code_mac)
        except Tampered:
            return False
        return True


_NOBODY = CodePair("0" * 10, "", bytes(32), CodeState.VOID, datetime.max.replace(tzinfo=UTC), 0)


def _code_message(pair: CodePair, code: str) -> bytes:
    # The application is covered too: moving a pair to another application's row breaks it.
    return f"{pair.reference}:{pair.application}:{code}".encode()
