"""The table by which names are found (ca/domain/name_parts.py)."""

from typing import ClassVar

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row

# In the order of code points in both databases: what begins with something stands together, in any language.
_IN_CODE_POINTS = String().with_variant(String(collation="C"), "postgresql")


class NamePartRow(Row):
    """One way to begin a customer's name. `branch` is the customer's, so that one branch's names stand together."""

    __tablename__ = "name_parts"
    __table_args__ = (
        Index(None, "branch", "part", "customer"),
        Index(None, "part", "customer"),
        {"sqlite_with_rowid": False},
    )
    # Made of the customers' rows, again when the journal brings one back.
    journaled: ClassVar[bool] = False

    customer: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(_IN_CODE_POINTS, primary_key=True)
    branch: Mapped[str]
