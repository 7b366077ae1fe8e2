"""Which settings the signer goes by, and where each comes from: for those who look after the CA, and auditors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ca.domain.officers import TrustedRole
from ca.domain.profiles import LONGEST_END_ENTITY_VALIDITY
from ca.domain.receipts import ANSWER_WITHIN
from ca.domain.sessions import CHALLENGE_LIFE, STEP_UP_LIFE
from ca.domain.times import duration_text
from ca.domain.tool_releases import LIFE as RELEASE_LIFE
from ca.domain.unlocking import ANSWERS, CODE_ATTEMPTS
from ca.ports import UnitOfWork
from ca.usecases.authorize import Authorize

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
    ShownSetting("answer to a passkey's challenge", duration_text(CHALLENGE_LIFE), PROGRAM),
    ShownSetting("own access after a step-up", duration_text(STEP_UP_LIFE), PROGRAM),
    ShownSetting("OCSP answers show a change within", duration_text(timedelta(milliseconds=ANSWER_WITHIN)), PROGRAM),
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
