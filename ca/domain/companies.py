"""A company manages its operators: its administrator asks and holds, within the company alone (docs/adr/0030).

What the administrator signs on the U-Shield is a short text that the tool shows: the company, the person, the U-Shield.
"""

import re
from dataclasses import dataclass
from typing import Any

from ca.domain.customers import Customer
from ca.domain.errors import InvalidRequest
from ca.domain.names import AlternativeName, verify_text
from ca.domain.serials import serial_text

ADMINISTRATOR_PROFILE, OPERATOR_PROFILE = "company-administrator", "company-operator"
MOST_OPEN_APPLICATIONS = 20
"""Of one company at a time: what its administrator asks for is work for officers."""
_LONGEST = 64
_LONGEST_EMAIL = 200


@dataclass(frozen=True, slots=True)
class Operator:
    """Whom the administrator names; all of it stands in the text that is signed."""

    number: str
    name: str
    document_number: str
    email: str

    def __post_init__(self) -> None:
        for text in (self.number, self.name, self.document_number):
            verify_text(text, _LONGEST)
        if self.email:
            verify_text(self.email, _LONGEST_EMAIL)
            AlternativeName("email", self.email)

    @classmethod
    def of(cls, customer: Customer) -> "Operator":
        return cls(customer.number, customer.name, customer.document_number, customer.email)


def new_number(company_number: str, random: bytes) -> str:
    """The customer number of a new operator: the company's and six digits."""
    return f"{company_number}-{int.from_bytes(random) % 10**6:06d}"


def require_number(company_number: str, number: str) -> None:
    """Raise InvalidRequest unless `new_number` of this company could have made it."""
    if not re.fullmatch(rf"{re.escape(company_number)}-[0-9]{{6}}", number):
        raise InvalidRequest("your company has no such operator")


def application_text(company: str, operator: Operator, device_serial: str) -> str:
    """What an administrator signs to apply."""
    return "\n".join(
        (
            f"Company: {company}",
            f"Operator: {operator.name}",
            f"Customer number: {operator.number}",
            f"Identity document: {operator.document_number}",
            f"E-mail: {operator.email or 'none'}",
            f"U-Shield: {device_serial}",
        )
    )


def hold_text(company: str, operator: str, serial: int) -> str:
    """What an administrator signs to hold an operator's certificate."""
    return f"Company: {company}\nOperator: {operator}\nCertificate: {serial_text(serial)}"


@dataclass(frozen=True, slots=True)
class Asked:
    """An administrator's signature, kept in the case: whoever has the case can check it again at any time."""

    administrator: str
    """Serial number of the certificate whose key signed, hex."""
    email: str
    nonce: str
    """Hex."""
    signature: str
    """Hex."""

    def fields(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "administrator": self.administrator,
            "email": self.email,
            "nonce": self.nonce,
            "signature": self.signature,
        }
