"""The table of bundles (ca/domain/bundle.py)."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from ca.adapters.db.base import Row


class BundleRow(Row):
    """The newest bundle of its kind that we made. After a restore the public place says what was said, and the numbers
    go on."""

    __tablename__ = "bundles"
    # Megabytes each hour, of which nothing is lost: the certificates' rows are journaled.
    journaled: ClassVar[bool] = False

    issuer: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    this_update: Mapped[datetime]
    next_update: Mapped[datetime]
    crl_number: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes]


class BundleNumberRow(Row):
    """The last bundle number taken, used or not. Its row is the lock of the issuer's numbering."""

    __tablename__ = "bundle_numbers"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
