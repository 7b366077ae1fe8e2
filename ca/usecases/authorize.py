"""Who is asking, and may they? The one place where a session becomes an officer (THREATS 2-7, 45).

Nothing is believed from the database that does not carry the signer's seal; roles are read at every call, so that a
role taken away is gone at once.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ca.domain.bindings import CertificateBinding
from ca.domain.certificates import Certificate
from ca.domain.errors import NotAllowed, NotAuthenticated, NotFound
from ca.domain.officers import Officer, OfficerState, TrustedRole, require_compatible
from ca.domain.policy import Policy
from ca.domain.sessions import Session
from ca.keeping import Standings
from ca.ports import Clock, Random, Seals, Work
from ca.usecases.bound import CLOSED, require_good, sealed_binding
from ca.usecases.sealed import unsealed

OFFICER_SEAL = "officer"
SESSION_SEAL = "session"

# These roles see every branch; all others only their own.
_ALL_BRANCHES = frozenset({TrustedRole.SECURITY_OFFICER, TrustedRole.CA_ADMINISTRATOR, TrustedRole.AUDITOR})


def token_hash(token: str) -> str:
    """What is stored of a session token."""
    return hashlib.sha256(token.encode()).hexdigest()


def sees_branch(officer: Officer, branch: str) -> bool:
    """Whether things of that branch exist for this officer."""
    return officer.branch == branch or bool(officer.roles & _ALL_BRANCHES)


def require_branch(officer: Officer, branch: str, what: str) -> None:
    """Raise NotFound for another branch's thing: that it exists is not theirs to know."""
    if not sees_branch(officer, branch):
        raise NotFound(f"there is no such {what} at your branch")


@dataclass(frozen=True)
class Authorize:
    """Resolve a session token to the officer whose sealed record grants one of the roles."""

    seals: Seals
    clock: Clock
    policy: Callable[[], Policy]
    """What is in force now: how long a session lasts, and what officers do."""
    standings: Standings | None = None
    """By which a certificate must hold, too; None: officers do not sign in with certificates (docs/adr/0041)."""

    def __call__(self, work: Work, token: str, *roles: TrustedRole) -> Officer:
        """Raise NotAuthenticated when the session is over, NotAllowed without the role, Tampered on a broken seal."""
        officer = self.who(work, token)
        if roles:
            officer.require(*roles)
        return officer

    def who(self, work: Work, token: str) -> Officer:
        """The officer of a live session; keeps it alive."""
        return self._officer(work, self.live(work, token))

    def stepped_up(self, work: Work, token: str) -> Officer:
        """The same. Raises NotAllowed unless a passkey was asked for again in this session, minutes ago."""
        session = self.live(work, token)
        if not session.is_stepped_up(self.clock.now()):
            raise NotAllowed("show with your passkey that it is you, then change your access")
        return self._officer(work, session)

    def live(self, work: Work, token: str) -> Session:
        """The session; kept alive. Raises NotAuthenticated, Tampered."""
        now = self.clock.now()
        found = work.sessions.find(token_hash(token))
        if found is None or found[0].is_over(now, self.policy()):
            raise NotAuthenticated("your session is over; sign in again")
        session = unsealed(self.seals, SESSION_SEAL, found)
        if now > session.seen_at:
            work.sessions.touch(session.token_hash, now)
        return session

    def _officer(self, work: Work, session: Session) -> Officer:
        officer = self.sealed_officer(work, session.officer)
        if officer.state is not OfficerState.ACTIVE:
            raise NotAuthenticated("your session is over; sign in again")
        if session.binding:
            self._require_bound(work, session)
        return officer

    def _require_bound(self, work: Work, session: Session) -> None:
        # Held, revoked, unbound: it ends what it opened at the next request, not at the next sign-in.
        binding = sealed_binding(work, self.seals, session.binding)
        if binding.officer != session.officer:
            raise NotAuthenticated("your session is over; sign in again")
        self.require_good(work, binding)

    def require_good(self, work: Work, binding: CertificateBinding) -> Certificate:
        """The certificate that is bound. Raises NotAuthenticated unless it lets its officer in at this instant."""
        if self.standings is None:
            raise NotAuthenticated(CLOSED)
        return require_good(work, self.standings, binding, self.clock.now())

    def sealed_officer(self, work: Work, officer_id: str) -> Officer:
        """The record, if the signer wrote it. Raises Tampered otherwise."""
        return unsealed(self.seals, OFFICER_SEAL, work.officers.get(officer_id))


def save_officer(work: Work, seals: Seals, officer: Officer) -> None:
    """Seal and save. Raises InvalidRequest for roles that exclude each other, by whatever way they came."""
    require_compatible(officer.roles)
    work.officers.save(officer, seals.seal(OFFICER_SEAL, officer.sealed_fields()))


def begin_session(
    work: Work,
    seals: Seals,
    random: Random,
    officer: Officer,
    now: datetime,
    *,
    source: str,
    stepped_up: bool = False,
    binding: str = "",
) -> str:
    """The token of a new session, for an officer who just showed a key of theirs; it is kept nowhere in clear."""
    token = base64.urlsafe_b64encode(random(32)).decode("ascii").rstrip("=")
    stepped_up_at = now if stepped_up else None
    session = Session(
        token_hash(token), officer.id, now, now, source=source, stepped_up_at=stepped_up_at, binding=binding
    )
    work.sessions.save(session, seals.seal(SESSION_SEAL, session.sealed_fields()))
    return token
