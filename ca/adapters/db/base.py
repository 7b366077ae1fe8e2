"""What every table builds on: names of constraints, and whether the journal repeats its changes."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

from ca.adapters.db.columns import UtcSeconds

# Named constraints: the migrations of both databases can then speak of them.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


# SQLite numbers rows by itself only when the key is spelled INTEGER.
RowNumber = BigInteger().with_variant(Integer, "sqlite")


class Row(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar = {datetime: UtcSeconds}
    journaled: ClassVar[bool] = True
    """Whether the journal repeats every change. Not for what means nothing after a restore, and not for itself."""
