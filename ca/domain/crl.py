"""Certificate revocation lists (RFC 5280 section 5)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CRLRecord:
    """A CRL we made: its number only ever grows (RFC 5280 section 5.2.3)."""

    issuer: str
    number: int
    this_update: datetime
    next_update: datetime
    entries: int
    der: bytes
