"""An application for a certificate: who asks for what, who entered it, who approved it (RFC 3647 section 4.1).

The case is what the approver sees and signs; its digest is what the signer compares before it issues. Maker and
checker are compared by person, never by account (DESIGN invariant 2).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ca.domain.canonical import canonical, digest
from ca.domain.companies import Asked
from ca.domain.errors import InvalidTransition, NotAllowed
from ca.domain.profiles import Profile
from ca.domain.times import timestamp


class ApplicationState(StrEnum):
    """Where an application stands."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CODES_ISSUED = "codes-issued"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    EXPIRED = "expired"
    LOCKED = "locked"
    VOID = "void"


_S = ApplicationState
_NEXT: dict[ApplicationState, frozenset[ApplicationState]] = {
    _S.SUBMITTED: frozenset({_S.APPROVED, _S.RETURNED, _S.REJECTED, _S.WITHDRAWN}),
    # Corrected it is a new version of the case, and waits for an approver again.
    _S.RETURNED: frozenset({_S.SUBMITTED, _S.REJECTED, _S.WITHDRAWN}),
    _S.APPROVED: frozenset({_S.CODES_ISSUED, _S.VOID}),
    _S.REJECTED: frozenset(),
    _S.WITHDRAWN: frozenset(),
    # New codes for the same approved case (a supervisor voids the old pair) keep it in CODES_ISSUED.
    _S.CODES_ISSUED: frozenset({_S.CODES_ISSUED, _S.CLAIMED, _S.EXPIRED, _S.LOCKED, _S.VOID}),
    _S.CLAIMED: frozenset({_S.COMPLETED, _S.VOID}),
    _S.COMPLETED: frozenset(),
    _S.EXPIRED: frozenset({_S.CODES_ISSUED, _S.VOID}),
    _S.LOCKED: frozenset({_S.CODES_ISSUED, _S.VOID}),
    _S.VOID: frozenset(),
}


ON_ITS_WAY = frozenset({_S.SUBMITTED, _S.RETURNED, _S.APPROVED, _S.CODES_ISSUED, _S.CLAIMED})
"""Somebody still has to do something before there is a certificate."""
CAME_TO_NOTHING = frozenset({_S.REJECTED, _S.WITHDRAWN, _S.VOID})
"""No certificate will ever come of it."""


def transitions() -> dict[ApplicationState, frozenset[ApplicationState]]:
    """The table, for the drawing and the property test."""
    return dict(_NEXT)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that decides the certificate, as shown to the approver. Changing any of it changes the digest."""

    application: str
    version: int
    profile: str
    profile_digest: str
    customer: str
    customer_number: str
    customer_name: str
    document_number: str
    subject: tuple[tuple[str, str], ...]
    alternative_names: tuple[tuple[str, str], ...]
    device_serial: str
    validity: timedelta
    branch: str
    maker_person: str
    maker_name: str
    submitted_at: datetime
    company: str = ""
    """Id of the company in whose name the customer acts; empty for all who act for themselves."""
    batch: str = ""
    """Id of the batch it was entered with (ca/domain/batches.py); empty for a case entered by itself."""
    asked: Asked | None = None
    """The signature of the company's administrator who is its maker; None when an officer is."""
    addresses: tuple[str, ...] = ()
    """E-mail and phone as registered when it was entered: what is said there reaches whom the approver saw."""

    def approved_addresses(self) -> frozenset[str]:
        """Where an authorization code may go; the register alone could be changed by one person."""
        names = {value for kind, value in self.alternative_names if kind == "email"}
        return frozenset(names | set(self.addresses) | ({self.asked.email} if self.asked else set())) - {""}

    def fields(self) -> dict[str, Any]:
        """The case as plain values, for the page, the digest and the seal."""
        return {
            "application": self.application,
            "version": self.version,
            "profile": self.profile,
            "profile_digest": self.profile_digest,
            "customer": self.customer,
            "customer_number": self.customer_number,
            "customer_name": self.customer_name,
            "document_number": self.document_number,
            "subject": [list(pair) for pair in self.subject],
            "alternative_names": [list(pair) for pair in self.alternative_names],
            "device_serial": self.device_serial,
            "validity_seconds": int(self.validity.total_seconds()),
            "branch": self.branch,
            "maker_person": self.maker_person,
            "maker_name": self.maker_name,
            "submitted_at": timestamp(self.submitted_at),
            # Left out when empty: cases sealed before there were companies keep their seals and digests.
            **({"company": self.company} if self.company else {}),
            **({"batch": self.batch} if self.batch else {}),
            **({"asked": self.asked.fields()} if self.asked else {}),
            **({"addresses": list(self.addresses)} if self.addresses else {}),
        }

    def is_under(self, profile: Profile | None) -> bool:
        """Whether this is the profile it was entered under, unchanged since."""
        return profile is not None and profile.digest == self.profile_digest

    def sealed_fields(self) -> bytes:
        """What the signer seals when the maker submits: a row nobody submitted carries no seal."""
        return canonical(self.fields())

    def digest(self) -> bytes:
        """SHA-256 of the case as shown."""
        return digest("vermilion case v1", self.fields())


@dataclass(frozen=True, slots=True)
class Application:
    """A case and where it stands."""

    case: Case
    state: ApplicationState
    reason: str = ""
    """Why it was returned, rejected, withdrawn or voided."""
    updated_at: datetime | None = None

    @property
    def id(self) -> str:
        return self.case.application

    @property
    def needs_its_device(self) -> bool:
        """Whether its U-Shield must stay the customer's: it has a certificate, or may get one."""
        return self.state not in CAME_TO_NOTHING

    def become(self, wanted: ApplicationState, *, at: datetime, reason: str = "") -> "Application":
        """Raise InvalidTransition unless the table allows it."""
        if wanted not in _NEXT[self.state]:
            raise InvalidTransition(f"an application that is {self.state.value} cannot become {wanted.value}")
        return replace(self, state=wanted, updated_at=at, reason=reason or self.reason)

    def correct(self, case: Case, *, at: datetime) -> "Application":
        """The next version of the case of a returned application. Raises InvalidTransition."""
        if (case.application, case.customer, case.version) != (self.id, self.case.customer, self.case.version + 1):
            raise InvalidTransition("this is not the next version of the case")
        return replace(self.become(_S.SUBMITTED, at=at), case=case, reason="")

    def require_other_person(self, checker_person: str) -> None:
        """Raise NotAllowed when the checker is the person who entered the case."""
        if checker_person == self.case.maker_person:
            raise NotAllowed("who entered an application may not decide on it; another officer must")
