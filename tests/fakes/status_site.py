"""The status process as it runs: gunicorn, a standings map, a publication directory and a signer on a Unix socket."""

import base64
import http.client
import json
import os
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.adapters.publication import DirectoryPublisher
from ca.adapters.standings import StandingsMap
from ca.domain.errors import PKIError
from ca.usecases.publish_crl import PublishCRL
from tests.fakes.ports import free_port
from tests.fakes.status_world import StatusWorld

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
_APP = """
import os
from datetime import UTC, datetime
from pathlib import Path
from ocsp.app import Setup, status_app
from ocsp.connection import Patience
here = Path(__file__).parent
setup = Setup(
    database_url="sqlite:///unread",
    standings=here / "standings",
    kept=here / "kept",
    publication=here / "publication",
    signer_socket=here / "signer.sock",
    patience=Patience(body=float(os.environ["BODY_SECONDS"])),
)
app = status_app(setup, lambda: datetime.now(UTC).replace(microsecond=0))
"""


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    world: StatusWorld


class _Handler(BaseHTTPRequestHandler):
    """What the signer's HTTP face does for `ocsp/answer`."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.world.clock.set(datetime.now(UTC).replace(microsecond=0))
        body = json.dumps({"answers": [self._answer(question) for question in asked["questions"]]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, question: dict[str, Any]) -> dict[str, str]:
        nonce = None if question["nonce"] is None else base64.b64decode(question["nonce"])
        try:
            response = self.server.world.answer_ocsp([base64.b64decode(each) for each in question["cert_ids"]], nonce)
        except PKIError as error:
            return {"error": error.code, "message": str(error)}
        return {"response": base64.b64encode(response).decode()}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Quiet."""


class StatusSite:
    """`world` is what the signer knows; `sync` brings its standings into the map that status reads."""

    def __init__(self, directory: Path, *, port: int) -> None:
        self.directory = directory
        self.port = port
        self.url = f"http://127.0.0.1:{self.port}"
        self.world = StatusWorld(datetime.now(UTC).replace(microsecond=0), ocsp_url=f"{self.url}/ocsp")
        self._publisher = DirectoryPublisher(directory / "publication", directory / "copies")
        self._server: _Server | None = None
        self.standings = StandingsMap(directory / "standings")
        self.sync()
        for issuer in (self.world.root, self.world.issuing):
            self._publisher.publish_certificate(issuer.name, issuer.certificate_der)
            self.write_pem(issuer.name, issuer.certificate_der)
        (directory / "app.py").write_text(_APP)

    def write_pem(self, stem: str, der: bytes) -> Path:
        path = self.directory / f"{stem}.pem"
        path.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
        return path

    def sync(self) -> None:
        now = self.world.unit_of_work.standings.kept.items()
        self.standings.rebuild(now, number=len(self.world.unit_of_work.events))

    def publish(self, issuer: str = "issuing") -> bytes:
        world = self.world
        world.clock.set(datetime.now(UTC).replace(microsecond=0))
        publish = PublishCRL(world.unit_of_work, world.clock, world.key_store, self._publisher, world.linter)
        publish(issuer)
        return (self.directory / f"publication/crl/{issuer}.crl").read_bytes()

    def start_signer(self) -> None:
        path = self.directory / "signer.sock"
        path.unlink(missing_ok=True)
        self._server = _Server(str(path), _Handler)
        self._server.world = self.world
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop_signer(self) -> None:
        """Nobody listens any more; connections that were kept stay open until they are used."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            (self.directory / "signer.sock").unlink()


@contextmanager
def running_status(
    *, workers: int = 2, body_seconds: float = 5.0, ocsp_life: timedelta = timedelta(hours=1)
) -> Iterator[StatusSite]:
    """The site with gunicorn in front, for as long as the block lasts."""
    directory = Path(tempfile.mkdtemp(prefix="vermilion-status-"))
    site = StatusSite(directory, port=free_port())
    site.world.answer_ocsp = replace(site.world.answer_ocsp, life=ocsp_life)
    site.start_signer()
    command = [
        *(sys.executable, "-m", "gunicorn", "-c", "python:ocsp.gunicorn_settings"),
        *(f"--bind=127.0.0.1:{site.port}", f"--workers={workers}", f"--chdir={directory}", "app:app"),
    ]
    log = (directory / "status.log").open("wb")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BODY_SECONDS": str(body_seconds)}
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _await(site, process)
        yield site
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()
        site.stop_signer()
        site.standings.close()
        shutil.rmtree(directory)


def _await(site: StatusSite, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
            connection.request("GET", "/ca/root.cer")
            connection.getresponse().read()
            connection.close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError((site.directory / "status.log").read_text())
