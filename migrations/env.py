# ruff: noqa: INP001 - Alembic runs this file by its path; it is no module of ours
"""Alembic's entry: with the connection the program hands over (`ca.adapters.db.schema.migrate`), or, under
`flask db …`, with the engine of the Flask app.

There is no offline mode: a migration looks at the database it changes.
"""

from typing import Literal

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from ca.adapters.db import (  # noqa: F401  their tables are compared too
    bundle_rows,
    figure_rows,
    log_rows,
    name_rows,
    portal_rows,
    profile_rows,
    receipt_rows,
    revocation_rows,
    stock_rows,
    tool_rows,
)
from ca.adapters.db.columns import UtcSeconds
from ca.adapters.db.rows import db


def _plain_type(kind: str, rendered: object, _context: object) -> str | Literal[False]:
    # A migration says what is in the database, not which class of ours reads it: it must not change when we do.
    return "sa.BigInteger()" if kind == "type" and isinstance(rendered, UtcSeconds) else False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        compare_type=True,
        render_item=_plain_type,
        # SQLite cannot change a column in place: Alembic copies the table instead.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if isinstance(handed_over, Connection):
    _run(handed_over)
else:
    with current_app.extensions["migrate"].db.engine.begin() as own:
        _run(own)
