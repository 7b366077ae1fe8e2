"""Which schema a database has, and bringing it to ours: the Alembic migrations, run from the program itself."""

from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from ca.domain.errors import NotReady

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"

# Any number will do, as long as every version of this program uses the same one.
_MIGRATION_LOCK = 0x7665726D


class SchemaState(StrEnum):
    """A database's schema beside the one this program knows."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


def schema_state(engine: Engine) -> SchemaState:
    """Compare by the revision recorded in the database."""
    script = ScriptDirectory.from_config(_config())
    with engine.connect() as connection:
        found = set(MigrationContext.configure(connection).get_current_heads())
    if not found:
        return SchemaState.EMPTY
    if found == set(script.get_heads()):
        return SchemaState.CURRENT
    known = {revision.revision for revision in script.walk_revisions()}
    return SchemaState.OLDER if found <= known else SchemaState.NEWER


def require_current_schema(engine: Engine) -> None:
    """Raise NotReady unless the database has exactly our schema."""
    state = schema_state(engine)
    if state in {SchemaState.EMPTY, SchemaState.OLDER}:
        raise NotReady(f"the schema of the database is {state.value}; back the database up, then migrate it")
    if state is SchemaState.NEWER:
        raise NotReady("the database was made by a newer version of this program; use that version")


def migrate(engine: Engine) -> None:
    """Bring the schema to ours, in one transaction. Two processes that try at once take turns."""
    if schema_state(engine) is SchemaState.NEWER:
        raise NotReady("the database was made by a newer version of this program; use that version")
    with engine.begin() as connection:
        upgrade(connection)


def upgrade(connection: Connection) -> None:
    """The same within a transaction that began already."""
    config = _config()
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def our_revision() -> str:
    """The schema that this program knows, by its number."""
    (head,) = ScriptDirectory.from_config(_config()).get_heads()
    return head


def _config() -> Config:
    config = Config()
    # Alembic reads % as the start of a substitution.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
