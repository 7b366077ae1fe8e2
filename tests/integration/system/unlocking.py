"""A customer with a U-Shield (SoftHSM) that the running bank prepared, and the packed tool."""

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ca import case_operations as case_ops
from ca import operations as ops
from ca import unlock_operations as unlock_ops
from ca.adapters.hsm.tokens import find_module
from tests.integration.system.running import Demo, Ran, environment, run

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
            ops.RegisterCustomer, kind="person", number=secrets.token_hex(6), name="Zhang Wei", document_number="ID1"
        )["customer"]
        application = maker.call(
            case_ops.SubmitApplication, customer=customer, profile="personal-signing", device_serial=self.serial
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
