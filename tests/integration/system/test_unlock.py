"""A forgotten certificate password, end to end: real SoftHSM U-Shield, packed tool, running bank (THREATS 24)."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ca import operations as ops
from ca import unlock_operations as unlock_ops
from ca.adapters.hsm.tokens import find_module
from tests.integration.system.running import Demo, Ran, environment, run

pytestmark = [pytest.mark.softhsm, pytest.mark.opensc, pytest.mark.socket]

FORGOTTEN, NEW, NEWER = "abc1234", "xyz9876", "qrs5432"
VENDOR = "vendor-so-pin"


@dataclass
class Customer:
    """A U-Shield that the bank prepared, with a certificate in use."""

    home: Path
    demo: Demo
    serial: str = ""
    certificate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> Path:
        return self.home / "tokens"

    def argv(self, command: str, *options: object) -> list[str]:
        tool = self.home / "ushield.pyz"
        if not tool.exists():
            tool.write_bytes((self.demo.offered / "ushield.pyz").read_bytes())
        return [str(word) for word in (sys.executable, tool, command, "--token-dir", self.tokens, *options)]

    def ushield(self, command: str, *options: object) -> Ran:
        ran = run(*self.argv(command, *options), HOME=str(self.home), PYTHONPATH="")
        assert "Traceback" not in ran.text, ran
        return ran

    def file(self, name: str, text: str) -> Path:
        (self.home / name).write_text(f"{text}\n")
        return self.home / name

    def prepare(self) -> Ran:
        """As a supervisor does, with the console beside the tool."""
        so_pin = self.file("so", VENDOR)
        made = self.ushield("init", "--label", "Mine", "--json", "--so-pin-file", so_pin)
        self.serial = json.loads(made.out)["serial"]
        self.demo.maker.call(ops.RegisterDevice, serial=self.serial, model="U-Shield 2")
        tool = subprocess.Popen(
            self.argv("prepare", "--so-pin-file", so_pin),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment(HOME=str(self.home), PYTHONPATH=""),
        )  # fmt: skip
        assert tool.stdin is not None
        assert tool.stdout is not None
        token, key = tool.stdout.readline().strip().split(":")
        answer = self.demo.maker.call(
            unlock_ops.PrepareDevice, serial=self.serial, token_serial=token, public_key=ops.decode_base64(key)
        )["answer"]
        out, err = tool.communicate(f"{answer}\n", timeout=60)
        return Ran(tool.returncode, out, err)

    def download(self) -> None:
        maker = self.demo.maker
        customer = maker.call(
            ops.RegisterCustomer, kind="person", number="U1", name="Zhang Wei", document_number="ID1"
        )["customer"]
        application = maker.call(
            ops.SubmitApplication, customer=customer, profile="personal-signing", device_serial=self.serial
        )["application"]
        self.demo.checker.approve(application)
        codes = maker.call(ops.HandOutCodes, application=application)
        done = self.ushield(
            "download", "--json", "--server", self.demo.url, "--reference", codes["reference_number"],
            "--ca-file", self.demo.root_pem, "--code-file", self.file("code", codes["authorization_code"]),
            "--password-file", self.file("password", FORGOTTEN),
        )  # fmt: skip
        assert done.status == 0, done
        self.certificate = json.loads(done.out)

    def unlock_codes(self) -> tuple[str, str]:
        maker = self.demo.maker
        opened = maker.call(unlock_ops.OpenUnlock, device_serial=self.serial, reason="ID card seen at the counter")
        return opened["reference"], opened["half"] + self.demo.checker.approve_unlock(opened["reference"])

    def unblock(self, reference: str, code: str, new: str) -> Ran:
        return self.ushield(
            "unblock", "--json", "--reference", reference,
            "--code-file", self.file("unlock", code), "--password-file", self.file("password", new),
        )  # fmt: skip

    def opens_with(self, password: str) -> bool:
        return self.ushield("test", "--json", "--password-file", self.file("password", password)).status == 0

    def so_opens_with(self, so_pin: str) -> bool:
        ran = run(
            *("pkcs11-tool", "--module", find_module(), "--login", "--login-type", "so", "--so-pin", so_pin),
            "--list-objects",
            SOFTHSM2_CONF=str(self.tokens / "softhsm2.conf"),
        )
        return ran.status == 0


@pytest.fixture(scope="module")
def customer(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Customer:
    customer = Customer(tmp_path_factory.mktemp("home"), demo)
    assert customer.so_opens_with(VENDOR) is False, "there is no U-Shield yet"
    prepared = customer.prepare()
    assert prepared.status == 0, prepared
    assert not customer.so_opens_with(VENDOR), "the vendor's SO password must be gone (THREATS 26)"
    customer.download()
    return customer


def test_a_forgotten_password_is_replaced_and_the_certificate_lives_on(customer: Customer) -> None:
    assert customer.opens_with(FORGOTTEN)
    done = customer.unblock(*customer.unlock_codes(), NEW)

    assert done.status == 0, done
    assert json.loads(done.out)["serial"] == customer.certificate["serial"]
    assert customer.opens_with(NEW)
    assert not customer.opens_with(FORGOTTEN)
    state = customer.demo.rows("select state, so_use from devices where serial = ?", customer.serial)
    assert state == [("in-use", 2)]


def test_a_wrong_code_and_a_used_one_change_nothing(customer: Customer) -> None:
    reference, code = customer.unlock_codes()
    wrong = customer.unblock(reference, code[::-1], NEWER)
    assert (wrong.status, "D-89" in wrong.text) == (5, True), wrong
    assert customer.unblock(reference, code, NEW).status == 0
    again = customer.unblock(reference, code, NEWER)
    assert (again.status, "D-89" in again.text) == (5, True), again
    assert customer.opens_with(NEW)


def test_a_bad_password_costs_no_answer(customer: Customer) -> None:
    reference, code = customer.unlock_codes()
    refused = customer.unblock(reference, code, "12345678")
    assert refused.status == 4, refused
    answers = customer.demo.rows("select answers, attempts_left from unlock_cases where reference = ?", reference)
    assert answers == [(0, 5)]
    assert customer.unblock(reference, code, NEW).status == 0


def test_nothing_of_an_unlock_is_kept_by_the_bank(customer: Customer) -> None:
    reference, code = customer.unlock_codes()
    assert customer.unblock(reference, code, NEWER).status == 0
    kept = b"".join(path.read_bytes() for path in customer.demo.state.rglob("*") if path.is_file())
    for secret in (NEW, NEWER, code, f"{code[:4]}-{code[4:8]}-{code[8:]}"):
        assert secret.encode() not in kept
