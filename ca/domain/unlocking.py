"""Unlocking a U-Shield without erasing it: the case two officers decide, and what is derived for the token.

The token's SO password comes from the unlock key in the HSM, the U-Shield's serial number and a count that grows with
each use; it is kept nowhere and goes to the customer's tool alone, encrypted (docs/protocols/unlock.md).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from ca.domain.canonical import canonical, digest
from ca.domain.errors import InvalidTransition
from ca.domain.times import timestamp

CODE_ATTEMPTS = 5
ANSWERS = 3
"""So often one case gives the SO password out: an unlock that was cut off needs it again."""
ANSWERS_IN_A_ROW = 6
"""So often one U-Shield may ask without ever proving that it was unlocked; then only a new U-Shield helps."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SO_LENGTH = 32
_CONTEXT = b"vermilion unlock v1\x00"


class UnlockState(StrEnum):
    """Where a case stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    COMPLETED = "completed"
    REJECTED = "rejected"
    LOCKED = "locked"


_S = UnlockState
_NEXT: dict[UnlockState, frozenset[UnlockState]] = {
    _S.PROPOSED: frozenset({_S.APPROVED, _S.REJECTED}),
    _S.APPROVED: frozenset({_S.COMPLETED, _S.REJECTED, _S.LOCKED}),
    _S.COMPLETED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.LOCKED: frozenset(),
}


def transitions() -> dict[UnlockState, frozenset[UnlockState]]:
    """The table, for the drawing and the property test."""
    return dict(_NEXT)


@dataclass(frozen=True, slots=True)
class UnlockCase:
    """One U-Shield, once. Counts only with the signer's seal."""

    reference: str
    version: int
    device_serial: str
    customer: str
    branch: str
    reason: str
    """How the officer knows that it is the customer who asks."""
    maker_person: str
    opened_at: datetime
    expires_at: datetime
    state: UnlockState
    code_mac: bytes
    """Of the maker's half of the code while it is proposed, of both halves from then on."""
    approved_by: str = ""
    attempts_left: int = CODE_ATTEMPTS
    answers: int = 0

    def fields(self) -> dict[str, Any]:
        """What the second officer approves."""
        return {
            "reference": self.reference,
            "device_serial": self.device_serial,
            "customer": self.customer,
            "branch": self.branch,
            "reason": self.reason,
            "maker_person": self.maker_person,
            "opened_at": timestamp(self.opened_at),
            "expires_at": timestamp(self.expires_at),
        }

    def digest(self) -> bytes:
        """SHA-256 of the case as shown."""
        return digest("vermilion unlock case v1", self.fields())

    def sealed_fields(self) -> bytes:
        """What the seal covers."""
        return canonical(
            self.fields()
            | {
                "version": self.version,
                "state": self.state.value,
                "code_mac": self.code_mac.hex(),
                "approved_by": self.approved_by,
                "attempts_left": self.attempts_left,
                "answers": self.answers,
            }
        )

    def become(self, wanted: UnlockState) -> "UnlockCase":
        """Raise InvalidTransition unless the table allows it."""
        if wanted not in _NEXT[self.state]:
            raise InvalidTransition(f"an unlock that is {self.state.value} cannot become {wanted.value}")
        return replace(self, version=self.version + 1, state=wanted)

    def is_usable(self, now: datetime) -> bool:
        """Whether the customer may use it with its code."""
        return self.state is UnlockState.APPROVED and now <= self.expires_at

    def miss(self) -> "UnlockCase":
        """One wrong code; the last one locks."""
        left = self.attempts_left - 1
        missed = replace(self, version=self.version + 1, attempts_left=left)
        return missed if left > 0 else replace(missed, state=UnlockState.LOCKED)

    def answer(self) -> "UnlockCase":
        """The SO password goes out once more. Raises InvalidTransition when it went out often enough."""
        if self.answers >= ANSWERS:
            raise InvalidTransition("this unlock was begun too often; ask for another one at your branch")
        return replace(self, version=self.version + 1, answers=self.answers + 1)


def require_budget(cases: Sequence[UnlockCase]) -> None:
    """Raise InvalidTransition when a U-Shield asked too often in a row; `cases`: all of its, the youngest first."""
    unproved = 0
    for case in cases:
        if case.state is UnlockState.COMPLETED:
            break
        unproved += case.answers
    if unproved >= ANSWERS_IN_A_ROW:
        raise InvalidTransition(
            "this U-Shield was to be unlocked too often without success; revoke its certificate and hand out another"
        )


def derivation(device_serial: str, use: int) -> bytes:
    """What the unlock key derives a U-Shield's SO password from: another one after each use."""
    return canonical({"device": device_serial, "use": use})


def so_password(derived: bytes) -> str:
    """32 characters that every token takes; one that takes fewer gets the first of them."""
    number = int.from_bytes(hashlib.sha256(derived).digest(), "big")
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(_SO_LENGTH))


def envelope_info(origin: str, reference: str, token_serial: str) -> bytes:
    """What the envelope of the SO passwords is bound to (RFC 9180 section 5.1)."""
    bound = canonical({"origin": origin, "reference": reference, "token": token_serial})
    return _CONTEXT + hashlib.sha256(bound).digest()


def proof_message(origin: str, nonce: bytes, certificate_der: bytes) -> bytes:
    """What the key on the unlocked U-Shield signs."""
    return _CONTEXT + hashlib.sha256(origin.encode()).digest() + nonce + hashlib.sha256(certificate_der).digest()
