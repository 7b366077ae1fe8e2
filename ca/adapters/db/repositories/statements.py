"""The few statements every repository uses. Rows are read afresh each time, so nobody acts on a stale one.

`lock` is SELECT … FOR UPDATE on PostgreSQL; SQLite has one writer at a time and needs none.
"""

from typing import TypeVar

from sqlalchemy import Select, update
from sqlalchemy.dialects import postgresql, sqlite
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


def insert_missing(session: Session, row: type[Row], values: Values) -> bool:
    """Insert unless a record of this identity is there; whether it was inserted. The transaction goes on either way."""
    new = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # No savepoint: a full disk takes SQLite's savepoints with it, and undoing to one would hide what happened.
    wanted = new(row).values(**values).on_conflict_do_nothing().inline()
    # Unless asked to, SQLAlchemy does not count what an INSERT did.
    return session.connection().execute(wanted, execution_options={"preserve_rowcount": True}).rowcount > 0


def add_row(session: Session, row: type[Row], values: Values, *, refusal: str) -> None:
    """Insert. Raise InvalidTransition(refusal) when the record exists already; the transaction goes on."""
    if not insert_missing(session, row, values):
        raise InvalidTransition(refusal)


def change_row(session: Session, row: type[Row], key: Values, values: Values) -> int:
    """Update by key; how many rows that were."""
    wanted = update(row).filter_by(**key).values(**values)
    return session.connection().execute(wanted).rowcount


def put_row(session: Session, row: type[Row], key: Values, values: Values, *, refusal: str) -> None:
    """Update, or insert what is not there yet. Raise InvalidTransition(refusal) when another record is in the way."""
    try:
        changed = change_row(session, row, key, values)
    except InvalidTransition as error:
        raise InvalidTransition(refusal) from error.__cause__
    if not changed:
        add_row(session, row, {**key, **values}, refusal=refusal)
