"""Opening the database: SQLite (WAL) on one machine, PostgreSQL beyond it; to write for the signer, to read for fronts.

SQLite: a transaction begins with BEGIN IMMEDIATE, so writers take turns from their first statement on and none fails
half-way because another was faster; `synchronous=FULL`, so what was committed survives a power cut.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from ca.adapters.db.errors import translate
from ca.adapters.db.schema import SchemaState, schema_state
from ca.domain.errors import NotReady

_PATIENCE_SECONDS = 30
"""How long a transaction waits for its turn before it gives up."""
_LOOKING = "vermilion_looking"


def open_database(url_or_path: str | Path, *, create: bool = False) -> Engine:
    """The signer's engine. Raises NotReady when the file is missing (unless `create`), damaged, or newer than we are.

    The schema may be older, or not there yet: see `schema.migrate` and `schema.require_current_schema`.
    """
    url = database_url(url_or_path)
    if url.get_backend_name() == "sqlite":
        _require_file(Path(url.database or ""), create=create)
    engine = _create_engine(url, read_only=False)
    _require_not_newer(engine)
    return engine


def open_read_only(url_or_path: str | Path) -> Engine:
    """An engine that cannot write and holds up nobody who does. Raises NotReady as `open_database` does."""
    url = database_url(url_or_path)
    if url.get_backend_name() == "sqlite":
        _require_file(Path(url.database or ""), create=False)
    engine = _create_engine(read_only_url(url), read_only=True)
    _require_not_newer(engine)
    if engine.dialect.name == "postgresql":
        # As on SQLite: all that one transaction reads is of one moment, however long it takes.
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


def read_only_settings(url_or_path: str | Path) -> dict[str, Any]:
    """Flask-SQLAlchemy's settings for a front: `app.config.update(...)` before `db.init_app(app)`."""
    url = read_only_url(database_url(url_or_path))
    options = _options(url)
    if url.get_backend_name() == "postgresql":
        # Each statement sees what is committed then, as with READ COMMITTED, without BEGIN and ROLLBACK around them:
        # of four ways to the server for a page of one row that leaves two.
        options["isolation_level"] = "AUTOCOMMIT"
    return {"SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": options}


def read_only_url(url: URL) -> URL:
    """The same database, opened so that the database itself refuses every change."""
    if url.get_backend_name() == "sqlite":
        path = quote(str(Path(url.database or "").absolute()))
        return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
    return _with_option(url, "default_transaction_read_only=on")


def database_url(url_or_path: str | Path) -> URL:
    """A URL as given, or the SQLite file at a path. Raises NotReady when it is neither."""
    text = str(url_or_path)
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).absolute()))
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise NotReady("the database URL cannot be read; it looks like postgresql://user@host/name") from error
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise NotReady(f"{url.get_backend_name()} is no database we know; use SQLite or PostgreSQL")
    return url


def set_up(engine: Engine, *, read_only: bool) -> None:
    """Listeners every engine needs; a front calls it for the engine that Flask-SQLAlchemy made (`db.engine`)."""
    event.listen(engine, "handle_error", translate, retval=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_reader if read_only else _set_up_writer)
        event.listen(engine, "begin", _begin_reading if read_only else _begin_writing)


def _create_engine(url: URL, *, read_only: bool) -> Engine:
    try:
        engine = create_engine(url, **_options(url))
    except (ArgumentError, ImportError) as error:
        raise NotReady("no driver for this database URL; use postgresql://user@host/name") from error
    set_up(engine, read_only=read_only)
    return engine


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"pool_size": 8, "max_overflow": 56, "connect_args": {"timeout": _PATIENCE_SECONDS}}
    # A lock that its holder never gives back must not hold up everybody for ever.
    options = _with_option(url, f"lock_timeout={_PATIENCE_SECONDS}s").query["options"]
    return {
        "pool_size": 8,
        "max_overflow": 56,
        "pool_pre_ping": True,
        "isolation_level": "READ COMMITTED",
        "connect_args": {"connect_timeout": 10, "options": options},
    }


def _with_option(url: URL, option: str) -> URL:
    given = url.query.get("options", "")
    before = given if isinstance(given, str) else " ".join(given)
    return url.update_query_dict({"options": f"{before} -c {option}".strip()})


def _require_file(path: Path, *, create: bool) -> None:
    if not path.parent.is_dir():
        raise NotReady(f"the folder {path.parent} for the database does not exist")
    if not path.is_file() and not create:
        raise NotReady(f"there is no database at {path}; restore it from a backup, or set up a new one")


def _require_not_newer(engine: Engine) -> None:
    try:
        state = schema_state(engine)
    except NotReady:
        engine.dispose()
        raise
    if state is SchemaState.NEWER:
        engine.dispose()
        raise NotReady("the database was made by a newer version of this program; use that version or restore a backup")


def _set_up_writer(connection: Any, _record: object) -> None:
    _set_up_sqlite(connection, "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF")


def _set_up_reader(connection: Any, _record: object) -> None:
    _set_up_sqlite(connection, "query_only=ON", "trusted_schema=OFF")


def _set_up_sqlite(connection: sqlite3.Connection, *pragmas: str) -> None:
    # The driver must not begin transactions by itself: it would begin them too late, and as readers.
    connection.isolation_level = None
    for pragma in (f"busy_timeout={_PATIENCE_SECONDS * 1000}", *pragmas):
        connection.execute(f"PRAGMA {pragma}")


def changes_of(engine: Engine) -> Callable[[], bool]:
    """Whether anybody committed since the last call; of a database that cannot tell cheaply, always. For one thread."""
    if engine.dialect.name != "sqlite":
        return lambda: True
    # One connection for all calls: the number is its own count of what others did.
    connection, last = engine.raw_connection(), [-1]

    def changed() -> bool:
        cursor = connection.cursor()
        try:
            (version,) = cursor.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return True  # whoever reads next says what is wrong
        finally:
            cursor.close()
        before, last[0] = last[0], version
        return bool(before != version)

    return changed


def looking(engine: Engine) -> Engine:
    """The same engine for transactions that only read: all that one reads is of one moment, and no writer waits."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(**{_LOOKING: True})


def _begin_writing(connection: Connection) -> None:
    looks = connection.get_execution_options().get(_LOOKING, False)
    connection.exec_driver_sql("BEGIN" if looks else "BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
