"""Kinds of columns and indexes that SQLAlchemy does not have."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import BigInteger, Dialect, Index, text
from sqlalchemy.types import TypeDecorator

from ca.domain.errors import Tampered

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def partial_index(name: str, condition: str, *columns: str) -> Index:
    """An index of the rows for which a condition holds."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


def list_indexes(*order: str, by: tuple[str, ...]) -> Iterator[Index]:
    """For lists in this order: of all rows, of those with one value in one of the columns `by`, and in all of them."""
    kept = {(), *((column,) for column in by), by}
    for columns in sorted(kept):
        yield Index(None, *columns, *order)
