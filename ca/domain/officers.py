"""Officers, their trusted roles and their invitations (RFC 3647 section 5.2; DESIGN invariant 2).

An officer's record counts only with the signer's seal over `sealed_fields`. Nobody is ever deleted.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from ca.domain.canonical import canonical
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.times import timestamp


class TrustedRole(StrEnum):
    """What an officer may do."""

    RA_OPERATOR = "ra-operator"
    RA_APPROVER = "ra-approver"
    RA_SUPERVISOR = "ra-supervisor"
    HOTLINE = "hotline"
    CA_ADMINISTRATOR = "ca-administrator"
    SECURITY_OFFICER = "security-officer"
    AUDITOR = "auditor"


MOST_PASSKEYS = 10
LONGEST_LABEL = 60

# Separation of duties: no person holds two of these, and none of them works on cases or holds certificates.
_EXCLUSIVE = frozenset({TrustedRole.SECURITY_OFFICER, TrustedRole.CA_ADMINISTRATOR, TrustedRole.AUDITOR})
_CASE_WORK = frozenset(
    {TrustedRole.RA_OPERATOR, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR, TrustedRole.HOTLINE}
)


def require_compatible(roles: frozenset[TrustedRole]) -> None:
    """Raise InvalidRequest when one person must not hold these roles together."""
    apart = roles & _EXCLUSIVE
    if not roles:
        raise InvalidRequest("an officer needs at least one role")
    if len(apart) > 1 or (apart and roles & _CASE_WORK):
        names = ", ".join(sorted(role.value for role in roles))
        raise InvalidRequest(f"one person may not hold these roles together: {names}")


_EMPLOYEE_NUMBER = re.compile("[A-Z0-9](-?[A-Z0-9])*")


def require_employee_number(text: str) -> None:
    """Raise InvalidRequest unless written in the one way there is: `e1001` beside `E1001` would be a second person."""
    if not _EMPLOYEE_NUMBER.fullmatch(text):
        raise InvalidRequest("an employee number is capital letters and digits, with single hyphens between them")


class OfficerState(StrEnum):
    """Where an officer stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEFT = "left"


_NEXT: dict[OfficerState, frozenset[OfficerState]] = {
    OfficerState.ACTIVE: frozenset({OfficerState.SUSPENDED, OfficerState.LEFT}),
    OfficerState.SUSPENDED: frozenset({OfficerState.ACTIVE, OfficerState.LEFT}),
    OfficerState.LEFT: frozenset(),
}


def transitions() -> dict[OfficerState, frozenset[OfficerState]]:
    """The table, for the drawing and the property test."""
    return dict(_NEXT)


@dataclass(frozen=True, slots=True)
class Credential:
    """A passkey: credential id and COSE public key (WebAuthn level 2, section 6.5)."""

    id: bytes
    public_key: bytes
    label: str
    sign_count: int = 0
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Officer:
    """A bank employee with trusted roles at one branch. `person` is the employee number and never changes."""

    id: str
    person: str
    name: str
    branch: str
    roles: frozenset[TrustedRole]
    state: OfficerState
    credentials: tuple[Credential, ...]
    version: int = 1

    def sealed_fields(self) -> bytes:
        """What the seal covers. Sign count and last use are left out: they change at every use and grant nothing."""
        fields: dict[str, Any] = {
            "id": self.id,
            "person": self.person,
            "name": self.name,
            "branch": self.branch,
            "roles": sorted(role.value for role in self.roles),
            "state": self.state.value,
            "credentials": sorted([c.id.hex(), c.public_key.hex(), c.label] for c in self.credentials),
            "version": self.version,
        }
        return canonical(fields)

    def require(self, *roles: TrustedRole) -> None:
        """Raise NotAllowed unless active and holding one of the roles."""
        if self.state is not OfficerState.ACTIVE:
            raise NotAllowed(f"{self.name} is {self.state.value} and may not act")
        if not self.roles & set(roles):
            wanted = " or ".join(role.value for role in roles)
            raise NotAllowed(f"this needs the role {wanted}")

    def become(self, wanted: OfficerState) -> "Officer":
        """Raise InvalidTransition unless the table allows it."""
        if wanted not in _NEXT[self.state]:
            raise InvalidTransition(f"an officer who is {self.state.value} cannot become {wanted.value}")
        return replace(self, state=wanted, version=self.version + 1)

    def moved(self, *, branch: str, roles: frozenset[TrustedRole]) -> "Officer":
        """The same with these roles, at this branch. Raises InvalidRequest for roles that exclude each other."""
        require_compatible(roles)
        return replace(self, branch=branch, roles=roles, version=self.version + 1)

    def find_credential(self, credential_id: bytes) -> Credential | None:
        """The passkey with this id, if it is theirs."""
        return next((c for c in self.credentials if c.id == credential_id), None)

    def with_credential(self, credential: Credential) -> "Officer":
        """The same officer with one passkey more. Raises InvalidTransition when there are too many."""
        if len(self.credentials) >= MOST_PASSKEYS:
            raise InvalidTransition(f"{MOST_PASSKEYS} passkeys are the most; remove one first")
        return replace(self, credentials=(*self.credentials, credential), version=self.version + 1)

    def without_credential(self, credential_id: bytes) -> "Officer":
        """The same officer with one passkey less. Raises NotFound for another's, InvalidTransition for the last one."""
        if self.find_credential(credential_id) is None:
            raise NotFound("you have no such passkey")
        left = tuple(each for each in self.credentials if each.id != credential_id)
        if not left:
            raise InvalidTransition("this is your last passkey; add another one before you remove it")
        return replace(self, credentials=left, version=self.version + 1)


class InvitationState(StrEnum):
    """Where an invitation stands."""

    PROPOSED = "proposed"
    OPEN = "open"
    REDEEMED = "redeemed"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A promise of roles to a person: approved by two security officers, or made by the key ceremony itself."""

    id: str
    person: str
    name: str
    branch: str
    roles: frozenset[TrustedRole]
    proposed_by: str
    """Person id of the security officer who proposed it, or `ceremony:<transcript hash>`."""
    state: InvitationState
    expires_at: datetime
    code_mac: bytes = b""
    """Of the proposer's half of the code while it is proposed, of both halves once it is open."""
    approved_by: str = ""

    def fields(self) -> dict[str, Any]:
        """What the second security officer approves."""
        return {
            "id": self.id,
            "person": self.person,
            "name": self.name,
            "branch": self.branch,
            "roles": sorted(role.value for role in self.roles),
            "proposed_by": self.proposed_by,
            "expires_at": timestamp(self.expires_at),
        }

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        state = {"state": self.state.value, "code_mac": self.code_mac.hex(), "approved_by": self.approved_by}
        return canonical(self.fields() | state)

    def is_redeemable(self, now: datetime) -> bool:
        return self.state is InvitationState.OPEN and now <= self.expires_at


def whole_code(approver_half: str, proposer_half: str) -> str:
    """An invitation's code as a link carries it when one hand may hold all of it, as in a witnessed ceremony."""
    return f"{approver_half}.{proposer_half}"


def code_halves(code: str) -> tuple[str, str]:
    """The approver's half and the proposer's; an absent one is empty."""
    approver_half, _, proposer_half = code.partition(".")
    return approver_half, proposer_half
