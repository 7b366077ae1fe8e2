"""The signer as the fronts see it: operations in, answers or PKIErrors out; a software CA signs behind it."""

import base64
import hashlib
import threading
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    KeyStoreUnavailable,
    NotAuthenticated,
    NotFound,
    PKIError,
)
from ca.operations import Confirm, ConfirmationChallenge, Enrol, EnrolmentHints, Operation, ReEnrol
from ca.portal_operations import OrderToolJob
from tests.fakes.software_ca import SoftwareCA

NONCE = bytes(32)
_TRIES = 5


@dataclass
class _Pair:
    code: str
    left: int = _TRIES
    used_for: bytes = b""
    certificate: bytes = b""


@dataclass
class FakeSigner:
    """`pairs` are the codes it knows; `away` unplugs the HSM; `refusal` is raised whatever is asked."""

    authority: SoftwareCA
    away: bool = False
    refusal: PKIError | None = None
    asked: list[Operation] = field(default_factory=list)
    issued: list[x509.Certificate] = field(default_factory=list)
    revoked: set[bytes] = field(default_factory=set)
    pairs: dict[str, _Pair] = field(default_factory=dict)
    portal: dict[type[Operation], dict[str, Any] | PKIError] = field(default_factory=dict)
    """What is answered to operations of the portal."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def knows(self, reference: str, code: str) -> None:
        self.pairs[reference] = _Pair(code)

    def call(self, operation: Operation) -> dict[str, Any]:
        with self._lock:
            self.asked.append(operation)
            if self.refusal is not None:
                raise self.refusal
            if self.away:
                raise KeyStoreUnavailable("slot 4711 of /opt/hsm is gone")
            match operation:
                case Enrol():
                    return self._enrol(operation)
                case ReEnrol():
                    return self._re_enrol(operation)
                case EnrolmentHints():
                    self._pair(operation.reference, operation.code)
                    hints = {"profile": "machine", "subject": "CN=a", "device_serial": None}
                    return hints | {"key_algorithms": ["ec-p256"], "confirm": False}
                case ConfirmationChallenge():
                    self._require_issued(operation.serial)
                    return {"nonce": base64.b64encode(NONCE).decode(), "expires_in": 300}
                case Confirm():
                    self._require_issued(operation.serial)
                    return {"serial": operation.serial, "status": "active"}
            return self._of_portal(operation)

    def _of_portal(self, operation: Operation) -> dict[str, Any]:
        if isinstance(operation, OrderToolJob):
            return {"job": f"signed.{operation.operation}.{operation.reference}"}
        answer = self.portal.get(type(operation), NotFound(operation.path))
        if isinstance(answer, PKIError):
            raise answer
        return answer

    def _pair(self, reference: str, code: str) -> _Pair:
        pair = self.pairs.get(reference)
        if pair is None:
            raise NotAuthenticated("no such reference number")
        if pair.left == 0:
            raise NotAuthenticated("these codes are locked")
        if pair.code != code:
            pair.left -= 1
            raise NotAuthenticated("wrong code")
        return pair

    def _enrol(self, operation: Enrol) -> dict[str, Any]:
        pair = self._pair(operation.reference, operation.code)
        digest = hashlib.sha256(operation.request).digest()
        if pair.certificate and pair.used_for != digest:
            raise InvalidTransition("these codes were used already, for another request")
        if not pair.certificate:
            pair.certificate, pair.used_for = self._issue(operation.request), digest
        return _answer(pair.certificate)

    def _re_enrol(self, operation: ReEnrol) -> dict[str, Any]:
        if operation.client_certificate in self.revoked:
            raise NotAuthenticated("this certificate does not hold any more; ask at your branch")
        return _answer(self._issue(operation.request))

    def _issue(self, request_der: bytes) -> bytes:
        try:
            request = x509.load_der_x509_csr(request_der)
        except ValueError as error:
            raise InvalidRequest("this is no PKCS#10 request") from error
        certificate = self.authority.certify(request.subject, request.public_key())  # type: ignore[arg-type]  # EC only
        self.issued.append(certificate)
        return certificate.public_bytes(Encoding.DER)

    def _require_issued(self, serial: str) -> None:
        if not any(f"{certificate.serial_number:x}" == serial for certificate in self.issued):
            raise NotFound("there is no certificate with this serial number")


def _answer(certificate: bytes) -> dict[str, Any]:
    serial = x509.load_der_x509_certificate(certificate).serial_number
    return {"certificate": base64.b64encode(certificate).decode(), "serial": f"{serial:x}", "confirm": False}
