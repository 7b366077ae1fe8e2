"""The customer's U-Shield (a SoftHSM token of its own) against the running bank, pkcs11-tool looking on."""

import json
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ca import case_operations as case_ops
from ca import operations as ops
from ca.adapters.hsm.tokens import find_module
from tests.fakes.letters import code_in, letter_in
from tests.integration.system.clients import ask_ocsp, issue, openssl
from tests.integration.system.running import REPOSITORY, Demo, Ran, environment, run

pytestmark = [pytest.mark.softhsm, pytest.mark.opensc, pytest.mark.socket, pytest.mark.openssl]

PASSWORD = "abc1234"


@dataclass(frozen=True)
class Customer:
    """A computer with a U-Shield, and the codes from the branch."""

    home: Path
    demo: Demo
    serial: str
    codes: Mapping[str, Any]

    @property
    def tokens(self) -> Path:
        return self.home / "tokens"

    def argv(self, command: str, *options: object) -> list[str]:
        words = (sys.executable, "-m", "ushield", command, "--token-dir", self.tokens, *options)
        return [str(word) for word in words]

    def ushield(self, command: str, *options: object) -> Ran:
        ran = run(*self.argv(command, *options), HOME=str(self.home))
        assert "Traceback" not in ran.text, ran
        return ran

    @property
    def download_options(self) -> tuple[object, ...]:
        (self.home / "code").write_text(f"{self.codes['authorization_code']}\n")
        (self.home / "password").write_text(f"{PASSWORD}\n")
        return (
            *("--json", "--server", self.demo.url, "--reference", self.codes["reference_number"]),
            *("--ca-file", self.demo.root_pem, "--code-file", self.home / "code"),
            *("--password-file", self.home / "password"),
        )

    def download(self) -> Ran:
        return self.ushield("download", *self.download_options)

    def pkcs11_tool(self, *options: object) -> str:
        ran = run(
            *("pkcs11-tool", "--module", find_module(), *options), SOFTHSM2_CONF=str(self.tokens / "softhsm2.conf")
        )
        assert ran.status == 0, ran
        return ran.text

    def objects(self) -> str:
        return self.pkcs11_tool("--login", "--pin", PASSWORD, "-O")

    def certificate(self, directory: Path) -> Path:
        """As pkcs11-tool reads it from the U-Shield."""
        listed = self.pkcs11_tool("-O", "--type", "cert")
        identifier = next(line.split()[-1] for line in listed.splitlines() if line.strip().startswith("ID:"))
        der, pem = directory / "read.der", directory / "read.pem"
        self.pkcs11_tool("--read-object", "--type", "cert", "--id", identifier, "--output-file", der)
        openssl("x509", "-inform", "DER", "-in", der, "-out", pem)
        return pem


@pytest.fixture
def customer(demo: Demo, tmp_path: Path) -> Customer:
    blank = Customer(tmp_path, demo, "", {})
    made = blank.ushield("init", "--label", "My U-Shield", "--json")
    assert made.status == 0, made
    serial = json.loads(made.out)["serial"]
    return Customer(tmp_path, demo, serial, demo.codes("personal-signing", device_serial=serial)[0])


def test_a_download_ends_with_key_and_certificate_on_the_ushield_and_active(
    customer: Customer, demo: Demo, tmp_path: Path
) -> None:
    done = customer.download()

    assert done.status == 0, done
    answer = json.loads(done.out)
    assert (answer["status"], answer["device"]["serial"]) == ("active", customer.serial)
    objects = customer.objects()
    assert objects.count("Private Key Object") == 1
    assert objects.count("Certificate Object") == 1
    private = objects.split("Private Key Object;")[1].split(" Object;")[0]
    assert "never extractable" in private
    assert "local" in private
    certificate = customer.certificate(tmp_path)
    assert f"{certificate}: good" in ask_ocsp(demo, tmp_path, "-cert", certificate)
    shown = customer.ushield("show", "--password-file", tmp_path / "password")
    tested = customer.ushield("test", "--password-file", tmp_path / "password")
    assert (shown.status, tested.status) == (0, 0), (shown, tested)
    assert "can never leave it" in shown.out


def page_of(demo: Demo, cookie: str, method: str, path: str, form: Mapping[str, str] | None = None) -> tuple[str, str]:
    """What a browser with that cookie gets of the console, and the cookie it is given."""
    connection = HTTPSConnection("localhost", demo.https, context=ssl.create_default_context(cafile=str(demo.root_pem)))
    with closing(connection):
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, urlencode(form or {}), headers)
        answer = connection.getresponse()
        given = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        return answer.read().decode(), given


