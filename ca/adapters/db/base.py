"""What every table builds on: names of constraints, instants as seconds, what the journal repeats."""

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import BigInteger, Dialect, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from ca.domain.errors import Tampered

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Named constraints: the migrations of both databases can then speak of them.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcSeconds(TypeDecorator[datetime]):
    """An instant as seconds since the epoch. Refuses naive times and fractions instead of guessing or rounding."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        if value.microsecond:
            raise ValueError(f"{value!r} is not whole seconds")
        elapsed = value - _EPOCH
        return elapsed.days * 86400 + elapsed.seconds

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the same
        if value is None:
            return None
        try:
            return datetime.fromtimestamp(value, UTC)
        except (TypeError, ValueError, OverflowError, OSError) as error:
            raise Tampered(f"{value!r} is recorded as a time and is none: somebody changed the record") from error


# SQLite numbers rows by itself only when the key is spelled INTEGER.
RowNumber = BigInteger().with_variant(Integer, "sqlite")


class Row(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar = {datetime: UtcSeconds}
    journaled: ClassVar[bool] = True
    """Whether the journal repeats every change. Not for what means nothing after a restore, and not for itself."""
