"""The edge on a loopback port with TLS, the customer's process and a stand-in for the console behind it."""

import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.fakes.ports import free_port
from tests.fakes.software_ca import SoftwareCA

ROOT = Path(__file__).parents[3]
PATIENCE = 120.0
"""For what happens anyway: how fast a machine is, no test here asks."""
APPS = "tests.integration.http.apps"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them need a listening socket."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.socket)


@dataclass
class Doors:
    """Where the servers are and what they were given."""

    directory: Path
    port: int
    authority: SoftwareCA
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()

    def start(self, name: str, settings: str, app: str, *options: str) -> None:
        command = [sys.executable, "-m", "gunicorn", "-c", f"python:{settings}", *options, f"{APPS}:{app}"]
        log = (self.directory / f"{name}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def start_behind(self, name: str, app: str) -> None:
        self.start(name, "edge.gunicorn_behind", app, "--bind", f"unix:{self.directory / name}.sock")
        wait_for((self.directory / f"{name}.sock").exists)

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        process.terminate()
        process.wait(PATIENCE)

    def curl(self, path: str, *options: str) -> "subprocess.CompletedProcess[bytes]":
        command = [
            "curl",
            "--silent",
            "--show-error",
            "--max-time",
            str(PATIENCE),
            "--cacert",
            self.directory / "root.pem",
        ]
        return subprocess.run([*command, *options, self.url + path], capture_output=True, check=False)

    def status(self, path: str, *options: str) -> int:
        return int(self.curl(path, "--output", "/dev/null", "--write-out", "%{http_code}", *options).stdout or b"0")

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.directory / "root.pem"))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return context.wrap_socket(plain, server_hostname="localhost")

    def raw(self, request: bytes) -> bytes:
        """What comes back for exactly these bytes, until the server closes. One that does not fails the test."""
        with self.connect() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))


def wait_for(happened, seconds: float = PATIENCE) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    authority = SoftwareCA()
    # Not under tmp_path: a Unix socket's path has at most 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="doors-"))
    (directory / "chain.pem").write_bytes(authority.chain_pem)
    (directory / "root.pem").write_bytes(authority.root.pem)
    server = authority.holder("localhost")
    (directory / "server.key").write_bytes(server.key_pem)
    (directory / "server.pem").write_bytes(server.pem + authority.issuing.pem)
    authority.holder("client").write(directory, "client")
    authority.holder("expired", life=-timedelta(days=1)).write(directory, "expired")
    authority.holder("server", purposes=[ExtendedKeyUsageOID.SERVER_AUTH]).write(directory, "not-for-clients")
    SoftwareCA("Foreign Bank").holder("foreign").write(directory, "foreign")
    opened = Doors(directory, free_port(), authority)
    try:
        opened.start_behind("customer", f"customer('{directory}')")
        opened.start_behind("console", "echo")
        opened.start(
            "edge",
            "edge.gunicorn_settings",
            f"edge('{directory}')",
            f"--bind=127.0.0.1:{opened.port}",
            f"--certfile={directory / 'server.pem'}",
            f"--keyfile={directory / 'server.key'}",
            f"--ca-certs={directory / 'chain.pem'}",
        )
        wait_for(lambda: opened.status("/health") == 200)
        yield opened
    finally:
        for name in list(opened.processes):
            opened.stop(name)
        shutil.rmtree(directory)
