"""The status process as it runs: gunicorn, a standings map, a publication directory and a signer on a Unix socket."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.adapters.publication import DirectoryPublisher
from ca.adapters.standings import StandingsMap
from ca.answering import AnsweringDoor
from ca.domain.errors import PKIError
from ca.domain.ocsp import Question
from ca.domain.standings import packed_records
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
    answers_socket=here / "ocsp.sock",
    patience=Patience(body=float(os.environ["BODY_SECONDS"])),
)
app = status_app(setup, lambda: datetime.now(UTC).replace(microsecond=0))
"""


class StatusSite:
    """`world` is what the signer knows; `sync` brings its standings into the map that status reads."""

    def __init__(self, directory: Path, *, port: int) -> None:
        self.directory = directory
        self.port = port
        self.url = f"http://127.0.0.1:{self.port}"
        self.world = StatusWorld(datetime.now(UTC).replace(microsecond=0), ocsp_url=f"{self.url}/ocsp")
        self._publisher = DirectoryPublisher(directory / "publication", directory / "copies")
        self._door: AnsweringDoor | None = None
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
        self.standings.rebuild(packed_records(now), number=len(self.world.unit_of_work.events))

    def publish(self, issuer: str = "issuing") -> bytes:
        world = self.world
        world.clock.set(datetime.now(UTC).replace(microsecond=0))
        publish = replace(world.publish_crl, publisher=self._publisher)
        publish(issuer)
        return (self.directory / f"publication/crl/{issuer}.crl").read_bytes()

    def start_signer(self) -> None:
        def answer_each(questions: Sequence[Question]) -> list[bytes | PKIError]:
            self.world.clock.set(datetime.now(UTC).replace(microsecond=0))
            return self.world.answer_ocsp.each(questions)

        self._door = AnsweringDoor(self.directory / "ocsp.sock", answer_each)
        self._door.open()

    def stop_signer(self) -> None:
        """Nobody listens any more."""
        if self._door is not None:
            self._door.close()
            self._door = None


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
