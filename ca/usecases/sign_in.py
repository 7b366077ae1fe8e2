"""An officer signs in with a passkey; the signer checks it itself and gives the session (DESIGN section 6)."""

from dataclasses import dataclass

from ca.domain.audit import AuditEvent
from ca.domain.decisions import Assertion
from ca.domain.errors import NotAuthenticated
from ca.domain.officers import Officer, OfficerState
from ca.domain.sessions import CHALLENGE_LIFE, Challenge
from ca.ports import Authenticators, Clock, Random, Seals, UnitOfWork
from ca.usecases.authorize import OFFICER_SEAL, Authorize, begin_session, token_hash
from ca.usecases.sealed import unsealed

_PURPOSE = "sign-in"


@dataclass(frozen=True)
class SignIn:
    """Challenge, assertion, session; and the way out."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authenticators: Authenticators
    authorize: Authorize

    def challenge(self) -> bytes:
        """A one-time value for the passkey to sign, good for five minutes."""
        value = self.random(32)
        with self.unit_of_work() as work:
            work.challenges.add(Challenge(_PURPOSE, value, self.clock.now() + CHALLENGE_LIFE))
            work.commit()
        return value

    def __call__(self, challenge: bytes, assertion: Assertion, *, source: str = "") -> tuple[str, Officer]:
        """The session token and the officer. Raises NotAuthenticated, without saying what was wrong.

        `source` is the address that the front saw: told in the log and to the officer, decided by in nothing.
        """
        now = self.clock.now()
        with self.unit_of_work() as work:
            given = work.challenges.take(_PURPOSE, challenge)
            work.commit()  # it stays used, whatever comes of it
        with self.unit_of_work() as work:
            found = work.officers.find_by_credential(assertion.credential_id)
            if given is None or given.is_over(now) or found is None:
                raise NotAuthenticated("this passkey did not sign you in; try again")
            officer = unsealed(self.seals, OFFICER_SEAL, found)
            credential = officer.find_credential(assertion.credential_id)
            if credential is None or officer.state is not OfficerState.ACTIVE:
                raise NotAuthenticated("this passkey did not sign you in; try again")
            count = self.authenticators.verify_assertion(
                assertion,
                challenge=challenge,
                public_key=credential.public_key,
                previous_sign_count=credential.sign_count,
            )
            work.officers.note_use(credential.id, count, now)
            token = begin_session(work, self.seals, self.random, officer, now, source=source)
            details = {"source": source} if source else {}
            work.audit.append(AuditEvent("officer.signed-in", officer.id, officer.person, now, details))
            work.commit()
        return token, officer

    def who(self, token: str) -> Officer:
        """The officer of a live session. Raises NotAuthenticated when it is over."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, token)
            work.commit()
        return officer

    def out(self, token: str) -> None:
        """End the session."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, token)
            work.sessions.end(token_hash(token))
            work.audit.append(AuditEvent("officer.signed-out", officer.id, officer.person, self.clock.now()))
            work.commit()
