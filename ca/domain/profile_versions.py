"""A profile changes by versions (ca/domain/versions.py).

What `ca/domain/profiles.py` forbids no version can bring back, and what a profile is for stays as it is: the code that
works with it relies on that.
"""

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import ClassVar

from ca.domain.errors import InvalidRequest
from ca.domain.profiles import Profile, SubjectRule
from ca.domain.times import duration_text
from ca.domain.versions import Version

_KIND = ("name", "ca", "internal", "path_length", "needs_device", "needs_confirmation", "ocsp_nocheck")
"""What a profile is for."""
_KIND_OF_INTERNAL = ("key_usage", "extended_key_usage")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileVersion(Version):
    """A version of a profile; its text is TOML."""

    kind: ClassVar[str] = "profile"

    profile: str
    profile_digest: str


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
