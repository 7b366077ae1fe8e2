"""nginx beside us: a static file as the ceiling of what this machine can answer, and the cache we ship."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.experiment import Unmeasured
from bench.load import Subject
from bench.processes import ROOT, Server, find_program, free_ports, listens

WORKERS = 2
_SHIPPED = ROOT / "deploy" / "nginx.conf"
_HTTP = re.compile(r"^\s*http\s*\{", re.MULTILINE)
_STATIC = """
{user}daemon off;
worker_processes {workers};
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=16 inactive=600s;
  default_type application/ocsp-response;
  {temporary}
  server {{
    listen 127.0.0.1:{port};
    root {directory};
  }}
}}
"""


def _user() -> str:
    # Workers of a root's nginx would be nobody, who may not read our directory.
    return "user root;\n" if os.geteuid() == 0 else ""


@contextmanager
def ceiling(directory: Path, answer_size: int) -> Iterator[Subject]:
    """A static file of the answer's size, by GET."""
    (directory / "answer").write_bytes(os.urandom(answer_size))
    (port,) = free_ports(1)
    config = _STATIC.format(
        user=_user(), workers=WORKERS, directory=directory, port=port, temporary=_temporary(directory)
    )
    with _nginx(directory, config, port) as server:
        yield Subject("nginx", f"http://127.0.0.1:{port}/answer", server.pid, answer_size)


def require_shipped() -> None:
    """Raise Unmeasured when there is no configuration to try."""
    if not _SHIPPED.exists():
        raise Unmeasured("deploy/nginx.conf is missing")


@contextmanager
def shipped(directory: Path, status_port: int) -> Iterator[tuple[int, int]]:
    """The nginx configuration of `deploy/`, before a status process on this port. Its port, and its process."""
    (port,) = free_ports(1)
    config = relocated(_SHIPPED.read_text("utf-8"), directory=directory, port=port, upstream=status_port)
    with _nginx(directory, config, port) as server:
        yield port, server.pid


def relocated(shipped: str, *, directory: Path, port: int, upstream: int) -> str:
    """The shipped configuration on ports and in a directory of the bench. What it says of caching stays as it is."""
    config = re.sub(r"\b(?:127\.0\.0\.1|localhost):8080\b", f"127.0.0.1:{upstream}", shipped)
    config = re.sub(r"^\s*listen\s+\[[^;]*;", "", config, flags=re.MULTILINE)
    config = re.sub(r"^(\s*)listen\s+[^;]*;", rf"\g<1>listen 127.0.0.1:{port};", config, flags=re.MULTILINE)
    config = re.sub(r"/var/[\w./-]*/(?=[\w.-]+)", f"{directory}/", config)
    if not _HTTP.search(config):
        # Shipped to be included in a machine's own nginx.conf.
        config = f"events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n{config}\n}}\n"
    config = _HTTP.sub(f"http {{\n  {_temporary(directory)}", config, count=1)
    config = re.sub(r"^\s*(?:user|daemon|pid|error_log|worker_processes)\s[^;]*;", "", config, flags=re.MULTILINE)
    ours = f"{_user()}daemon off;\nworker_processes {WORKERS};\npid {directory}/nginx.pid;\nerror_log stderr error;\n"
    return ours + config


def _temporary(directory: Path) -> str:
    """Where bodies go that do not fit into memory; the places it was built with are the machine's own nginx's."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds)


@contextmanager
def _nginx(directory: Path, config: str, port: int) -> Iterator[Server]:
    program = find_program("nginx", "nginx")
    file = directory / "nginx.conf"
    file.write_text(config, "utf-8")
    argv = [program, "-p", directory, "-e", "stderr", "-c", file]
    with Server(argv, ready=lambda _said: listens(port), log=directory / "nginx.log") as server:
        yield server
