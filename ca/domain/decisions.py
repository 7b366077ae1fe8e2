"""A decision by an officer that must be provable later: what was decided, on what, by whom, and their passkey's word.

The passkey signs a challenge that is the decision's digest, so the signature is worthless for any other decision
(WebAuthn level 2, section 7.2; DESIGN invariant 2).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ca.domain.applications import Case
from ca.domain.canonical import digest
from ca.domain.officers import Officer


class Act(StrEnum):
    """What can be decided with a passkey."""

    APPROVE_APPLICATION = "approve-application"
    APPROVE_BATCH = "approve-batch"
    APPROVE_INVITATION = "approve-invitation"
    APPROVE_UNLOCK = "approve-unlock"
    APPROVE_OFFICER_CHANGE = "approve-officer-change"
    APPROVE_BINDING = "approve-binding"
    APPROVE_PROFILE = "approve-profile"
    APPROVE_POLICY = "approve-policy"
    RELEASE_TOOL = "release-tool"
    APPROVE_REVOCATION = "approve-revocation"


@dataclass(frozen=True, slots=True)
class Decision:
    """An act on one thing, identified by the digest of that thing as it was shown."""

    act: Act
    subject: str
    subject_digest: bytes
    officer: str
    person: str

    def challenge(self) -> bytes:
        """What the passkey signs (32 bytes)."""
        return digest(
            "vermilion decision v1",
            {
                "act": self.act.value,
                "subject": self.subject,
                "subject_digest": self.subject_digest.hex(),
                "officer": self.officer,
                "person": self.person,
            },
        )


def approval(case: Case, officer: Officer) -> Decision:
    """The decision that this officer takes by approving exactly this case."""
    return Decision(Act.APPROVE_APPLICATION, case.application, case.digest(), officer.id, officer.person)


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an authenticator returned (WebAuthn level 2, section 5.2.2), kept as evidence."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """A decision with the assertion that proves it."""

    decision: Decision
    assertion: Assertion
    public_key: bytes
    """The passkey's COSE key at the time: it stays checkable when the officer has left."""
    at: datetime
