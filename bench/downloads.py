"""Customers who all download their certificates at once, as the U-Shield tool does: each over HTTPS from an address of
its own, with two codes and a key of its own. A refusal that says "later" is tried again, as a customer would.
"""

import hashlib
import json
import ssl
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

_PATIENCE_SECONDS = 60.0
"""The tool's own, for one answer."""
_LATER = frozenset({429, 503})
# As the tool says it (docs/protocols/enrolment.md): a request that says nothing is an alarm, which is more work.
_KEY_BIRTH = x509.ObjectIdentifier("1.3.6.1.4.1.99999.3.1")
_BORN = b"key-birth-1 local=yes always-sensitive=yes never-extractable=yes extractable=no mechanism=00001040"
_AT_MOST = 20
"""Times that a customer runs the tool."""


@dataclass(frozen=True, slots=True)
class Bank:
    """Where the downloads go."""

    port: int
    trust: ssl.SSLContext
    origin: str


@dataclass(slots=True)
class Customer:
    """One download: what it has before the clock starts, and what became of it."""

    number: int
    codes: Mapping[str, Any]
    key: ec.EllipticCurvePrivateKey
    request: bytes
    seconds: float = 0.0
    """From the start to the certificate being active."""
    slowest: float = 0.0
    """Seconds for the slowest answer."""
    retries: int = 0
    serial: int = 0
    status: str = ""
    trouble: list[str] = field(default_factory=list)

    @classmethod
    def ready(cls, number: int, codes: Mapping[str, Any]) -> "Customer":
        """With a key and a request of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        request = builder.add_attribute(_KEY_BIRTH, _BORN).sign(key, SHA256())
        return cls(number, codes, key, request.public_bytes(Encoding.DER))

    @property
    def address(self) -> str:
        """A source of its own on the loopback network."""
        return f"127.1.{self.number // 250}.{self.number % 250 + 1}"

    def download(self, bank: Bank) -> None:
        """Until it is active, or the customer gives up."""
        began = time.monotonic()
        for _ in range(_AT_MOST):
            later = self._try(bank)
            if later is None:
                break
            self.retries += 1
            time.sleep(later)
        self.seconds = time.monotonic() - began

    def _try(self, bank: Bank) -> float | None:
        """None when it is over; seconds to wait before the same again."""
        try:
            basic = b64encode(f"{self.codes['reference_number']}:{self.codes['authorization_code']}".encode()).decode()
            given = {"Authorization": f"Basic {basic}"}
            self._ask(bank, "GET", "/enrolment/profile-hints", given)
            kind = {"Content-Type": "application/pkcs10"}
            answer = self._ask(bank, "POST", "/.well-known/est/simpleenroll", given | kind, b64encode(self.request))
            (issued,) = pkcs7.load_der_pkcs7_certificates(b64decode(answer))
            self.serial = issued.serial_number
            named = {"serial": f"{self.serial:x}"}
            nonce = b64decode(self._ask_json(bank, "/enrolment/challenge", named)["nonce"])
            message = proof_message(bank.origin, nonce, issued.public_bytes(Encoding.DER))
            proof = self.key.sign(message, ec.ECDSA(SHA256()))
            told = {**named, "nonce": b64encode(nonce).decode(), "signature": b64encode(proof).decode()}
            self.status = self._ask_json(bank, "/enrolment/confirm", told)["status"]
        except Later as later:
            self.trouble.append(str(later))
            return later.seconds
        except (OSError, HTTPException) as error:
            self.trouble.append(type(error).__name__)
            return 1.0
        return None

    def _ask_json(self, bank: Bank, path: str, told: Mapping[str, str]) -> dict[str, Any]:
        answer = self._ask(bank, "POST", path, {"Content-Type": "application/json"}, json.dumps(told).encode())
        found: dict[str, Any] = json.loads(answer)
        return found

    def _ask(self, bank: Bank, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
        began = time.monotonic()
        connection = HTTPSConnection(
            "localhost", bank.port, timeout=_PATIENCE_SECONDS, context=bank.trust, source_address=(self.address, 0)
        )
        try:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
            self.slowest = max(self.slowest, time.monotonic() - began)
        if response.status in _LATER:
            raise Later(f"{path}: {response.status}", float(response.headers.get("Retry-After", "1")))
        if response.status != 200:
            raise Refused(f"{method} {path}: {response.status} {answer[:200]!r}")
        return answer


class Later(Exception):
    """The bank asks to come again."""

    def __init__(self, words: str, seconds: float) -> None:
        super().__init__(words)
        self.seconds = seconds


class Refused(Exception):
    """The bank said no to somebody it must not say no to."""


def proof_message(origin: str, nonce: bytes, certificate: bytes) -> bytes:
    """What a new key signs (docs/protocols/enrolment.md)."""
    bound = hashlib.sha256(origin.encode()).digest() + nonce + hashlib.sha256(certificate).digest()
    return b"vermilion confirm v2\x00" + bound


def all_at_once(customers: Sequence[Customer], bank: Bank) -> float:
    """Seconds from the start of the first to the end of the last."""
    gate = threading.Barrier(len(customers) + 1)

    def work(customer: Customer) -> None:
        gate.wait()
        try:
            customer.download(bank)
        except Refused as refused:
            customer.trouble.append(str(refused))

    threads = [threading.Thread(target=work, args=(one,)) for one in customers]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join()
    return time.monotonic() - began
