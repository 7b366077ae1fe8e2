"""A PostgreSQL of the bench's own, reached by a Unix socket in its own directory and nowhere else."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.experiment import Unmeasured
from bench.processes import Server, find_program, run

_OWNER = "bench"
_START_SECONDS = 60.0
FOR_FILLING = ("wal_level=minimal", "max_wal_senders=0", "max_wal_size=8GB", "fsync=off", "full_page_writes=off")
"""Settings that make writing fast, and reading no faster than the packaged ones do."""


@contextmanager
def database(*settings: str) -> Iterator[str]:
    """URL of an empty database, with these settings besides the packaged ones; server and files go with the block.

    Raises Unmeasured where PostgreSQL is missing.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        raise Unmeasured("PostgreSQL is not installed (Debian package postgresql)")
    binaries = programs[-1].parent
    # Beside the bench's directory, which is closed to whom the server runs as; short, for the path of its socket.
    folder = Path(tempfile.mkdtemp(prefix="vmpg"))
    try:
        as_user = _unprivileged(folder)
        initdb = (binaries / "initdb", "-D", folder / "data", "-U", _OWNER, "-A", "trust", "-E", "UTF8")
        run([*as_user, *initdb], timeout=_START_SECONDS, cwd=folder)
        more = [word for setting in ("listen_addresses=", *settings) for word in ("-c", setting)]
        server = Server(
            [*as_user, binaries / "postgres", "-D", folder / "data", "-k", folder, *more],
            ready=lambda said: "ready to accept connections" in said,
            log=folder / "log",
            cwd=folder,
            patience=_START_SECONDS,
        )
        with server:
            yield f"postgresql://{_OWNER}@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> list[str]:
    """What goes before a command of PostgreSQL, which refuses to run as root."""
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    setpriv = find_program("setpriv", "util-linux")
    return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
