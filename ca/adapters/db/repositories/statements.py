"""The few statements every repository uses. Rows are read afresh each time, so nobody acts on a stale one.

`lock` is SELECT … FOR UPDATE on PostgreSQL; SQLite has one writer at a time and needs none.
"""

import contextlib
from typing import TypeVar

from sqlalchemy import Select, insert, update
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values
from ca.adapters.db.rows import Row
from ca.domain.errors import InvalidTransition

AnyRow = TypeVar("AnyRow", bound=Row)


def find_row(session: Session, query: Select[AnyRow], *, lock: bool = False) -> AnyRow | None:
    """The first row, or None."""
    fresh = query.limit(1).execution_options(populate_existing=True)
    return session.scalars(fresh.with_for_update() if lock else fresh).first()


def list_rows(session: Session, query: Select[AnyRow]) -> list[AnyRow]:
    return list(session.scalars(query.execution_options(populate_existing=True)))


def add_row(session: Session, row: type[Row], values: Values, *, refusal: str) -> None:
    """Insert. Raise InvalidTransition(refusal) when the record exists already; the transaction goes on."""
    try:
        with session.begin_nested():
            session.execute(insert(row).values(**values))
    except InvalidTransition as error:
        raise InvalidTransition(refusal) from error.__cause__


def change_row(session: Session, row: type[Row], key: Values, values: Values) -> int:
    """Update by key; how many rows that were."""
    wanted = update(row).filter_by(**key).values(**values)
    return session.connection().execute(wanted).rowcount


def put_row(session: Session, row: type[Row], key: Values, values: Values, *, refusal: str) -> None:
    """Update, or insert what is not there yet. Raise InvalidTransition(refusal) when another record is in the way."""
    try:
        with session.begin_nested():
            if not change_row(session, row, key, values):
                session.execute(insert(row).values(**key, **values))
    except InvalidTransition as error:
        raise InvalidTransition(refusal) from error.__cause__


def insert_missing(session: Session, row: type[Row], values: Values) -> None:
    """Insert unless a record with this key is there."""
    with contextlib.suppress(InvalidTransition):
        add_row(session, row, values, refusal="there already")
