"""The tables beside `applications`: versions of cases that were returned, and batches (ca/domain/case_contents.py,
ca/domain/batches.py)."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row


class FormerCaseRow(Row):
    """A version of a case that an approver returned, byte for byte as it was sealed."""

    __tablename__ = "former_cases"

    application: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    case_json: Mapped[str]
    seal: Mapped[bytes]
    reason: Mapped[str]
    returned_by: Mapped[str]
    returned_at: Mapped[datetime]


class BatchRow(Row):
    """A batch of applications, byte for byte as it was sealed; the columns beside `batch_json` serve lists only."""

    __tablename__ = "batches"

    id: Mapped[str] = mapped_column(primary_key=True)
    company_name: Mapped[str]
    profile: Mapped[str]
    branch: Mapped[str] = mapped_column(index=True)
    maker_person: Mapped[str]
    maker_name: Mapped[str]
    submitted_at: Mapped[datetime] = mapped_column(index=True)
    size: Mapped[int]
    batch_json: Mapped[str]
    seal: Mapped[bytes]
