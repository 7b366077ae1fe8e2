"""Who has a contract with the bank (RFC 3647 section 1.3.3)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CustomerKind(StrEnum):
    """A natural person, a company, or one of the bank's own systems."""

    PERSON = "person"
    COMPANY = "company"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as registered at a branch; the name is as on the document shown."""

    id: str
    number: str
    kind: CustomerKind
    name: str
    document_number: str
    email: str
    branch: str
    registered_by: str
    registered_at: datetime
    company: str = ""
    """Id of the company whose administrator or operator this person is; empty for everybody else."""
