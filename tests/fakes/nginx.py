"""The shipped nginx configuration in a real nginx on loopback, and a stand-in for status that notes what arrives."""

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.fakes.status_site import ROOT, free_port

SHIPPED = ROOT / "deploy" / "nginx.conf"


def adapted(directory: Path, *, port: int, upstream: int, changes: Mapping[str, str]) -> Path:
    """The shipped file with other ports and places. Each text that is changed is in it exactly once."""
    text = SHIPPED.read_text("utf-8")
    places = {
        "listen 80 backlog=4096;": f"listen 127.0.0.1:{port};",
        "listen [::]:80 backlog=4096;": "",
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{upstream};",
        "/run/nginx.pid": f"{directory}/nginx.pid",
        "/var/log/nginx/error.log": f"{directory}/error.log",
        "/var/cache/nginx-status": f"{directory}/cache",
        "worker_processes auto;": "worker_processes 1;",
        # The built-in places belong to root.
        "server_tokens off;": "server_tokens off;\n"
        + "\n".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi"))
        + f"\nuwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;",
    }
    for old, new in [*places.items(), *changes.items()]:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = directory / "nginx.conf"
    path.write_text(text, "utf-8")
    return path


@contextmanager
def running_nginx(upstream: int, changes: Mapping[str, str] | None = None) -> Iterator[int]:
    """nginx in front of a port of 127.0.0.1; gives its own port."""
    directory = Path(tempfile.mkdtemp(prefix="vermilion-nginx-"))
    directory.chmod(0o755)  # a worker of root's nginx is another user
    port = free_port()
    configuration = adapted(directory, port=port, upstream=upstream, changes=changes or {})
    log = directory / "start.log"
    with log.open("wb") as output:
        command = ["nginx", "-p", str(directory), "-e", f"{directory}/error.log", "-c", str(configuration)]
        process = subprocess.Popen([*command, "-g", "daemon off;"], stdout=output, stderr=output)
    try:
        _await(port, process, log)
        yield port
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(directory)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(log.read_text())


class StandIn(ThreadingHTTPServer):
    """Where status would be: notes each request line as it came, and answers with `headers`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lines: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.headers: dict[str, str] = {"Cache-Control": "no-store"}

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        self.server.lines.append(self.requestline)
        self.server.bodies.append(body)
        content = b"number %d" % len(self.server.lines)
        self.send_response(200)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Quiet."""


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """The stand-in, listening for as long as the block lasts."""
    server = StandIn()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
