"""The tables of versions of profiles and of the policy (ca/domain/versions.py)."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row


class VersionRow(Row):
    """A version that was proposed; counts only with the seal."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    number: Mapped[int]
    text: Mapped[str]
    replaces: Mapped[str]
    reason: Mapped[str]
    effective_from: Mapped[datetime]
    maker_person: Mapped[str]
    proposed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(index=True)
    decided_by: Mapped[str]
    seal: Mapped[bytes]


class ProfileVersionRow(VersionRow):
    """Of a profile."""

    __tablename__ = "profile_versions"

    profile: Mapped[str] = mapped_column(index=True)
    profile_digest: Mapped[str]


class PolicyVersionRow(VersionRow):
    """Of the policy."""

    __tablename__ = "policy_versions"

    policy: Mapped[str] = mapped_column(index=True)
    policy_digest: Mapped[str]
