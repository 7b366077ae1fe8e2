"""What a transaction changes, noted statement by statement for the journal, and done again from it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import LargeBinary, delete, insert, update
from sqlalchemy.orm import Session

from ca.adapters.db.base import Row
from ca.adapters.db.columns import UtcSeconds
from ca.adapters.db.mapping.common import Values
from ca.domain.errors import Tampered
from ca.domain.journal import Act, Change, Scalar

_NOTED = "vermilion_changes"


def note(session: Session, act: Act, row: type[Row], key: Values, values: Values) -> None:
    """Remember a statement that changed rows, unless the journal has no use for its table."""
    if row.journaled:
        change = Change(act, row.__tablename__, _plain(key), _plain(values))
        session.info.setdefault(_NOTED, []).append(change)


def noted(session: Session) -> Sequence[Change]:
    """What was noted since the last call, in order."""
    found: Sequence[Change] = session.info.pop(_NOTED, ())
    return found


def _plain(values: Values) -> dict[str, Scalar]:
    return {name: _scalar(value) for name, value in values.items()}


def _scalar(value: Any) -> Scalar:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return int(value.timestamp())
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"the journal has no form for {type(value).__name__}")


def redo(session: Session, change: Change) -> None:
    """Do to this database what was once done. Raise Tampered when it does not fit: then it is another database."""
    row = _row(change.table)
    key, values = typed(row, change.key), typed(row, change.values)
    connection = session.connection()
    if change.act is Act.INSERT:
        connection.execute(insert(row).values(**values).inline())
        return
    wanted = update(row).filter_by(**key).values(**values) if change.act is Act.UPDATE else delete(row).filter_by(**key)
    if not connection.execute(wanted).rowcount:
        raise Tampered(f"the journal changes a record of {change.table} that this database does not have")


def _row(table: str) -> type[Row]:
    for mapper in Row.registry.mappers:
        if issubclass(mapper.class_, Row) and mapper.class_.__tablename__ == table and mapper.class_.journaled:
            return mapper.class_
    raise Tampered(f"the journal changes {table}, which this version does not know; replay with the one that wrote it")


def typed(row: type[Row], values: Mapping[str, Scalar]) -> Values:
    """Columns as they were before the journal wrote them. Raise Tampered for one that the table does not have."""
    columns = row.__table__.columns
    try:
        return {name: _value(columns[name].type, value) for name, value in values.items()}
    except KeyError as error:
        raise Tampered(f"the journal has a column {error} that {row.__tablename__} does not have") from error


def _value(kind: object, value: Scalar) -> Any:
    if isinstance(kind, LargeBinary) and isinstance(value, str):
        return bytes.fromhex(value)
    if isinstance(kind, UtcSeconds) and isinstance(value, int):
        return datetime.fromtimestamp(value, UTC)
    return value
