"""The product as anybody runs it: a demo state, its settings file, its processes, HTTP and the signer's socket.

Nothing in here knows how the status process works. What a release does not have yet is found out by asking for it in
the settings file: a refusal makes the row "not measured", with the product's own words.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from bench.experiment import Bench, Unmeasured
from bench.load import Subject
from bench.ocsp import Asking, Issuer, get_path
from bench.processes import ROOT, Resident, Server, free_ports, largest_resident
from ca.demo.officers import CHECKER, DemoOfficer, DemoOfficers
from ca.domain.errors import PKIError
from ca.operations import Hold, OfficerOperation, Release, Revoke
from ca.signer_client import SignerClient

TWO_WORKERS = {"ocsp": {"workers": "2"}}
KEY_IN_MEMORY = {"ocsp": {"key": '"memory"'}}
Changes = dict[str, dict[str, str]]
"""Section → setting → value, as TOML has it."""

TEMPLATE = "template"
"""Name of the demo that all others are copies of."""
_UP = "Stop with Ctrl-C."
_START_SECONDS = 600.0
_SIGNER_SECONDS = 900.0


def with_settings(text: str, changes: Changes) -> str:
    """A settings file with some settings added, or set anew."""
    for section, values in changes.items():
        for name, value in values.items():
            text = _with_setting(text, section, name, value)
    return text


def _with_setting(text: str, section: str, name: str, value: str) -> str:
    before, heading, after = text.partition(f"[{section}]\n")
    if not heading:
        return f"{text.rstrip()}\n\n[{section}]\n{name} = {value}\n"
    body, bracket, rest = re.split(r"(^\[|\Z)", after, maxsplit=1, flags=re.MULTILINE)
    body = re.sub(rf"^{name}\s*=.*\n", "", body, flags=re.MULTILINE)
    return f"{before}{heading}{name} = {value}\n{body}{bracket}{rest}"


@dataclass(frozen=True, slots=True)
class Product:
    """A state directory whose processes run."""

    state: Path
    http_port: int
    pid: int
    """Root of all its processes."""
    workers: str
    """Remark when there are fewer than two."""

    @property
    def issuing(self) -> x509.Certificate:
        return x509.load_der_x509_certificate((self.state / "trust" / "issuing.cer").read_bytes())

    @property
    def issuer(self) -> Issuer:
        return Issuer.of(self.issuing)

    def revoker(self) -> "Revoker":
        """Who may end a certificate's validity, signed in."""
        client = SignerClient(self.state / "run" / "signer.sock", timeout=_SIGNER_SECONDS)
        try:
            return Revoker(DemoOfficers(client, self.state / "demo")[CHECKER])
        except PKIError as error:
            raise Unmeasured(f"no officer to revoke: {error}") from error

    def asking(self) -> Asking:
        return Asking(self.http_port, "/ocsp")

    def post(self, name: str, answer_size: int, requests: Path, script: str = "post.lua") -> Subject:
        """Load by POST."""
        return Subject(name, f"http://127.0.0.1:{self.http_port}/ocsp", self.pid, answer_size, script, requests)

    def get(self, name: str, answer_size: int, request: bytes) -> Subject:
        """Load by GET."""
        url = f"http://127.0.0.1:{self.http_port}/ocsp/{get_path(request)}"
        return Subject(name, url, self.pid, answer_size)

    def largest_worker(self) -> Resident:
        """Memory of the status process's largest worker."""
        return largest_resident(int((self.state / "run" / "status.pid").read_text("ascii")))


class Revoker:
    """A demo officer who revokes, through the signer as in the console."""

    def __init__(self, officer: DemoOfficer) -> None:
        self._officer = officer
        officer.session  # noqa: B018 - signing in is no part of what is timed

    def __call__(self, serial: int) -> None:
        """Returns when the signer has answered. Raises Unmeasured."""
        self._call(Revoke, serial, reason="superseded")

    def hold(self, serial: int) -> None:
        """Likewise, and it can be taken back."""
        self._call(Hold, serial)

    def release(self, serial: int) -> None:
        """Take a hold back."""
        self._call(Release, serial)

    def _call(self, operation: type[OfficerOperation], serial: int, **more: str) -> None:
        try:
            self._officer.call(operation, serial=f"{serial:x}", **more)
        except PKIError as error:
            raise Unmeasured(f"the signer did not change a certificate's status: {error}") from error


def stopped_demo(bench: Bench) -> Path:
    """A state directory of its own, without processes: a copy of one that was set up, for that takes seconds."""
    template = bench.directory / TEMPLATE
    if not template.exists():
        with _started(template):
            pass
    # Short: the path of a Unix socket has 107 octets at most.
    copy = Path(tempfile.mkdtemp(prefix="s", dir=bench.directory))
    ignored = shutil.ignore_patterns("*.sock", "*.pid")
    return Path(shutil.copytree(template, copy, ignore=ignored, dirs_exist_ok=True))


@contextmanager
def running_demo(state: Path, *, needs: Changes | None = None) -> Iterator[Product]:
    """Its processes, with two status workers where the release lets one choose. Raises Unmeasured."""
    settings = state / "settings.toml"
    wanted = with_settings(settings.read_text("utf-8"), needs or {})
    with ExitStack() as stack:
        settings.write_text(with_settings(wanted, TWO_WORKERS), "utf-8")
        try:
            server, port = stack.enter_context(_started(state))
            workers = ""
        except Unmeasured as reason:
            if settings.name not in str(reason):
                raise
            settings.write_text(wanted, "utf-8")
            server, port = stack.enter_context(_started(state))
            workers = "no setting for 2 workers"
        yield Product(state, port, server.pid, workers)


@contextmanager
def demo_on(database_url: str, state: Path) -> Iterator[Product]:
    """A new demo on this database. Raises Unmeasured."""
    with _started(state, VERMILION_DATABASE_URL=database_url) as (server, port):
        yield Product(state, port, server.pid, "")


@contextmanager
def new_demo(state: Path) -> Iterator[Product]:
    """A new demo, at an address that its certificates and its settings know. Raises Unmeasured."""
    with _started(state) as (server, port):
        yield Product(state, port, server.pid, "")


@contextmanager
def _started(state: Path, **more: str) -> Iterator[tuple[Server, int]]:
    https, http, console = free_ports(3)
    ports = ("--https-port", https, "--http-port", http, "--console-port", console)
    server = Server(
        [sys.executable, "-m", "ca", "start", "--state", state, *ports],
        ready=lambda said: _UP in said,
        log=state.with_name(f"{state.name}.out"),
        cwd=ROOT,
        patience=_START_SECONDS,
        more={"PYTHONPATH": str(ROOT), **more},
    )
    with server:
        yield server, http
