"""The tables of officers' access besides their records (ca/domain/officer_changes.py, bindings.py, recovery.py)."""

from datetime import datetime

from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row


class OfficerChangeRow(Row):
    """Other roles, another branch, the end of a suspension; counts only with the seal. Roles as in `officers`."""

    __tablename__ = "officer_changes"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    officer: Mapped[str] = mapped_column(index=True)
    officer_version: Mapped[int]
    person: Mapped[str]
    name: Mapped[str]
    old_branch: Mapped[str]
    old_roles: Mapped[str]
    branch: Mapped[str]
    roles: Mapped[str]
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(index=True)
    decided_by: Mapped[str]
    decision_reason: Mapped[str]
    reinstates: Mapped[bool] = mapped_column(server_default=false())
    seal: Mapped[bytes]


class CertificateBindingRow(Row):
    """A certificate by which an officer may sign in; counts only with the seal. `serial` as in `certificates`."""

    __tablename__ = "certificate_bindings"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    officer: Mapped[str] = mapped_column(index=True)
    person: Mapped[str]
    name: Mapped[str]
    serial: Mapped[str] = mapped_column(index=True)
    fingerprint: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(index=True)
    decided_by: Mapped[str]
    decision_reason: Mapped[str]
    seal: Mapped[bytes]


class RecoveryCodesRow(Row):
    """What is left of an officer's recovery codes; counts only with the seal. `macs`: one after the other."""

    __tablename__ = "recovery_codes"

    officer: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    macs: Mapped[bytes]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(index=True)
    misses: Mapped[int]
    missed_at: Mapped[datetime | None]
    seal: Mapped[bytes]
