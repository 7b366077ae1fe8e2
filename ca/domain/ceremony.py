"""The key ceremony: a reviewed script, steps in order, a transcript with a hash (CPS section 6.1).

A script can only name the few things a ceremony does; it is data, reviewed like code.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ca.domain.errors import InvalidRequest
from ca.domain.times import timestamp


class Act(StrEnum):
    """What a step can do."""

    MAKE_TOKEN = "make-token"  # noqa: S105  a step of the script, no password
    MAKE_KEY = "make-key"
    MAKE_SEAL_KEY = "make-seal-key"
    CERTIFY_ROOT = "certify-root"
    CERTIFY_ISSUING = "certify-issuing"
    SIGN_ROOT_CRL = "sign-root-crl"
    INVITE_OFFICER = "invite-officer"


_NEEDS: dict[Act, frozenset[str]] = {
    Act.MAKE_TOKEN: frozenset({"token"}),
    Act.MAKE_KEY: frozenset({"token", "key", "algorithm"}),
    Act.MAKE_SEAL_KEY: frozenset({"token", "key"}),
    Act.CERTIFY_ROOT: frozenset({"token", "key", "algorithm", "issuer", "profile"}),
    Act.CERTIFY_ISSUING: frozenset({"token", "signed_by", "key", "algorithm", "issuer", "profile"}),
    Act.SIGN_ROOT_CRL: frozenset({"token", "issuer", "days"}),
    Act.INVITE_OFFICER: frozenset({"person", "name", "branch", "roles"}),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered step: who acts, what they say and do."""

    number: int
    role: str
    words: str
    act: Act
    parameters: Mapping[str, str]

    def __post_init__(self) -> None:
        wrong = _NEEDS[self.act] ^ set(self.parameters)
        if wrong:
            raise InvalidRequest(
                f"step {self.number} ({self.act.value}): missing or unknown: {', '.join(sorted(wrong))}"
            )

    def __getitem__(self, name: str) -> str:
        return self.parameters[name]


@dataclass(frozen=True, slots=True)
class Script:
    """A ceremony as it was reviewed; `digest` is SHA-256 of the file, hex."""

    title: str
    roles: Mapping[str, str]
    steps: tuple[Step, ...]
    digest: str

    def __post_init__(self) -> None:
        for step in self.steps:
            if step.role not in self.roles:
                raise InvalidRequest(f"step {step.number}: there is no role {step.role!r} in this script")


@dataclass
class Transcript:
    """What was done, line by line; the hash goes into the audit log and is read aloud."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        self.lines.append(line)

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def opening(script: Script, at: datetime) -> list[str]:
    """How a transcript begins."""
    people = [f"  {role}: {person}" for role, person in script.roles.items()]
    return [
        f"Key ceremony: {script.title}",
        f"Begun: {timestamp(at)}",
        f"Script SHA-256: {script.digest}",
        "Present:",
        *people,
    ]


def read_aloud(fingerprint: bytes) -> str:
    """A fingerprint in groups of four hex digits, as people read it to each other."""
    text = fingerprint.hex().upper()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
