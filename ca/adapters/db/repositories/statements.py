"""The few statements every repository uses. Rows are read afresh each time, so nobody acts on a stale one.

Whatever changes a row goes through here and is noted for the journal (`ca/adapters/db/changes.py`).
`lock` is SELECT … FOR UPDATE on PostgreSQL; SQLite has one writer at a time and needs none.
"""

from typing import TypeVar

from sqlalchemy import ColumnElement, Select, delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ca.adapters.db.base import Row
from ca.adapters.db.changes import note
from ca.adapters.db.mapping.common import Values
from ca.domain.errors import InvalidTransition
from ca.domain.journal import Act

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
    inserted = session.connection().execute(wanted, execution_options={"preserve_rowcount": True}).rowcount > 0
    if inserted:
        note(session, Act.INSERT, row, {}, values)
    return inserted


def insert_row(session: Session, row: type[Row], values: Values) -> None:
    """Insert a record that can be in nobody's way."""
    session.connection().execute(insert(row).values(**values).inline())
    note(session, Act.INSERT, row, {}, values)


def add_row(session: Session, row: type[Row], values: Values, *, refusal: str) -> None:
    """Insert. Raise InvalidTransition(refusal) when the record exists already; the transaction goes on."""
    if not insert_missing(session, row, values):
        raise InvalidTransition(refusal)


def change_row(
    session: Session, row: type[Row], key: Values, values: Values, *, only: ColumnElement[bool] | None = None
) -> int:
    """Update by key, and `only` if that holds too; how many rows that were."""
    wanted = update(row).filter_by(**key).values(**values)
    if only is not None:
        wanted = wanted.where(only)
    changed = session.connection().execute(wanted).rowcount
    if changed:
        note(session, Act.UPDATE, row, key, values)
    return changed


def save_newer(session: Session, row: type[Row], key: Values, values: Values, *, counter: str, refusal: str) -> None:
    """Insert, or update what is older by its `counter`: who read before somebody else's change does not undo it.

    Raise InvalidTransition(refusal) otherwise.
    """
    older = row.__table__.c[counter] < values[counter]
    if not change_row(session, row, key, values, only=older):
        add_row(session, row, {**key, **values}, refusal=refusal)


def delete_rows(session: Session, row: type[Row], key: Values) -> None:
    """Delete by key."""
    if session.connection().execute(delete(row).filter_by(**key)).rowcount:
        note(session, Act.DELETE, row, key, {})


def put_row(session: Session, row: type[Row], key: Values, values: Values, *, refusal: str) -> None:
    """Update, or insert what is not there yet. Raise InvalidTransition(refusal) when another record is in the way."""
    try:
        changed = change_row(session, row, key, values)
    except InvalidTransition as error:
        raise InvalidTransition(refusal) from error.__cause__
    if not changed:
        add_row(session, row, {**key, **values}, refusal=refusal)
