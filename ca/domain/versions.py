"""What two CA administrators decide on, in force from a day on: one proposes a version, another approves it.

Version 1 is what the configuration says. The kinds are in `ca/domain/profile_versions.py` and `ca/domain/policy.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, Self

from ca.domain.canonical import canonical, digest
from ca.domain.errors import InvalidRequest
from ca.domain.proposals import ProposalState
from ca.domain.times import timestamp

LONGEST_WAIT = timedelta(days=366)
"""So far ahead a version may be decided on."""


class Numbered(Protocol):
    """What a version's text means."""

    @property
    def version(self) -> int: ...
    @property
    def digest(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A proposed or decided version. Counts only with the signer's seal."""

    kind: ClassVar[str]
    """The word in seals, digests and events."""

    id: str
    revision: int
    """Of this record; it only grows."""
    number: int
    text: str
    """As the configuration would say it."""
    replaces: str
    """Digest of what it was compared with: the last version decided on."""
    reason: str
    effective_from: datetime
    maker_person: str
    proposed_at: datetime
    state: ProposalState
    """An approved one is in force from its day until the next one's."""
    decided_by: str = ""

    @classmethod
    def about(cls, subject: str, content_digest: str) -> dict[str, str]:
        """The fields that each kind adds under its own name: of which this is a version, and what its text means."""
        return {cls.kind: subject, f"{cls.kind}_digest": content_digest}

    @property
    def subject(self) -> str:
        """Of which of its kind this is a version."""
        return str(getattr(self, self.kind))

    @property
    def content_digest(self) -> str:
        """Of what the text meant when it was proposed."""
        return str(getattr(self, f"{self.kind}_digest"))

    def fields(self) -> dict[str, Any]:
        """What the second officer approves."""
        return {
            "version": self.id,
            **self.about(self.subject, self.content_digest),
            "number": self.number,
            "text": self.text,
            "replaces": self.replaces,
            "reason": self.reason,
            "effective_from": timestamp(self.effective_from),
            "maker_person": self.maker_person,
            "proposed_at": timestamp(self.proposed_at),
        }

    def digest(self) -> bytes:
        """SHA-256 of the case as shown."""
        return digest(f"vermilion {self.kind} version v1", self.fields())

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        more = {"revision": self.revision, "state": self.state.value, "decided_by": self.decided_by}
        return canonical(self.fields() | more)

    def become(self, wanted: ProposalState, by: str) -> Self:
        """Raise InvalidTransition unless the table allows it."""
        return replace(self, revision=self.revision + 1, state=self.state.become(wanted), decided_by=by)


def require_effective(at: datetime, now: datetime, after: Iterable[datetime]) -> None:
    """Raise InvalidRequest unless a version can be in force from then on; `after`: since when earlier ones are."""
    if at <= now:
        raise InvalidRequest("the day from which it is in force is over; choose a later one")
    if at > now + LONGEST_WAIT:
        raise InvalidRequest("a version is decided on at most a year ahead")
    if any(at <= earlier for earlier in after):
        raise InvalidRequest("an earlier version is in force from that time or later; choose a time behind it")
