"""The ports to what is kept of customers on the portal, and to what makes a password slow to guess."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ca.domain.accounts import Account, Cancellation, CustomerSession
from ca.domain.certificates import Certificate
from ca.domain.customers import Customer
from ca.domain.notices import Notice
from ca.domain.unlocking import UnlockCase


class Passwords(Protocol):
    """Argon2id (RFC 9106), slow on purpose."""

    def stretch(self, password: str, salt: bytes) -> bytes:
        """32 octets that only this password and this salt give. Text is compared as NFKC. Raises NotReady."""


class Notify(Protocol):
    """Tells a customer that something happened to their certificate, after it has. Never raises."""

    def __call__(self, customer: Customer, certificate: Certificate, notice: Notice, **fields: str) -> None: ...


class Accounts(Protocol):
    """Records with their seals; the use cases check the seal, the repository only keeps it."""

    def find(self, customer: str) -> tuple[Account, bytes] | None:
        """Locks the row in PostgreSQL: two guesses at one letter take turns."""

    def save(self, account: Account, seal: bytes) -> None:
        """Raise InvalidTransition unless the record there is older."""


class CustomerSessions(Protocol):
    """By SHA-256 of their token (hex)."""

    def find(self, token_hash: str) -> tuple[CustomerSession, bytes] | None: ...

    def list_of(self, customer: str) -> Sequence[CustomerSession]:
        """Those that were not ended, the youngest first; some may be over by time."""

    def add(self, session: CustomerSession, seal: bytes) -> None: ...

    def touch(self, token_hash: str, at: datetime) -> None: ...

    def end(self, token_hash: str) -> None: ...

    def end_all_of(self, customer: str, *, but: str = "") -> int:
        """How many were ended; the one with the hash `but` stays."""


class Cancellations(Protocol):
    def find(self, serial: int) -> Cancellation | None:
        """The last one of this certificate. Locks the row in PostgreSQL."""

    def list_due(self, now: datetime) -> Sequence[Cancellation]:
        """Open ones whose time has come."""

    def save(self, cancellation: Cancellation) -> None: ...


class Unlocks(Protocol):
    """Cases to unlock a U-Shield, with their seals; the use cases check the seal, the repository only keeps it."""

    def find(self, reference: str) -> tuple[UnlockCase, bytes] | None:
        """Locks the row in PostgreSQL: two guesses at one code take turns."""

    def list_by_device(self, device_serial: str) -> Sequence[tuple[UnlockCase, bytes]]:
        """The youngest first."""

    def save(self, case: UnlockCase, seal: bytes) -> None:
        """Raise InvalidTransition unless the record there is older."""


class Envelopes(Protocol):
    """HPKE, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180)."""

    def close(self, public_key: bytes, info: bytes, text: bytes) -> bytes:
        """Encapsulated key and ciphertext, for the owner of this X25519 key (32 octets). Raises InvalidRequest."""
