"""Who has a contract with the bank (RFC 3647 section 1.3.3)."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ca.domain.errors import InvalidRequest


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
    phone: str = ""
    """For notices, as +8613800138000 (E.164); empty when there is none."""


def require_phone(text: str) -> str:
    """Raise InvalidRequest unless it is a number that works from everywhere (ITU-T E.164); answer it without blanks."""
    plain = "".join(text.split()).replace("-", "")
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", plain):
        raise InvalidRequest("write the phone number with its country, like +86 138 0013 8000")
    return plain
