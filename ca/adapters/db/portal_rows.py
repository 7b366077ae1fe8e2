"""The tables of the portal: accounts, sessions and cancellations of customers (ca/domain/accounts.py)."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row
from ca.adapters.db.columns import partial_index


class AccountRow(Row):
    """A customer's account; counts only with the seal."""

    __tablename__ = "customer_accounts"

    customer: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    salt: Mapped[bytes]
    password_mac: Mapped[bytes]
    letter_mac: Mapped[bytes]
    letter_expires_at: Mapped[datetime | None]
    letter_attempts_left: Mapped[int]
    language: Mapped[str]
    channel: Mapped[str] = mapped_column(server_default=text("'both'"))
    seal: Mapped[bytes]


class CustomerSessionRow(Row):
    """A customer's session, by SHA-256 of its token (hex)."""

    __tablename__ = "customer_sessions"
    journaled: ClassVar[bool] = False

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(index=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    source: Mapped[str]
    by: Mapped[str] = mapped_column(server_default=text("''"))
    ended: Mapped[bool]
    seal: Mapped[bytes]


class CancellationRow(Row):
    """The last wish of a customer to cancel a certificate."""

    __tablename__ = "cancellations"
    __table_args__ = (partial_index("ix_cancellations_open", "state = 'open'", "due_at"),)

    serial: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str]