def receipt_for(demo: Demo, device_serial: str) -> str:
    """The page, with the letter, that an officer gets for a new customer with this U-Shield."""
    maker = demo.maker
    customer = maker.call(
        ops.RegisterCustomer, kind="person", number="D77", name="Li Qiang", document_number="ID77", email="li@b.example"
    )["customer"]
    maker.call(ops.RegisterDevice, serial=device_serial, model="U-Shield")
    case = {"customer": customer, "profile": "personal-signing", "device_serial": device_serial, "host_names": []}
    application = maker.call(case_ops.SubmitApplication, **case)["application"]
    demo.checker.approve(application)
    session = f"vermilion_officer={maker.session}"
    page, given = page_of(demo, session, "GET", "/admin/")
    token = re.search('name="csrf_token" value="([^"]+)"', page)
    assert token is not None, page
    form = {"csrf_token": token[1]}
    return page_of(demo, f"{session}; {given}", "POST", f"/admin/cases/{application}/codes", form)[0]


def test_what_receipt_and_letter_say_downloads_the_certificate(demo: Demo, tmp_path: Path) -> None:
    customer = Customer(tmp_path, demo, "", {})
    serial = json.loads(customer.ushield("init", "--label", "Mine", "--json").out)["serial"]
    receipt = receipt_for(demo, serial)
    ((command,), (fingerprint,)) = (
        re.findall(f"{mark}[^>]*>([^<]+)<", receipt) for mark in ("data-command", "data-fingerprint")
    )
    code = code_in(letter_in(receipt))
    (tmp_path / "root.pem").write_bytes(demo.root_pem.read_bytes())
    (tmp_path / "code").write_text(code)
    (tmp_path / "password").write_text(PASSWORD)

    secrets = ("--code-file", tmp_path / "code", "--password-file", tmp_path / "password")
    words = (tmp_path / word if word == "root.pem" else word for word in command.split()[2:])
    done = customer.ushield("download", *words, *secrets)

    assert done.status == 0, done
    told = openssl("x509", "-in", demo.root_pem, "-noout", "-fingerprint", "-sha256").partition("=")[2]
    assert fingerprint.replace(" ", "") == told.strip().replace(":", "").lower()


def test_the_private_key_cannot_be_taken_out(customer: Customer, tmp_path: Path) -> None:
    assert customer.download().status == 0

    taken = run(
        *("pkcs11-tool", "--module", find_module(), "--login", "--pin", PASSWORD, "--read-object", "--type", "privkey"),
        *("--output-file", tmp_path / "stolen"),
        SOFTHSM2_CONF=str(customer.tokens / "softhsm2.conf"),
    )

    assert taken.status != 0, taken
    assert not (tmp_path / "stolen").exists() or (tmp_path / "stolen").read_bytes() == b""


def test_the_factory_password_does_not_open_it_any_more(customer: Customer) -> None:
    assert customer.download().status == 0

    tried = run(
        *("pkcs11-tool", "--module", find_module(), "--login", "--pin", "12345678", "-O"),
        SOFTHSM2_CONF=str(customer.tokens / "softhsm2.conf"),
    )

    assert tried.status != 0, tried


def test_another_customers_ushield_is_refused_before_a_key_is_made(customer: Customer, demo: Demo) -> None:
    # Serial numbers are random: the other one must differ whatever this one begins with.
    first = "2" if customer.serial.startswith("1") else "1"
    (others,) = demo.codes("personal-signing", device_serial=f"{first}{customer.serial[1:]}")
    mixed_up = Customer(customer.home, demo, customer.serial, others)

    refused = mixed_up.download()

    assert refused.status not in {0, 1}, refused
    assert customer.pkcs11_tool("-O").count("Object") == 0
    assert demo.rows("SELECT state FROM code_pairs WHERE reference = ?", others["reference_number"]) == [("open",)]


@pytest.mark.parametrize("delay", [0.9, 1.5])
def test_a_download_that_was_killed_is_finished_by_the_same_command(
    customer: Customer, demo: Demo, tmp_path: Path, delay: float
) -> None:
    argv = customer.argv("download", *customer.download_options)
    (token,) = customer.home.rglob("token.object")
    whole = token.read_bytes()
    running = subprocess.Popen(
        argv,
        cwd=REPOSITORY,
        env=environment(HOME=str(customer.home)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        running.wait(timeout=delay)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGKILL)
        running.wait()
    if not token.read_bytes():
        # SoftHSM empties this file before it writes it anew, at each login; a U-Shield does no such thing.
        token.write_bytes(whole)

    finished = customer.download()

    assert finished.status == 0, finished
    objects = customer.objects()
    assert (objects.count("Private Key Object"), objects.count("Certificate Object")) == (1, 1), objects
    states = "SELECT certificates.status FROM certificates JOIN code_pairs USING (application) WHERE reference = ?"
    assert demo.rows(states, customer.codes["reference_number"]) == [("active",)]
    certificate = customer.certificate(tmp_path)
    assert f"{certificate}: good" in ask_ocsp(demo, tmp_path, "-cert", certificate)


@pytest.mark.curl
def test_a_certificate_nobody_confirmed_is_on_hold(demo: Demo, tmp_path: Path) -> None:
    certificate = issue(demo, tmp_path, demo.codes("personal-signing")[0])

    said = ask_ocsp(demo, tmp_path, "-cert", certificate)

    assert f"{certificate}: revoked" in said
    assert "Reason: certificateHold" in said
