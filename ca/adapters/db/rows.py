"""The tables: what the signer writes and the fronts read. Rows hold no rules; `mapping.py` turns them into values.

Instants are BIGINT seconds since 1970-01-01T00:00:00Z. Serial numbers are lower-case hex text without padding.
Enumerations are their text (`active`, `on-hold`), so that a report in plain SQL reads like the program does.

The status process reads `certificates(serial, issuer, status, issued_at, revoked_at, reason, not_after)` directly with
sqlite3 or psycopg: these names are a contract. `status` is the text of CertificateStatus, `reason` the CRLReason code
of RFC 5280 section 5.3.1 or NULL, times are epoch seconds. An `unconfirmed` row is on hold since `issued_at`.
`crl_entry`, `crl_since` and `crl_changed` are the certificate's Listing (`ca/domain/crl.py`), written with its status.
"""

from datetime import datetime

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ca.adapters.db.base import Row, RowNumber
from ca.adapters.db.columns import list_indexes, partial_index

db = SQLAlchemy(metadata=Row.metadata)
"""For the fronts' read-only views and Flask-Migrate; the signer works through `SqlUnitOfWork` without an app."""


class CustomerRow(Row):
    """A customer as registered at a branch."""

    __tablename__ = "customers"
    __table_args__ = (
        *list_indexes("registered_at", "id", by=("branch", "kind")),
        *list_indexes("name", "id", by=("branch",)),
        Index(None, "company", "number"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    name: Mapped[str]
    document_number: Mapped[str] = mapped_column(index=True)
    email: Mapped[str]
    branch: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]
    company: Mapped[str] = mapped_column(server_default=text("''"))
    phone: Mapped[str] = mapped_column(server_default=text("''"))


class DeviceRow(Row):
    """A U-Shield."""

    __tablename__ = "devices"
    __table_args__ = (
        *list_indexes("registered_at", "id", by=("branch", "state")),
        Index(None, "customer", "registered_at"),
        Index(None, "branch", "holder"),
        Index(None, "branch", "state", "serial"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str]
    branch: Mapped[str]
    state: Mapped[str]
    customer: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]
    so_use: Mapped[int] = mapped_column(default=0, server_default="0")
    holder: Mapped[str] = mapped_column(server_default=text("'supplier'"))
    keeper: Mapped[str] = mapped_column(server_default=text("''"))


class OfficerRow(Row):
    """An officer; counts only with the seal. `roles` is comma-separated, in alphabetical order."""

    __tablename__ = "officers"
    __table_args__ = tuple(list_indexes("name", "id", by=("state",)))

    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    branch: Mapped[str] = mapped_column(index=True)
    roles: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    seal: Mapped[bytes]
    credentials: Mapped[list["OfficerCredentialRow"]] = relationship(
        order_by="OfficerCredentialRow.position", lazy="selectin", viewonly=True
    )


class OfficerCredentialRow(Row):
    """A passkey of an officer. `position` keeps the order in which they were registered."""

    __tablename__ = "officer_credentials"

    credential_id: Mapped[bytes] = mapped_column(primary_key=True)
    officer: Mapped[str] = mapped_column(ForeignKey("officers.id"), index=True)
    position: Mapped[int]
    public_key: Mapped[bytes]
    label: Mapped[str]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[datetime | None]


class InvitationRow(Row):
    """A promise of roles to a person; counts only with the seal. `roles` as in `officers`."""

    __tablename__ = "invitations"
    __table_args__ = tuple(list_indexes("expires_at", "id", by=("state",)))

    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    branch: Mapped[str]
    roles: Mapped[str]
    proposed_by: Mapped[str]
    approved_by: Mapped[str]
    state: Mapped[str]
    expires_at: Mapped[datetime]
    code_mac: Mapped[bytes]
    seal: Mapped[bytes]


class SessionRow(Row):
    """An officer's session, by SHA-256 of its token (hex)."""

    __tablename__ = "sessions"
    journaled = False

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    officer: Mapped[str] = mapped_column(index=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended: Mapped[bool]
    source: Mapped[str] = mapped_column(server_default=text("''"))
    stepped_up_at: Mapped[datetime | None]
    binding: Mapped[str] = mapped_column(server_default=text("''"))
    seal: Mapped[bytes]


class ChallengeRow(Row):
    """A one-time random value we gave out."""

    __tablename__ = "challenges"
    journaled = False

    purpose: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApplicationRow(Row):
    """An application. `case_json` is the case, byte for byte as sealed; the columns beside it serve lists and searches
    only, and nothing is decided by them."""

    __tablename__ = "applications"
    __table_args__ = (
        *list_indexes("submitted_at", "id", by=("branch", "state")),
        Index(None, "customer", "submitted_at", "id"),
        Index(None, "maker_person", "state", "updated_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[str] = mapped_column(index=True)
    customer: Mapped[str]
    customer_number: Mapped[str] = mapped_column(index=True)
    customer_name: Mapped[str]
    document_number: Mapped[str]
    device_serial: Mapped[str] = mapped_column(index=True)
    branch: Mapped[str]
    maker_person: Mapped[str]
    maker_name: Mapped[str]
    submitted_at: Mapped[datetime]
    state: Mapped[str]
    reason: Mapped[str]
    updated_at: Mapped[datetime | None]
    batch: Mapped[str] = mapped_column(index=True, server_default=text("''"))
    case_json: Mapped[str]
    seal: Mapped[bytes]


class EvidenceRow(Row):
    """An officer's decision and the passkey assertion that proves it."""

    __tablename__ = "evidence"
    __table_args__ = (Index(None, "subject", "id"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    application: Mapped[str] = mapped_column(index=True)
    act: Mapped[str]
    subject: Mapped[str]
    subject_digest: Mapped[bytes]
    officer: Mapped[str] = mapped_column(index=True)
    person: Mapped[str]
    credential_id: Mapped[bytes]
    client_data: Mapped[bytes]
    authenticator_data: Mapped[bytes]
    signature: Mapped[bytes]
    public_key: Mapped[bytes]
    at: Mapped[datetime]


class CodePairRow(Row):
    """A reference number and the MAC of its authorization code. `id` tells which pair is newest."""

    __tablename__ = "code_pairs"
    __table_args__ = (Index(None, "state", "expires_at"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    application: Mapped[str] = mapped_column(index=True)
    code_mac: Mapped[bytes]
    state: Mapped[str]
    expires_at: Mapped[datetime]
    attempts_left: Mapped[int]
    request: Mapped[str]


class CertificateRow(Row):
    """An issued certificate and how it stands. `id` is the order of issuance; `predecessor` is a serial number."""

    __tablename__ = "certificates"
    __table_args__ = (
        Index(None, "issuer", "status"),
        Index(None, "issuer", "profile", "issued_at"),
        *list_indexes("issued_at", "id", by=("branch", "status")),
        # What branches issued day by day is counted from this alone.
        Index(None, "issued_at", "branch", "predecessor", "application"),
        *list_indexes("not_after", "id", by=("branch",)),
        Index(None, "customer", "id"),
        # Whole CRLs are read from these alone, in their order: the rows themselves are too far apart.
        partial_index("ix_certificates_crl", "crl_entry IS NOT NULL", "issuer", "serial", "not_after", "crl_entry"),
        partial_index(
            "ix_certificates_crl_partition",
            "crl_entry IS NOT NULL AND crl_partition IS NOT NULL",
            *("issuer", "crl_partition", "serial", "not_after", "crl_entry"),
        ),
        # The home page's figures are counted from this alone.
        Index(None, "branch", "status", "not_after"),
        partial_index("ix_certificates_changed", "crl_changed IS NOT NULL", "issuer", "crl_changed", "crl_partition"),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    issuer: Mapped[str]
    profile: Mapped[str]
    der: Mapped[bytes]
    public_key: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(index=True)
    application: Mapped[str] = mapped_column(index=True)
    customer: Mapped[str]
    device_serial: Mapped[str] = mapped_column(index=True)
    branch: Mapped[str]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    issued_at: Mapped[datetime]
    status: Mapped[str]
    predecessor: Mapped[str | None] = mapped_column(index=True)
    confirmed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    reason: Mapped[int | None]
    invalid_since: Mapped[datetime | None]
    crl_entry: Mapped[bytes | None]
    crl_since: Mapped[int | None] = mapped_column(BigInteger)
    crl_changed: Mapped[int | None] = mapped_column(BigInteger)
    crl_partition: Mapped[int | None]


class IntentRow(Row):
    """What we are about to sign, byte for byte."""

    __tablename__ = "intents"
    # The CA's own certificates (application '') may be drafted again from one request.
    __table_args__ = (
        Index(
            "uq_intents_application_request",
            "application",
            "request",
            unique=True,
            sqlite_where=text("application <> ''"),
            postgresql_where=text("application <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    tag: Mapped[int] = mapped_column(BigInteger, unique=True)
    issuer: Mapped[str]
    profile: Mapped[str]
    application: Mapped[str]
    tbs_der: Mapped[bytes]
    public_key: Mapped[str] = mapped_column(index=True)
    request: Mapped[str]
    predecessor: Mapped[str | None]
    intended_at: Mapped[datetime]
    needs_confirmation: Mapped[bool]
    request_der: Mapped[bytes | None]
    signed: Mapped[bool] = mapped_column(index=True)
    seal: Mapped[bytes]


class IssuerRow(Row):
    """A CA of ours: its certificate, its key's CKA_ID and where its CRL, OCSP and certificate are published."""

    __tablename__ = "issuers"

    name: Mapped[str] = mapped_column(primary_key=True)
    certificate_der: Mapped[bytes]
    key_id: Mapped[bytes]
    algorithm: Mapped[str]
    crl_url: Mapped[str]
    ocsp_url: Mapped[str]
    certificate_url: Mapped[str]


class CRLRow(Row):
    """A CRL we made, by the name of its file; `base` is the full CRL that a delta builds on."""

    __tablename__ = "crls"
    __table_args__ = (Index(None, "this_update", "number", "name"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    issuer: Mapped[str] = mapped_column(index=True)
    partition: Mapped[int | None]
    base: Mapped[int | None] = mapped_column(BigInteger)
    this_update: Mapped[datetime]
    next_update: Mapped[datetime]
    entries: Mapped[int]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    published: Mapped[bool]


class CRLPartitionRow(Row):
    """A partition that certificates point to, or may from now on, and each address by which they do."""

    __tablename__ = "crl_partitions"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    url: Mapped[str] = mapped_column(primary_key=True)


class CRLDueRow(Row):
    """Whether a status changed after the issuer's last CRL, and the last CRL number taken (signed or not). Its row is
    the lock of the issuer's numbering."""

    __tablename__ = "crl_due"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    due: Mapped[bool]
    number: Mapped[int] = mapped_column(BigInteger, default=0)


class BlockedKeyRow(Row):
    """A public key we never certify (again), by SHA-256 of its SubjectPublicKeyInfo (hex)."""

    __tablename__ = "blocked_keys"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    blocked_at: Mapped[datetime]
