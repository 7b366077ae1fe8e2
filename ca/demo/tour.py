"""`./run tour`: one certificate's whole life on real parts, each step judged by a program that is not ours.

The judges are openssl and, where it is installed, OpenSC's pkcs11-tool. A step without a judge of its own (a refusal by
the signer) says so. Exit is good only if every step holds.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ca import case_operations as case_ops
from ca import operations as ops
from ca.demo.codes import make_codes
from ca.demo.officers import CHECKER, MAKER, DemoOfficers, require_demo
from ca.domain.errors import NotAllowed, NotReady, PKIError
from ca.signer_client import SignerClient
from config.settings import Settings, State

_ROOT = Path(__file__).parent.parent.parent
_PASSWORD = "Tour2026"  # noqa: S105  the password of a U-Shield that lives for a minute


@dataclass
class Row:
    """One step as shown: what was done, who judged, how it went."""

    step: str
    done: str
    judge: str
    holds: bool


@dataclass
class Tour:
    """What the steps share."""

    state: State
    settings: Settings
    place: Path
    show: Callable[[Row], None]
    rows: list[Row] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)
    serial: str = ""

    def __post_init__(self) -> None:
        self.client = SignerClient(self.state.socket("signer"))
        self.officers = DemoOfficers(self.client, self.state.demo)

    def note(self, step: str, done: str, judge: str, *, holds: bool) -> None:
        self.rows.append(Row(step, done, judge, holds))
        self.show(self.rows[-1])

    def run(self, *command: str, **environment: str) -> str:
        """Both outputs of a program, whatever its exit code: the words are what is judged."""
        done = subprocess.run(  # noqa: S603  programs of ours and openssl, no shell
            command,
            cwd=self.place,
            env=os.environ | {"PYTHONPATH": str(_ROOT)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout

    def ushield(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "ushield", *arguments, "--token-dir", str(self.place / "u-shield"))

    def ocsp(self, *options: str) -> str:
        return self.run(
            *("openssl", "ocsp", "-issuer", "issuing.pem", "-CAfile", "root.pem", "-no_cert_checks"),
            *("-url", f"{self.settings.public_url}/ocsp", *options),
        )


def take_tour(state: State, settings: Settings, console: Console) -> bool:
    """True when every step holds. Raises NotReady when the demo is not running or openssl is missing."""
    require_demo(demo=settings.demo)
    if shutil.which("openssl") is None:
        raise NotReady("the tour's judge is openssl, which is not installed: apt-get install openssl")
    table = Table("step", "what was done", "judge", "verdict")

    def show(row: Row) -> None:
        table.add_row(row.step, row.done, row.judge, "holds" if row.holds else "FAILS")
        console.print(f"{'holds' if row.holds else 'FAILS'}  {row.step}")

    with tempfile.TemporaryDirectory(prefix="tour-") as place:
        tour = Tour(state, settings, Path(place), show)
        try:
            for step in _STEPS:
                step(tour)
        except PKIError as error:
            tour.note("The tour", f"stopped: {error}", "–", holds=False)
    console.print(table)
    return all(row.holds for row in tour.rows)


def _trust(tour: Tour) -> None:
    for name in ("root.pem", "chain.pem"):
        shutil.copy(tour.state.trust / name, tour.place / name)
    first, _, _ = (tour.place / "chain.pem").read_text().partition("-----END CERTIFICATE-----")
    (tour.place / "issuing.pem").write_text(f"{first}-----END CERTIFICATE-----\n")
    said = tour.run("openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "issuing.pem")
    tour.note("CA chain", "issuing CA's certificate under the root", "openssl verify", holds="issuing.pem: OK" in said)


def _u_shield(tour: Tour) -> None:
    made = json.loads(tour.ushield("init", "--label", "Tour U-Shield", "--json"))
    tour.codes = next(
        make_codes(tour.officers, "personal-signing", 1, device_serial=made["serial"]),
    )
    tour.note(
        "Branch",
        f"{tour.codes['subject']}: entered by one officer, sealed by another's passkey, codes handed out",
        "(the signer)",
        holds=True,
    )


def _nobody_alone(tour: Tour) -> None:
    maker = tour.officers[MAKER]
    application = _application(tour)
    try:
        maker.approve(application)
    except NotAllowed as refusal:
        tour.note("Nobody alone", f"the maker's own approval: “{refusal}”", "(the signer)", holds=True)
    else:
        tour.note("Nobody alone", "the maker approved their own case", "(the signer)", holds=False)
    maker.call(case_ops.WithdrawApplication, application=application, reason="tour")


def _application(tour: Tour) -> str:
    maker = tour.officers[MAKER]
    number = f"T{os.urandom(5).hex()}"
    customer = maker.call(
        ops.RegisterCustomer, kind="system", number=number, name="Tour system", document_number=number
    )["customer"]
    answer: str = maker.call(
        case_ops.SubmitApplication, customer=customer, profile="machine", host_names=["tour.demo.example"]
    )["application"]
    return answer


def _download(tour: Tour) -> None:
    code, password = tour.place / "code", tour.place / "password"
    for file, secret in ((code, tour.codes["authorization_code"]), (password, _PASSWORD)):
        file.touch(mode=0o600)
        file.write_text(f"{secret}\n")
    said = tour.ushield(
        *("download", "--server", tour.settings.enrolment_url, "--reference", tour.codes["reference_number"]),
        *("--ca-file", "root.pem", "--code-file", str(code), "--password-file", str(password), "--json"),
    )
    try:
        got = json.loads(said)
        (tour.place / "customer.pem").write_text(got["certificate"])
    except (ValueError, KeyError) as error:
        raise NotReady(f"the download failed: {said.strip()}") from error
    tour.serial = got["serial"].replace(" ", "").lower()
    said = tour.run(
        *("openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing.pem", "customer.pem")
    )
    done = "key born on the U-Shield, certificate stored, proven by a signature"
    tour.note("Download", done, "openssl verify", holds="customer.pem: OK" in said)


def _token(tour: Tour) -> None:
    tool = shutil.which("pkcs11-tool")
    if tool is None:
        shown = json.loads(tour.ushield("show", "--password-file", str(tour.place / "password"), "--json"))
        holds = bool(shown["entries"][0]["key"]["never_extractable"])
        tour.note("On the U-Shield", "key never extractable", "ushield (no opensc here)", holds=holds)
        return
    from ca.adapters.hsm.tokens import find_module

    said = tour.run(
        *(tool, "--module", str(find_module()), "--login", "--pin", _PASSWORD, "-O"),
        SOFTHSM2_CONF=str(tour.place / "u-shield" / "softhsm2.conf"),
    )
    holds = "Certificate Object" in said and "never extractable" in said
    tour.note("On the U-Shield", "certificate beside its key, never extractable", "pkcs11-tool", holds=holds)


def _good(tour: Tour) -> None:
    said = tour.ocsp("-cert", "customer.pem")
    holds = "customer.pem: good" in said and "Response verify OK" in said and "WARNING: no nonce" not in said
    tour.note("OCSP, with nonce", "asked about the new certificate: good", "openssl ocsp", holds=holds)
    said = tour.ocsp("-sha256", "-no_nonce", "-cert", "customer.pem")
    tour.note("OCSP, SHA-256", "the same, hashed with SHA-256", "openssl ocsp", holds="customer.pem: good" in said)
    said = tour.ocsp("-no_nonce", "-serial", f"0x{os.urandom(16).hex()}")
    tour.note("OCSP, never issued", "a serial we never issued: unknown", "openssl ocsp", holds=": unknown" in said)


def _held(tour: Tour) -> None:
    checker = tour.officers[CHECKER]
    checker.call(ops.Hold, serial=tour.serial)
    said = tour.ocsp("-no_nonce", "-cert", "customer.pem")
    holds = "customer.pem: revoked" in said and "certificateHold" in said
    tour.note("Hold", "the customer called: on hold in the next answer", "openssl ocsp", holds=holds)
    checker.call(ops.Release, serial=tour.serial)
    said = tour.ocsp("-no_nonce", "-cert", "customer.pem")
    tour.note("Release", "the U-Shield was found: good again", "openssl ocsp", holds="customer.pem: good" in said)


def _revoked(tour: Tour) -> None:
    tour.officers[CHECKER].call(ops.Revoke, serial=tour.serial, reason="keyCompromise")
    said = tour.ocsp("-no_nonce", "-cert", "customer.pem")
    holds = "customer.pem: revoked" in said and "keyCompromise" in said
    tour.note("Revocation, OCSP", "revoked for key compromise: in the next answer", "openssl ocsp", holds=holds)


def _listed(tour: Tour) -> None:
    from urllib.request import urlopen

    with urlopen(f"{tour.settings.public_url}/crl/issuing.crl", timeout=10) as response:  # noqa: S310  our own URL
        (tour.place / "issuing.crl").write_bytes(response.read())
    tour.run("openssl", "crl", "-inform", "DER", "-in", "issuing.crl", "-out", "crl.pem")
    said = tour.run("openssl", "crl", "-in", "crl.pem", "-CAfile", "issuing.pem", "-noout", "-text")
    holds = "verify OK" in said and tour.serial.upper() in said.replace(":", "").upper()
    tour.note("Revocation, CRL", "in the next CRL, which verifies", "openssl crl", holds=holds)
    said = tour.run(
        *("openssl", "verify", "-crl_check", "-CRLfile", "crl.pem", "-CAfile", "root.pem"),
        *("-untrusted", "issuing.pem", "customer.pem"),
    )
    holds = "certificate revoked" in said
    tour.note("Relying party", "a path check with the CRL: refused", "openssl verify", holds=holds)


def _audit(tour: Tour) -> None:
    said = tour.run(sys.executable, "-m", "ca", "--state", str(tour.state.directory), "audit", "verify")
    tour.note("Audit log", said.strip().splitlines()[0], "./pki audit verify", holds="all good" in said)


_STEPS: tuple[Callable[[Tour], None], ...] = (
    _trust,
    _nobody_alone,
    _u_shield,
    _download,
    _token,
    _good,
    _held,
    _revoked,
    _listed,
    _audit,
)


@contextmanager
def running(state: State) -> Iterator[None]:
    """The demo that is running, or one started for the tour and stopped after it."""
    try:
        SignerClient(state.socket("signer"), timeout=5).call(ops.Health())
    except NotReady:
        pass
    else:
        yield
        return
    command = [sys.executable, "-m", "ca", "start", "--state", str(state.directory)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as demo:  # noqa: S603  ourselves
        assert demo.stdout is not None  # noqa: S101  asked for with PIPE
        for line in demo.stdout:
            sys.stdout.write(line)
            if line.startswith("Stop with"):
                break
        else:
            raise NotReady("the demo did not start; what it said is above")
        try:
            yield
        finally:
            demo.send_signal(2)
            demo.communicate(timeout=60)
