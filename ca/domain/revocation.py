"""Why a certificate stops being valid.

Reason codes are those of RFC 5280 section 5.3.1. Suspension is a revocation with reason certificateHold that may be
lifted (CPS section 4.9). A hold that becomes final keeps the time of the hold: nobody could rely on it since then.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from ca.domain.errors import InvalidRequest


class RevocationReason(IntEnum):
    """CRLReason of RFC 5280 section 5.3.1, without 7 (unused), 8 (delta CRLs only) and 2 and 10 (other kinds)."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    PRIVILEGE_WITHDRAWN = 9


RFC_NAMES: dict[RevocationReason, str] = {
    RevocationReason.UNSPECIFIED: "unspecified",
    RevocationReason.KEY_COMPROMISE: "keyCompromise",
    RevocationReason.AFFILIATION_CHANGED: "affiliationChanged",
    RevocationReason.SUPERSEDED: "superseded",
    RevocationReason.CESSATION_OF_OPERATION: "cessationOfOperation",
    RevocationReason.CERTIFICATE_HOLD: "certificateHold",
    RevocationReason.PRIVILEGE_WITHDRAWN: "privilegeWithdrawn",
}


def parse_reason(text: str) -> RevocationReason:
    """The reason by its RFC name or our own spelling, any case. Raises InvalidRequest listing what is accepted."""
    wanted = text.replace("-", "").replace("_", "").lower()
    for reason, name in RFC_NAMES.items():
        if wanted == name.lower():
            return reason
    raise InvalidRequest(f"{text!r} is not a revocation reason; use one of {', '.join(RFC_NAMES.values())}")


@dataclass(frozen=True, slots=True)
class Revocation:
    """A reason and the second from which the certificate no longer holds."""

    reason: RevocationReason
    revoked_at: datetime
    invalid_since: datetime | None = None
    """When its key was lost or misused, where that is known to be earlier (invalidityDate, RFC 5280 section 5.3.2)."""
