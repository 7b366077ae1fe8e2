"""The ports to what is kept of officers' access besides their records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ca.domain.bindings import CertificateBinding
from ca.domain.officer_changes import OfficerChange
from ca.domain.policy import Policy
from ca.domain.recovery import RecoveryCodes
from ca.domain.sessions import Challenge, Session


class OfficerChanges(Protocol):
    """Proposed changes with their seals; the use cases check the seal, the repository only keeps it."""

    def find(self, change_id: str) -> tuple[OfficerChange, bytes] | None:
        """Locks the row in PostgreSQL: two decisions on one change take turns."""

    def save(self, change: OfficerChange, seal: bytes) -> None:
        """Raise InvalidTransition unless the change there is older."""


class Bindings(Protocol):
    """Certificates bound to officers, with their seals; the use cases check the seal."""

    def find(self, binding_id: str) -> tuple[CertificateBinding, bytes] | None: ...

    def list_bound(self, serial: int) -> Sequence[tuple[CertificateBinding, bytes]]:
        """Those in force of the certificate with this serial number."""

    def save(self, binding: CertificateBinding, seal: bytes) -> None:
        """Raise InvalidTransition unless the binding there is older."""


class RecoveryCodeSets(Protocol):
    """The recovery codes of officers, one set each, with their seals."""

    def find(self, officer: str) -> tuple[RecoveryCodes, bytes] | None:
        """Locks the row in PostgreSQL: two who use one code take turns."""

    def save(self, codes: RecoveryCodes, seal: bytes) -> None:
        """Raise InvalidTransition unless the set there is older."""


class Sessions(Protocol):
    """Officers' sessions, by SHA-256 of their token (hex)."""

    def find(self, token_hash: str) -> tuple[Session, bytes] | None: ...

    def save(self, session: Session, seal: bytes) -> None: ...

    def touch(self, token_hash: str, at: datetime) -> None: ...

    def list_of(self, officer_id: str) -> Sequence[tuple[Session, bytes]]:
        """Those that were not ended, the youngest first; some may be over by time."""

    def end_all_of(self, officer_id: str, *, but: str = "") -> int:
        """How many were ended; the one with the hash `but` stays."""

    def end_all(self) -> int: ...

    def end(self, token_hash: str) -> None: ...

    def forget_over(self, now: datetime, policy: Policy) -> int:
        """Delete those that were ended or are over by time; how many."""


class Challenges(Protocol):
    """One-time random values we gave out; taking one uses it up."""

    def add(self, challenge: Challenge) -> None: ...

    def take(self, purpose: str, value: bytes) -> Challenge | None: ...

    def forget_expired(self, now: datetime) -> int: ...
