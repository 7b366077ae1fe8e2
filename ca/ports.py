"""Everything the core needs from the world. Adapters implement these; fakes in tests do too.

What is kept outside the database, the public place and the log have pages of their own: `ca/keeping.py`,
`ca/publishing.py`, `ca/logbook.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NewType, Protocol, Self

from ca.branch_records import Applications, Batches, Codes, Customers, Devices, RevocationCases
from ca.counting import Figures
from ca.domain.bundle import BundleKind, BundleRecord
from ca.domain.certificates import Certificate, Intent
from ca.domain.crl import CRLRecord, CRLScope
from ca.domain.decisions import Assertion
from ca.domain.issuers import Issuer
from ca.domain.keys import KeyAlgorithm, Message
from ca.domain.officers import Credential, Invitation, Officer
from ca.domain.policy import PolicyVersion
from ca.domain.profile_versions import ProfileVersion
from ca.domain.standings import Standing
from ca.logbook import AuditLog, Jobs
from ca.officer_records import Bindings, Challenges, OfficerChanges, RecoveryCodeSets, Sessions
from ca.portal_records import Accounts, Cancellations, CustomerSessions, Unlocks
from ca.probing import Receipts
from ca.profile_records import ToolCases, Versions
from ca.stock_records import Stock

KeyId = NewType("KeyId", bytes)
"""CKA_ID of a key in the HSM: keys are found by it, never by label (labels may repeat)."""


class Clock(Protocol):
    """The time, as aware UTC whole seconds."""

    def now(self) -> datetime: ...


class Random(Protocol):
    """A cryptographically secure source of random bytes."""

    def __call__(self, length: int) -> bytes: ...


class KeyStore(Protocol):
    """Key pairs in an HSM. Raises KeyStoreUnavailable when the HSM is away, SigningRefused when the key is wrong."""

    def public_key(self, key: KeyId) -> bytes:
        """SubjectPublicKeyInfo, DER. Raises NotFound."""

    def sign(self, key: KeyId, message: Message) -> bytes:
        """The X.509 signature value over `message`, with the one SignatureAlgorithm of the key's kind (ECDSA: DER)."""

    def sign_each(self, key: KeyId, messages: Sequence[bytes]) -> list[bytes]:
        """The same over many, in their order; all or none."""

    def generate(self, key: KeyId, label: str, algorithm: KeyAlgorithm) -> bytes:
        """Make a key pair that can sign only and never leave; its SubjectPublicKeyInfo, DER."""


