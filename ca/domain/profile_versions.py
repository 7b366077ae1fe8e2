"""A profile changes by versions: one officer proposes, another approves, and from its day on it is in force.

Version 1 is what the configuration says. What `ca/domain/profiles.py` forbids no version can bring back, and what a
profile is for stays as it is: the code that works with it relies on that.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from ca.domain.canonical import canonical, digest
from ca.domain.errors import InvalidRequest
from ca.domain.profiles import Profile, SubjectRule
from ca.domain.proposals import ProposalState
from ca.domain.times import timestamp

LONGEST_WAIT = timedelta(days=366)
"""So far ahead a version may be decided on."""

_KIND = ("name", "ca", "internal", "path_length", "needs_device", "needs_confirmation", "ocsp_nocheck")
"""What a profile is for."""
_KIND_OF_INTERNAL = ("key_usage", "extended_key_usage")


@dataclass(frozen=True, slots=True)
class ProfileVersion:
    """A proposed or decided version of a profile. Counts only with the signer's seal."""

    id: str
    revision: int
    """Of this record; it only grows."""
    profile: str
    number: int
    text: str
    """As the configuration would say it (TOML)."""
    profile_digest: str
    replaces: str
    """Digest of the version that it was compared with: the last one decided on."""
    reason: str
    effective_from: datetime
    maker_person: str
    proposed_at: datetime
    state: ProposalState
    """An approved one is in force from its day until the next one's."""
    decided_by: str = ""

    def fields(self) -> dict[str, Any]:
        """What the second officer approves."""
        return {
            "version": self.id,
            "profile": self.profile,
            "number": self.number,
            "text": self.text,
            "profile_digest": self.profile_digest,
            "replaces": self.replaces,
            "reason": self.reason,
            "effective_from": timestamp(self.effective_from),
            "maker_person": self.maker_person,
            "proposed_at": timestamp(self.proposed_at),
        }

    def digest(self) -> bytes:
        """SHA-256 of the case as shown."""
        return digest("vermilion profile version v1", self.fields())

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        more = {"revision": self.revision, "state": self.state.value, "decided_by": self.decided_by}
        return canonical(self.fields() | more)

    def become(self, wanted: ProposalState, by: str) -> "ProfileVersion":
        """Raise InvalidTransition unless the table allows it."""
        return replace(self, revision=self.revision + 1, state=self.state.become(wanted), decided_by=by)


def require_successor(last: Profile, new: Profile) -> None:
    """Raise InvalidRequest when this cannot follow the last version."""
    if last.ca:
        raise InvalidRequest("the profile of a CA is changed for the next key ceremony, in its file")
    if new.version != last.version + 1:
        raise InvalidRequest(f"the next version has the number {last.version + 1}: write version = {last.version + 1}")
    kept = _KIND + (_KIND_OF_INTERNAL if last.internal else ())
    changed = [name for name in kept if getattr(new, name) != getattr(last, name)]
    if changed:
        raise InvalidRequest(f"{changed[0]} says what this profile is for and stays as it is")
    if new == replace(last, version=new.version):
        raise InvalidRequest("nothing is changed but the number")


def require_effective(at: datetime, now: datetime, after: Iterable[datetime]) -> None:
    """Raise InvalidRequest unless a version can be in force from then on; `after`: since when earlier ones are."""
    if at <= now:
        raise InvalidRequest("the day from which it is in force is over; choose a later one")
    if at > now + LONGEST_WAIT:
        raise InvalidRequest("a version is decided on at most a year ahead")
    if any(at <= earlier for earlier in after):
        raise InvalidRequest("an earlier version is in force from that time or later; choose a time behind it")


def facts(profile: Profile) -> dict[str, str]:
    """Every field as people read it, in the order of the profile."""
    return {field.name: _told(getattr(profile, field.name)) for field in fields(profile)}


def _told(value: object) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return duration_text(value)
        case frozenset() | tuple():
            inner = sorted(value) if isinstance(value, frozenset) else value
            return ", ".join(_told(one) for one in inner) or "–"
        case SubjectRule():
            return f"{value.attribute.value}={value.text}"
    return str(value)


def duration_text(value: timedelta) -> str:
    """As the configuration writes it: `397d`, `12h`, `5m`."""
    minutes = int(value.total_seconds()) // 60
    for length, unit in ((1440, "d"), (60, "h")):
        if minutes and minutes % length == 0:
            return f"{minutes // length}{unit}"
    return f"{minutes}m"
