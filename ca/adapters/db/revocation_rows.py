"""The table of revocations that a second officer decides (ca/domain/revocation_cases.py)."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row


class RevocationCaseRow(Row):
    """A proposal to end a certificate; counts only with the seal. `reason` is the CRLReason code."""

    __tablename__ = "revocation_cases"
    __table_args__ = (Index(None, "state", "branch", "proposed_at", "id"), Index(None, "serial", "proposed_at", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    serial: Mapped[str]
    subject: Mapped[str]
    branch: Mapped[str]
    reason: Mapped[int]
    invalid_since: Mapped[datetime | None]
    why: Mapped[str]
    held_since: Mapped[datetime]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str]
    decided_by: Mapped[str]
    decision_reason: Mapped[str]
    seal: Mapped[bytes]
