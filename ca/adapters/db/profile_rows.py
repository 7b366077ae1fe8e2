"""The table of versions of profiles (ca/domain/profile_versions.py)."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row


class ProfileVersionRow(Row):
    """A version that was proposed; counts only with the seal."""

    __tablename__ = "profile_versions"

    id: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    profile: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    text: Mapped[str]
    profile_digest: Mapped[str]
    replaces: Mapped[str]
    reason: Mapped[str]
    effective_from: Mapped[datetime]
    maker_person: Mapped[str]
    proposed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(index=True)
    decided_by: Mapped[str]
    seal: Mapped[bytes]
