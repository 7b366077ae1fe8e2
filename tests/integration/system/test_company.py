"""Two companies over HTTPS, administrators played by software keys: hand-made requests reach no further (ADR 0030)."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from ca import operations as ops
from ca.domain.tool_jobs import ToolOperation, statement
from ca.usecases.confirm import proof_message
from tests.integration.system.clients import ask_ocsp, issue, serial_of
from tests.integration.system.running import Demo

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl]


@dataclass
class Person:
    """With an active certificate for a key in a file, and a session when signed in."""

    demo: Demo
    home: Path
    codes: Mapping[str, Any]
    cookie: str = ""
    pem: Path = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir()
        self.pem = issue(self.demo, self.home, self.codes)
        nonce = self.raw(self.post("/enrolment/challenge", serial=self.serial)["nonce"])
        self.post(
            "/enrolment/confirm",
            serial=self.serial,
            nonce=b64(nonce),
            signature=self.sign(proof_message(self.demo.url, nonce, self.der)),
        )

    @property
    def der(self) -> bytes:
        return x509.load_pem_x509_certificate(self.pem.read_bytes()).public_bytes(Encoding.DER)

    @property
    def serial(self) -> str:
        return serial_of(self.pem)

    @staticmethod
    def raw(text: str) -> bytes:
        return base64.b64decode(text)

    def sign(self, message: bytes) -> str:
        key = load_pem_private_key((self.home / "key.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return b64(key.sign(message, ec.ECDSA(SHA256())))

    def ask(self, path: str, **body: str) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/json", "Cookie": self.cookie}
        body_json = json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.demo.url}{path}", body_json, headers)  # noqa: S310 - our own demo
        trust = ssl.create_default_context(cafile=str(self.demo.root_pem))
        try:
            with urllib.request.urlopen(asked, context=trust) as answer:  # noqa: S310 - our own demo
                if cookie := answer.headers["Set-Cookie"]:
                    self.cookie = cookie.split(";")[0]
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def post(self, path: str, **body: str) -> dict[str, Any]:
        status, told = self.ask(path, **body)
        assert status == 200, told
        return told

    def stated(self, operation: ToolOperation, job: str) -> dict[str, str]:
        """As the tool: a statement over what the job says."""
        claims = job.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        nonce = base64.urlsafe_b64decode(said["nonce"] + "=" * (-len(said["nonce"]) % 4))
        message = statement(operation, self.demo.url, nonce, self.der, said.get("text", ""))
        return {"certificate": b64(self.der), "nonce": b64(nonce), "signature": self.sign(message)}

    def sign_in(self) -> None:
        job = self.post("/bridge/jobs", operation="sign-in")["job"]
        self.post("/bridge/sign-in", **self.stated(ToolOperation.SIGN_IN, job))


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def an_administrator(demo: Demo, home: Path) -> Person:
    (codes,) = demo.codes("company-administrator")
    person = Person(demo, home, codes)
    person.sign_in()
    return person


def an_operator(demo: Demo, administrator: Person, home: Path) -> Person:
    """Applied for by the administrator, approved by an officer."""
    wanted = {"name": "Zhao Min", "document_number": "ID1", "device_serial": administrator.codes["company_devices"][0]}
    ordered = administrator.post("/bridge/company/order-application", **wanted)
    stated = administrator.stated(ToolOperation.COMPANY_APPLY, ordered["job"])
    applied = administrator.post("/bridge/company/apply", **wanted, number=ordered["number"], **stated)
    demo.checker.approve(applied["application"])
    return Person(demo, home, demo.maker.call(ops.HandOutCodes, application=applied["application"]))


def test_no_hand_made_request_reaches_another_company(demo: Demo, tmp_path: Path) -> None:
    first, second = (an_administrator(demo, tmp_path / name) for name in ("first", "second"))
    operator = an_operator(demo, second, tmp_path / "operator")

    # Another company's certificate, administrator and U-Shield, and what there is not: one answer each.
    answers = [
        first.ask("/bridge/company/order-hold", serial=serial) for serial in (operator.serial, second.serial, "beef")
    ]
    assert answers[0][0] == 404
    assert answers[0] == answers[1] == answers[2]
    job = second.post("/bridge/company/order-hold", serial=operator.serial)["job"]
    stolen = second.stated(ToolOperation.COMPANY_HOLD, job)
    assert first.ask("/bridge/company/hold", serial=operator.serial, **stolen) == answers[0]
    named = {"name": "A", "document_number": "1"}
    devices = [
        first.ask("/bridge/company/order-application", **named, device_serial=serial)
        for serial in (second.codes["company_devices"][1], operator.codes.get("device_serial", "US-none"), "none")
    ]
    assert devices[0][0] == 400
    assert devices[0] == devices[1] == devices[2]

    # An operator is no administrator, by key or by claim.
    operator.sign_in()
    assert operator.ask("/bridge/company/order-hold", serial=operator.serial)[0] == 403
    assert "good" in ask_ocsp(demo, tmp_path, "-cert", operator.pem)

    # The own administrator holds; on hold themselves, they hold nothing.
    job = second.post("/bridge/company/order-hold", serial=operator.serial)["job"]
    stated = second.stated(ToolOperation.COMPANY_HOLD, job)
    assert second.post("/bridge/company/hold", serial=operator.serial, **stated)["status"] == "on-hold"
    assert "certificateHold" in ask_ocsp(demo, tmp_path, "-cert", operator.pem)
    assert second.ask("/bridge/company/hold", serial=operator.serial, **stated)[0] == 403
    demo.maker.call(ops.Hold, serial=first.serial)
    assert first.ask("/bridge/company/order-application", **named, device_serial="none")[0] == 403
