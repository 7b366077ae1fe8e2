"""What receipts need of the world: a finer clock, their records, and somebody who asks as a client does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ca.domain.certificates import Certificate
from ca.domain.receipts import Receipt
from ca.domain.revocation import RevocationReason
from ca.domain.times import Millis


class ExactClock(Protocol):
    def milliseconds(self) -> Millis:
        """The time, finer than `ports.Clock` tells it."""


class Receipts(Protocol):
    def add(self, receipt: Receipt) -> None:
        """Raise InvalidTransition when there is one of this serial and instant."""

    def get(self, serial: int, changed_at: Millis) -> Receipt:
        """Under its lock. Raise NotFound if there is none."""

    def save(self, receipt: Receipt) -> None: ...

    def about(self, serial: int) -> Sequence[Receipt]:
        """Newest first."""

    def waiting(self, *, soon: bool, since: Millis, after: tuple[Millis, int], limit: int) -> Sequence[Receipt]:
        """Those not complete, oldest first, by what `Receipt.is_soon` says, behind that instant and serial.

        One that makes no sense is left out: whoever changed a row must not keep the others from being asked about.
        """

    def since(self, changed_at: Millis) -> Iterator[Receipt]:
        """All from then on, oldest first. Raises Tampered for one that makes no sense."""


class AskedCRL(Protocol):
    """A CRL as a relying party reads it, its signature verified."""

    @property
    def number(self) -> int: ...
    @property
    def freshest(self) -> str | None:
        """Where its delta is."""

    def reasons(self, serials: Sequence[int]) -> dict[int, RevocationReason | None]:
        """By serial, of those it has an entry about; None: removeFromCRL."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """What a certificate itself names."""

    ocsp: str | None
    crl: str | None


class Asker(Protocol):
    """A relying party. Raises NotReady when there is no answer, Tampered when it is not properly signed."""

    def addresses(self, certificate: Certificate) -> Addresses: ...

    def ocsp(self, certificate: Certificate, issuer_der: bytes, channel: str) -> RevocationReason | None:
        """The reason for which it is revoked, None when it is good."""

    def crl(self, url: str, issuer_der: bytes) -> AskedCRL:
        """The same object as before for as long as the server says that it is unchanged."""

    def forget(self, but: Sequence[str]) -> None:
        """Let go of the CRLs at other addresses than these."""
