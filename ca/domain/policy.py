"""The bank's policy in numbers: how long things may take and live. Two CA administrators change them, from a day on.

No configuration and no version can leave the bounds here. The least value of each is the strictest one the CA can work
with: all of them together hold when the record of what was decided is broken.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from ca.domain.canonical import digest
from ca.domain.errors import InvalidRequest
from ca.domain.times import duration_text, parse_duration
from ca.domain.versions import Version

POLICY = "policy"
"""What its versions are called; there is one policy."""

_DAY, _HOUR, _MINUTE, _SECOND = (timedelta(**{unit: 1}) for unit in ("days", "hours", "minutes", "seconds"))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which a number may be chosen, and what it is when nobody chose."""

    least: timedelta
    usual: timedelta
    most: timedelta


NUMBERS: Mapping[str, Bounds] = {
    "codes_life": Bounds(_HOUR, 14 * _DAY, 14 * _DAY),
    "letter_life": Bounds(_HOUR, 14 * _DAY, 14 * _DAY),
    "decide_within": Bounds(15 * _MINUTE, 4 * _HOUR, 7 * _DAY),
    "hold_undo": Bounds(_MINUTE, 10 * _MINUTE, _HOUR),
    "hold_longest": Bounds(_DAY, 30 * _DAY, 90 * _DAY),
    "cancellation_undo": Bounds(_HOUR, _DAY, 7 * _DAY),
    "session_idle": Bounds(2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE),
    "session_life": Bounds(30 * _MINUTE, 8 * _HOUR, 12 * _HOUR),
    "portal_session_idle": Bounds(2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE),
    "portal_session_life": Bounds(30 * _MINUTE, 2 * _HOUR, 8 * _HOUR),
    "invitation_life": Bounds(_HOUR, 7 * _DAY, 14 * _DAY),
    "officer_change_life": Bounds(_HOUR, 7 * _DAY, 14 * _DAY),
    "unlock_case_life": Bounds(_HOUR, 3 * _DAY, 7 * _DAY),
    "crl_within": Bounds(5 * _SECOND, 10 * _SECOND, 60 * _SECOND),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """All numbers. Raises InvalidRequest for one that is out of its bounds: no such policy exists."""

    version: int
    codes_life: timedelta
    """The two codes of an application, at most; a profile may say less (`codes_valid_for`)."""
    letter_life: timedelta
    """The letter that opens an account on the portal."""
    decide_within: timedelta
    """After which an application that waits is due: who applied in the morning is decided on before the branch closes.
    Hours of the clock, not working hours."""
    hold_undo: timedelta
    """In which who held a certificate by mistake can take that back alone: as long as the customer is still at the
    counter or on the telephone. After it a supervisor releases."""
    hold_longest: timedelta
    """After which a supervisor must release or revoke what is on hold (RFC 3647 section 4.9.16)."""
    cancellation_undo: timedelta
    """So long a customer's cancellation only holds the certificate, and can be undone."""
    session_idle: timedelta
    """An officer's session without a request."""
    session_life: timedelta
    portal_session_idle: timedelta
    """A customer's session without a request."""
    portal_session_life: timedelta
    invitation_life: timedelta
    officer_change_life: timedelta
    """So long the second security officer may take."""
    unlock_case_life: timedelta
    crl_within: timedelta
    """Until a CRL that is made at once is there, as relying parties are promised (`ca/domain/receipts.py`)."""

    def __post_init__(self) -> None:
        for name, bounds in NUMBERS.items():
            value = getattr(self, name)
            if not bounds.least <= value <= bounds.most or value % _SECOND:
                least, most = duration_text(bounds.least), duration_text(bounds.most)
                raise InvalidRequest(f"{name} is from {least} to {most}, and not {duration_text(value)}")

    def numbers(self) -> dict[str, str]:
        """Each as the configuration writes it."""
        return {name: duration_text(getattr(self, name)) for name in NUMBERS}

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all of it."""
        return digest("vermilion policy v1", {"version": self.version} | self.numbers()).hex()


def first_policy(chosen: Mapping[str, str]) -> Policy:
    """Version 1: what the configuration chooses, the rest as usual. Raises InvalidRequest."""
    numbers = {name: bounds.usual for name, bounds in NUMBERS.items()}
    return Policy(version=1, **(numbers | _parsed(chosen)))


def text_of(numbers: Mapping[str, str], version: int) -> str:
    """A version's text: a line for each number."""
    return "\n".join([f"version = {version}", *(f"{name} = {numbers.get(name, '')}" for name in NUMBERS)]) + "\n"


class PolicyTexts:
    """profile_records.Texts."""

    def parse(self, name: str, text: str) -> Policy:
        """Raises InvalidRequest unless every number is there, once."""
        if name != POLICY:
            raise InvalidRequest(f"there is no policy {name}")
        lines = [line.partition(" = ") for line in text.splitlines()]
        if [line[0] for line in lines] != ["version", *NUMBERS]:
            raise InvalidRequest("a policy says every number, once and in order")
        version = lines[0][2]
        if not (version.isascii() and version.isdecimal() and len(version) < 10):
            raise InvalidRequest("the number of a version is written in digits")
        return Policy(version=int(version), **_parsed({number: value for number, _is, value in lines[1:]}))

    def write(self, content: Policy) -> str:
        return text_of(content.numbers(), content.version)


def _parsed(numbers: Mapping[str, str]) -> dict[str, timedelta]:
    unknown = sorted(set(numbers) - set(NUMBERS))
    if unknown:
        raise InvalidRequest(f"there is no number {unknown[0]}; there are {', '.join(NUMBERS)}")
    found = {}
    for name, text in numbers.items():
        try:
            found[name] = parse_duration(text)
        except InvalidRequest as error:
            raise InvalidRequest(f'{name}: write a time as "30d", "12h", "5m" or "10s"') from error
    return found


USUAL = first_policy({})
STRICTEST = Policy(version=0, **{name: bounds.least for name, bounds in NUMBERS.items()})
"""What holds while the record of what was decided is broken: whoever broke it gains no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion(Version):
    """A version of the policy; its text has a line for each number."""

    kind: ClassVar[str] = POLICY

    policy: str
    policy_digest: str


def require_successor(last: Policy, new: Policy) -> None:
    """Raise InvalidRequest when this cannot follow the last version."""
    if new.version != last.version + 1:
        raise InvalidRequest(f"the next version has the number {last.version + 1}: write version = {last.version + 1}")
    if new == replace(last, version=new.version):
        raise InvalidRequest("nothing is changed but the number")


def changed(before: Policy, after: Policy) -> list[str]:
    """Names of the numbers that differ."""
    return [name for name in NUMBERS if getattr(before, name) != getattr(after, name)]
