"""Which settings the signer goes by, and where each comes from: for those who look after the CA, and auditors."""

from collections.abc import Sequence
from dataclasses import dataclass

from ca.domain.accounts import LETTER_LIFE, UNDO_WINDOW
from ca.domain.officers import TrustedRole
from ca.domain.profile_versions import duration_text
from ca.domain.profiles import LONGEST_END_ENTITY_VALIDITY
from ca.domain.sessions import ABSOLUTE_LIMIT, CHALLENGE_LIFE, IDLE_LIMIT
from ca.domain.tool_releases import LIFE as RELEASE_LIFE
from ca.domain.unlocking import ANSWERS, CASE_LIFE, CODE_ATTEMPTS
from ca.ports import UnitOfWork
from ca.usecases.authorize import Authorize
from ca.usecases.officers import INVITATION_LIFE

PROGRAM = "program"
"""Compiled in: no setting changes it."""


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One of them. `source`: file, default, environment or program."""

    name: str
    value: str
    source: str


_COMPILED_IN = (
    ShownSetting("validity of an end entity, at most", duration_text(LONGEST_END_ENTITY_VALIDITY), PROGRAM),
    ShownSetting("officer's session, idle", duration_text(IDLE_LIMIT), PROGRAM),
    ShownSetting("officer's session, at most", duration_text(ABSOLUTE_LIMIT), PROGRAM),
    ShownSetting("answer to a passkey's challenge", duration_text(CHALLENGE_LIFE), PROGRAM),
    ShownSetting("invitation of an officer", duration_text(INVITATION_LIFE), PROGRAM),
    ShownSetting("undoing a customer's cancellation", duration_text(UNDO_WINDOW), PROGRAM),
    ShownSetting("letter for the portal", duration_text(LETTER_LIFE), PROGRAM),
    ShownSetting("unlock case", duration_text(CASE_LIFE), PROGRAM),
    ShownSetting("wrong unlock codes", str(CODE_ATTEMPTS), PROGRAM),
    ShownSetting("answers to one unlock case", str(ANSWERS), PROGRAM),
    ShownSetting("release of the tool", duration_text(RELEASE_LIFE), PROGRAM),
)


@dataclass(frozen=True)
class ShowSettings:
    """Read once, when the signer started: what is in force until it starts again."""

    unit_of_work: UnitOfWork
    authorize: Authorize
    read: Sequence[ShownSetting]

    def __call__(self, session: str) -> Sequence[ShownSetting]:
        with self.unit_of_work() as work:
            roles = (TrustedRole.CA_ADMINISTRATOR, TrustedRole.SECURITY_OFFICER, TrustedRole.AUDITOR)
            self.authorize(work, session, *roles)
            work.commit()
        return (*self.read, *_COMPILED_IN)
