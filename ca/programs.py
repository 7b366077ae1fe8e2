"""The processes of one machine: how each is started and how it shows that it is healthy."""

import http.client
import os
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

from ca.domain.errors import NotReady, PKIError
from ca.operations import Health
from ca.signer_client import SignerClient
from ca.state_files import make_secrets, write_chain
from ca.supervisor import Program
from config.settings import STATE_VARIABLE, Settings, State

_ROOT = Path(__file__).parent.parent
_PROBE_SECONDS = 5.0
_BEHIND = ("signer", "console", "customer")
"""Those who listen on a Unix socket."""
_OTHERS = 0o007
# What a process may see of our environment: no secret is ever in it, and granian copies it into each request.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VERMILION_DATABASE_URL")


def environment(state: State) -> dict[str, str]:
    """The environment of our processes."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {STATE_VARIABLE: str(state.directory), "PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1"}


def signer_program(state: State) -> Program:
    """The signer; every other process needs it."""
    client = SignerClient(state.socket("signer"), timeout=_PROBE_SECONDS)

    def healthy() -> bool:
        try:
            return set(client.call(Health()).values()) == {"ok"}
        except PKIError:
            return False

    # Status asks again and again over connections that it keeps.
    options = ("-c", "python:edge.gunicorn_behind", "--keep-alive=30", _bind_socket(state, "signer"))
    return _gunicorn(state, "signer", healthy, *options)


def other_programs(state: State, settings: Settings) -> list[Program]:
    """Console, customer, edge, status, jobs and prober."""
    listening = settings.listening
    chain = state.trust / "chain.pem"
    first_crl = state.publication / "crl" / "issuing.crl"
    behind = ("-c", "python:edge.gunicorn_behind")
    console = [*behind, _bind_socket(state, "console")]
    if settings.demo:
        console.append(f"--bind=127.0.0.1:{listening.console_port}")
    return [
        _gunicorn(state, "console", lambda: _answers(_unix(state.socket("console")), "/admin/health"), *console),
        _gunicorn(
            state,
            "customer",
            lambda: _answers(_unix(state.socket("customer")), "/health"),
            *behind,
            _bind_socket(state, "customer"),
        ),
        _gunicorn(
            state,
            "edge",
            lambda: _answers(_TlsConnection(listening.host, listening.https_port, chain), "/health"),
            "-c",
            "python:edge.gunicorn_settings",
            f"--bind={listening.host}:{listening.https_port}",
            f"--certfile={state.tls / 'server.pem'}",
            f"--keyfile={state.tls / 'server.key'}",
            f"--ca-certs={chain}",
        ),
        _status(state, settings),
        # The first round certifies the OCSP responder and then publishes a CRL: before that, status cannot answer.
        _program(state, "jobs", (sys.executable, "-m", "ca", "jobs-process"), first_crl.exists),
        # It has no door: that it runs is all that can be seen of it, and it ends when it cannot read the records.
        _program(state, "prober", (sys.executable, "-m", "ca", "prober-process"), lambda: True),
    ]


def serve(state: State, settings: Settings, name: str) -> None:
    """Become one of the processes, for a service manager to keep alive. Raises NotReady for an unknown name."""
    programs = {program.name: program for program in [signer_program(state), *other_programs(state, settings)]}
    if name not in programs:
        raise NotReady(f"there is no process {name!r}; there are {', '.join(programs)}")
    # Each makes what only it needs: no other has the files that it is made from (deploy/README.md).
    if name == "signer":
        write_chain(state)
    elif name == "console":
        make_secrets(state)
    state.run.mkdir(mode=0o700, exist_ok=True)
    program = programs[name]
    argv = program.argv
    if name in _BEHIND and not state.run.stat().st_mode & _OTHERS:
        # The directory says who may come in: its owner alone, or a group too (deploy/systemd).
        argv += ("--umask", "0")
    os.chdir(_ROOT)
    os.execve(argv[0], argv, dict(program.env))  # noqa: S606  our own interpreter, no shell


def _status(state: State, settings: Settings) -> Program:
    listening = settings.listening
    workers = settings.ocsp.workers or min(2, os.cpu_count() or 1)
    return _gunicorn(
        state,
        "status",
        lambda: _answers(_plain(listening.host, listening.http_port), "/health"),
        "-c",
        "python:ocsp.gunicorn_settings",
        f"--workers={workers}",
        f"--bind={listening.host}:{listening.http_port}",
    )


def _program(state: State, name: str, argv: tuple[str, ...], healthy: Callable[[], bool]) -> Program:
    return Program(name, argv, environment(state), healthy)


def _gunicorn(state: State, name: str, healthy: Callable[[], bool], *options: str) -> Program:
    return _program(state, name, (sys.executable, "-m", "gunicorn", *options, f"wsgi:{name}()"), healthy)


def _bind_socket(state: State, name: str) -> str:
    return f"--bind=unix:{state.socket(name)}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PROBE_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_PROBE_SECONDS)
        self.sock.connect(str(self._path))


def _unix(path: Path) -> http.client.HTTPConnection:
    return _UnixConnection(path)


def _reachable(host: str) -> str:
    """Where a program that listens there is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  compared, not bound


def _plain(host: str, port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(_reachable(host), port, timeout=_PROBE_SECONDS)


class _TlsConnection(http.client.HTTPConnection):
    """To wherever the edge listens, by the name that is in the demo's certificate."""

    def __init__(self, host: str, port: int, chain: Path) -> None:
        super().__init__("localhost", port, timeout=_PROBE_SECONDS)
        self._address = (_reachable(host), port)
        self._chain = chain

    def connect(self) -> None:
        context = ssl.create_default_context(cafile=str(self._chain))
        plain = socket.create_connection(self._address, timeout=_PROBE_SECONDS)
        self.sock = context.wrap_socket(plain, server_hostname="localhost")


def _answers(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