class Seals(Protocol):
    """MACs under a secret key of the HSM: what carries our seal was written by the signer."""

    def seal(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 over the purpose and the message (32 bytes)."""

    def require(self, purpose: str, message: bytes, seal: bytes) -> None:
        """Raise Tampered unless `seal` is ours for this purpose and message (compared in constant time)."""


class Authenticators(Protocol):
    """WebAuthn: what a passkey says, checked (WebAuthn level 2, sections 7.1 and 7.2)."""

    def verify_assertion(
        self, assertion: Assertion, *, challenge: bytes, public_key: bytes, previous_sign_count: int = 0
    ) -> int:
        """The new sign count. Raises NotAuthenticated unless the key signed this challenge here, user verified.

        With the count of the last use it must have grown, or a copy of the key is about; evidence is checked without.
        """

    def verify_registration(self, registration: str, *, challenge: bytes, label: str) -> Credential:
        """The new passkey of a registration response (JSON text). Raises NotAuthenticated."""


class Linter(Protocol):
    """An independent second opinion on what we are about to sign. Returns findings, empty when there are none."""

    def lint_certificate(self, der: bytes) -> list[str]: ...

    def lint_crl(self, der: bytes) -> list[str]: ...


class Officers(Protocol):
    """Records with their seals; the use cases check the seal, the repository only keeps it."""

    def get(self, officer_id: str) -> tuple[Officer, bytes]:
        """The officer and the seal found beside it. Raise NotFound if there is none."""

    def find_by_person(self, person: str) -> tuple[Officer, bytes] | None: ...

    def find_by_credential(self, credential_id: bytes) -> tuple[Officer, bytes] | None: ...

    def save(self, officer: Officer, seal: bytes) -> None:
        """Raise InvalidTransition when the record is not older, or the person or a passkey is another officer's."""

    def note_use(self, credential_id: bytes, sign_count: int, at: datetime) -> None: ...


class Invitations(Protocol):
    def get(self, invitation_id: str) -> tuple[Invitation, bytes]:
        """The invitation and the seal found beside it. Raise NotFound if there is none."""

    def save(self, invitation: Invitation, seal: bytes) -> None: ...


class Certificates(Protocol):
    def get(self, serial: int) -> Certificate:
        """Raise NotFound if no certificate has this serial. Locks the row in PostgreSQL."""

    def find(self, serial: int) -> Certificate | None: ...

    def find_by_application(self, application_id: str) -> Certificate | None:
        """The newest certificate issued for the application."""

    def find_newest(self, issuer: str, profile: str) -> Certificate | None:
        """The one issued last under a profile, not revoked: the OCSP responder's own, for instance."""

    def count_issued(self, issuer: str, profile: str, since: datetime) -> int:
        """How many were issued under a profile since then."""

    def list_by_customer(self, customer: str) -> Sequence[Certificate]:
        """All that were ever issued to a customer, in the order of issuance."""

    def list_by_public_key(self, fingerprint: str) -> Sequence[Certificate]: ...

    def list_successors(self, serial: int) -> Sequence[Certificate]:
        """Those that were issued to follow this one."""

    def list_unconfirmed_since_before(self, limit: datetime) -> Sequence[Certificate]: ...

    def find_standings(self, serials: Sequence[int]) -> dict[int, Standing]:
        """How these stand, by serial; one that was never issued is left out."""

    def list_standings(self) -> Iterator[tuple[int, Standing]]:
        """How every certificate stands by the records, in the order of serial numbers."""

    def find_listed(self, serials: Sequence[int]) -> dict[int, tuple[Standing, bytes | None]]:
        """How these stand and their entries in CRLs, by serial; one that was never issued is left out."""

    def measure_entries(self, scope: CRLScope, alive_at: datetime) -> tuple[int, int]:
        """How many entries `list_entries` gives, and of how many octets."""

    def list_entries(self, scope: CRLScope, alive_at: datetime) -> Iterator[Sequence[bytes]]:
        """The entries of a full CRL, in pieces, by serial number as text; without those expired before that time."""

    def list_changed(self, issuer: str, after: int, alive_at: datetime) -> Iterator[Sequence[tuple[int, bytes | None]]]:
        """Serial and entry (None: a lifted hold) that CRLs up to `after` cannot show; pieces, by text, none expired."""

    def changed_partitions(self, issuer: str, after: int) -> Mapping[int, int]:
        """Partitions with changes that CRLs up to number `after` cannot show, and the first CRL that shows them all."""

    def add(self, certificate: Certificate) -> None:
        """Raise InvalidTransition when the serial exists already. Keeps its Listing, as `save` does."""

    def save(self, certificate: Certificate) -> None:
        """When its place in CRLs changes, locks the issuer's numbering: no CRL is numbered until the commit."""


class Intents(Protocol):
    def add(self, intent: Intent) -> None:
        """Raise InvalidTransition when the serial exists already, or another with its tag (ca/domain/tag_lists.py)."""

    def find_serial(self, tag: int) -> int | None:
        """The one serial that was ever intended with this tag."""

    def find(self, serial: int) -> Intent | None: ...

    def find_for_request(self, application: str, request: str) -> Intent | None: ...

    def list_unsigned(self) -> Sequence[Intent]:
        """Recorded, but no certificate stored: a crash, or another thread about to finish."""

    def mark_signed(self, serial: int) -> None: ...


class Issuers(Protocol):
    def get(self, name: str) -> Issuer:
        """Raise NotFound if there is none."""

    def take_turn(self, name: str) -> None:
        """From here to its commit one transaction at a time issues under this CA. Raise NotFound if there is none."""

    def list(self) -> Sequence[Issuer]: ...

    def save(self, issuer: Issuer) -> None: ...


class CRLs(Protocol):
    """All CRLs of an issuer share one numbering, so the numbers of each scope only grow."""

    def last(self, issuer: str) -> CRLRecord | None:
        """The newest of any scope that was signed. Locks the issuer's numbering in PostgreSQL."""

    def find_last(self, scope: CRLScope) -> CRLRecord | None:
        """The newest of a scope that was signed."""

    def find_published(self, scope: CRLScope, by: datetime) -> CRLRecord | None:
        """The newest of a scope that was really published by that time; the first of all when none is so old."""

    def last_made(self, issuer: str) -> datetime | None:
        """thisUpdate of the newest that was signed, without a lock."""

    def take_number(self, issuer: str, above: int) -> int:
        """The next CRL number: above `above` and every number taken before; taken for good once committed."""

    def last_number(self, issuer: str) -> int:
        """The last number taken, 0 before the first. Above that of `last` when a CRL was begun and not finished."""

    def add(self, record: CRLRecord) -> None: ...

    def mark_published(self, record: CRLRecord) -> None: ...

    def add_partition(self, issuer: str, partition: int, url: str) -> None:
        """Certificates may point to a partition by this address from now on. Nothing happens when that is known."""

    def list_partitions(self, issuer: str) -> Mapping[int, Sequence[str]]:
        """Every partition there ever was, in order, with its addresses."""

    def is_due(self, issuer: str) -> bool:
        """A status changed after the last CRL was made."""

    def set_due(self, issuer: str, *, due: bool) -> None: ...


class Bundles(Protocol):
    def last(self, issuer: str, kind: BundleKind) -> BundleRecord | None:
        """The newest of its kind that was signed."""

    def take_number(self, issuer: str, above: int) -> int: ...

    def last_number(self, issuer: str) -> int: ...

    def put(self, record: BundleRecord) -> None:
        """Keep it in place of the one before of its kind. Raise InvalidTransition unless its number is higher."""


class BlockedKeys(Protocol):
    def find(self, fingerprint: str) -> str | None:
        """Why a key is blocked, or None."""

    def add(self, fingerprint: str, reason: str, at: datetime) -> None: ...


class Work(Protocol):
    """One database transaction. Leaving the block without commit() rolls back."""

    @property
    def customers(self) -> Customers: ...
    @property
    def devices(self) -> Devices: ...
    @property
    def officers(self) -> Officers: ...
    @property
    def invitations(self) -> Invitations: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def challenges(self) -> Challenges: ...
    @property
    def applications(self) -> Applications: ...
    @property
    def codes(self) -> Codes: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def intents(self) -> Intents: ...
    @property
    def issuers(self) -> Issuers: ...
    @property
    def crls(self) -> CRLs: ...
    @property
    def bundles(self) -> Bundles: ...
    @property
    def blocked_keys(self) -> BlockedKeys: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def receipts(self) -> Receipts: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def customer_sessions(self) -> CustomerSessions: ...
    @property
    def cancellations(self) -> Cancellations: ...
    @property
    def unlocks(self) -> Unlocks: ...
    @property
    def batches(self) -> Batches: ...
    @property
    def officer_changes(self) -> OfficerChanges: ...
    @property
    def bindings(self) -> Bindings: ...
    @property
    def recovery_codes(self) -> RecoveryCodeSets: ...
    @property
    def profile_versions(self) -> Versions[ProfileVersion]: ...
    @property
    def policy_versions(self) -> Versions[PolicyVersion]: ...
    @property
    def stock(self) -> Stock: ...
    @property
    def figures(self) -> Figures: ...
    @property
    def tool_cases(self) -> ToolCases: ...
    @property
    def revocation_cases(self) -> RevocationCases: ...

    def commit(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class UnitOfWork(Protocol):
    """Begins a transaction: `with unit_of_work() as work: … work.commit()`."""

    def __call__(self) -> Work: ...

    def look(self) -> Work:
        """A transaction that only reads, all of it as of one moment; it holds up nobody who writes."""

    def catch_up(self) -> None:
        """Put what others committed into the journal, and into the standings map. Raises NotReady, Tampered."""
