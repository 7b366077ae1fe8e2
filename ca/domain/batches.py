"""Several applications that were entered at once for a company, and may be approved by one signature.

Each is a case of its own: decided on by itself, or with all that still wait. What is signed is the list of their
digests.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ca.domain.canonical import canonical, digest
from ca.domain.decisions import Act, Decision
from ca.domain.errors import NotAllowed
from ca.domain.officers import Officer
from ca.domain.times import timestamp

MOST = 200
"""Applications in one batch: as many as somebody can read before signing."""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A person of a company, as the maker's list has them."""

    number: str
    name: str
    document_number: str
    email: str = ""
    phone: str = ""
    device_serial: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be applied; lines are counted from 1."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A list of cases, sealed when its maker entered them."""

    id: str
    company: str
    company_name: str
    profile: str
    branch: str
    maker_person: str
    maker_name: str
    submitted_at: datetime
    cases: tuple[tuple[str, str], ...]
    """Application and the digest of its case (SHA-256, hex), in the order of the list."""

    def fields(self) -> dict[str, Any]:
        """As plain values, for the page, the digest and the seal."""
        return {
            "id": self.id,
            "company": self.company,
            "company_name": self.company_name,
            "profile": self.profile,
            "branch": self.branch,
            "maker_person": self.maker_person,
            "maker_name": self.maker_name,
            "submitted_at": timestamp(self.submitted_at),
            "cases": [list(pair) for pair in self.cases],
        }

    def sealed_fields(self) -> bytes:
        return canonical(self.fields())

    def digest(self) -> bytes:
        """SHA-256 of the batch as shown."""
        return digest("vermilion batch v1", self.fields())

    def holds(self, application: str, case_digest: bytes) -> bool:
        """Whether exactly this case was entered with it."""
        return (application, case_digest.hex()) in self.cases

    def require_other_person(self, checker_person: str) -> None:
        """Raise NotAllowed when the checker is the person who entered the batch."""
        if checker_person == self.maker_person:
            raise NotAllowed("who entered a batch may not decide on it; another officer must")


def batch_approval(batch: Batch, officer: Officer) -> Decision:
    """The decision that this officer takes by approving the cases of this batch that still wait."""
    return Decision(Act.APPROVE_BATCH, batch.id, batch.digest(), officer.id, officer.person)
