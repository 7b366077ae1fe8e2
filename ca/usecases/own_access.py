"""An officer looks after their own way in: passkeys and sessions, after showing once more that it is they (THREATS 45).

A step-up is a passkey's answer to a challenge of this officer's. It gives a new session and ends the one before: a
token that somebody else knew before is worth nothing after it (T-18).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.decisions import Assertion
from ca.domain.errors import InvalidRequest, NotAuthenticated, NotFound
from ca.domain.names import verify_text
from ca.domain.officers import LONGEST_LABEL, Credential, Officer
from ca.domain.recovery import RecoveryCodes
from ca.domain.sessions import CHALLENGE_LIFE, STEP_UP_LIFE, Challenge, Session
from ca.ports import Authenticators, Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import Authorize, begin_session, save_officer, token_hash
from ca.usecases.passkeys import Passkeys
from ca.usecases.recovery import RecoveryBook

_TOO_LONG = "this took too long; try again"


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session as its officer sees it."""

    session: Session
    is_this: bool


@dataclass(frozen=True, slots=True)
class Access:
    """All the ways in that an officer has."""

    passkeys: Sequence[Credential]
    sessions: Sequence[LiveSession]
    recovery: RecoveryCodes | None
    stepped_up_until: datetime | None


@dataclass(frozen=True)
class OwnAccess:
    """Show; step up; add and remove a passkey; end sessions."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authenticators: Authenticators
    passkeys: Passkeys
    authorize: Authorize

    def show(self, token: str) -> Access:
        """Raises NotAuthenticated when the session is over."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer, session = self.authorize(work, token), self.authorize.live(work, token)
            found = work.sessions.list_of(officer.id)
            recovery = RecoveryBook(self.seals).find(work, officer.id)
            work.commit()
        policy = self.authorize.policy()
        live = [
            LiveSession(one, one.token_hash == session.token_hash) for one, _ in found if not one.is_over(now, policy)
        ]
        until = session.stepped_up_at + STEP_UP_LIFE if session.stepped_up_at and session.is_stepped_up(now) else None
        return Access(officer.credentials, live, recovery, until)

    # Showing that it is they

    def challenge(self, token: str) -> bytes:
        """What one of their passkeys is to sign, good for five minutes and for a step-up only."""
        value = self.random(32)
        with self.unit_of_work() as work:
            officer = self.authorize(work, token)
            work.challenges.add(Challenge(_step_up(officer), value, self.clock.now() + CHALLENGE_LIFE))
            work.commit()
        return value

    def step_up(self, token: str, challenge: bytes, assertion: Assertion, *, source: str = "") -> str:
        """The token of the session that takes the place of this one. Raises NotAuthenticated; this one then goes on."""
        now = self.clock.now()
        self._take(token, challenge, _step_up)
        with self.unit_of_work() as work:
            officer, binding = self.authorize(work, token), self.authorize.live(work, token).binding
            self.passkeys.require(work, officer, challenge, assertion)
            work.sessions.end(token_hash(token))
            # One that was begun with a certificate goes on to live by it.
            began = {"source": source, "binding": binding}
            fresh = begin_session(work, self.seals, self.random, officer, now, stepped_up=True, **began)
            work.audit.append(AuditEvent("officer.stepped-up", officer.id, officer.person, now))
            work.commit()
        return fresh

    # Passkeys

    def new_passkey(self, token: str) -> tuple[Officer, bytes]:
        """The officer, with the passkeys there are, and a challenge for one more. Raises NotAllowed."""
        value = self.random(32)
        with self.unit_of_work() as work:
            officer = self.authorize.stepped_up(work, token)
            work.challenges.add(Challenge(_new_passkey(officer), value, self.clock.now() + CHALLENGE_LIFE))
            work.commit()
        return officer, value

    def add_passkey(self, token: str, *, challenge: bytes, registration: str, label: str) -> Officer:
        """Raises NotAllowed without a step-up, NotAuthenticated, InvalidRequest for one that is registered."""
        now = self.clock.now()
        label = verify_text(label, LONGEST_LABEL)
        self._take(token, challenge, _new_passkey)
        with self.unit_of_work() as work:
            officer = self.authorize.stepped_up(work, token)
            credential = self.authenticators.verify_registration(registration, challenge=challenge, label=label)
            if work.officers.find_by_credential(credential.id) is not None:
                raise InvalidRequest("this passkey is registered already")
            changed = officer.with_credential(credential)
            save_officer(work, self.seals, changed)
            details = {"by": "step-up", "label": label, "officer_version": str(changed.version)}
            work.audit.append(AuditEvent("officer.passkey-registered", officer.id, officer.person, now, details))
            work.commit()
        return changed

    def remove_passkey(self, token: str, credential_id: bytes) -> Officer:
        """Every other session ends: it may be a thief's. Raises NotFound, InvalidTransition for the last one."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize.stepped_up(work, token)
            changed = officer.without_credential(credential_id)
            save_officer(work, self.seals, changed)
            work.sessions.end_all_of(officer.id, but=token_hash(token))
            label = next(each.label for each in officer.credentials if each.id == credential_id)
            details = {"label": label, "officer_version": str(changed.version)}
            work.audit.append(AuditEvent("officer.passkey-removed", officer.id, officer.person, now, details))
            work.commit()
        return changed

    # Sessions

    def end_session(self, token: str, session_id: str) -> None:
        """One of their own. Raises NotFound for another officer's or one that is over."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, token)
            found = [one for one, _ in work.sessions.list_of(officer.id) if one.id == session_id]
            if not found:
                raise NotFound("this session is over already")
            work.sessions.end(found[0].token_hash)
            self._tell(work, officer, 1, now)
            work.commit()

    def end_others(self, token: str) -> int:
        """How many were ended; this one stays."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, token)
            ended = work.sessions.end_all_of(officer.id, but=token_hash(token))
            self._tell(work, officer, ended, now)
            work.commit()
        return ended

    def _tell(self, work: Work, officer: Officer, ended: int, now: datetime) -> None:
        details = {"sessions": str(ended)}
        work.audit.append(AuditEvent("officer.sessions-ended", officer.id, officer.person, now, details))

    def _take(self, token: str, challenge: bytes, purpose_of: Callable[[Officer], str]) -> None:
        with self.unit_of_work() as work:
            officer = self.authorize(work, token)
            given = work.challenges.take(purpose_of(officer), challenge)
            work.commit()  # it stays used, whatever comes of it
        if given is None or given.is_over(self.clock.now()):
            raise NotAuthenticated(_TOO_LONG)


def _step_up(officer: Officer) -> str:
    return f"step-up:{officer.id}"


def _new_passkey(officer: Officer) -> str:
    return f"new-passkey:{officer.id}"
