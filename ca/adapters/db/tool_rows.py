"""The table of cases about the tool (ca/domain/tool_cases.py)."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row


class ToolCaseRow(Row):
    """A release that was proposed, or a withdrawal; counts only with the seal. `files` is JSON."""

    __tablename__ = "tool_cases"

    id: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    program: Mapped[str]
    tool_version: Mapped[str]
    files: Mapped[str]
    reason: Mapped[str]
    maker_person: Mapped[str]
    proposed_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime | None]
    seal: Mapped[bytes]
