"""OCSP as a client speaks it: requests, and a look at answers before anybody is timed (RFC 6960)."""

import base64
import http.client
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from bench.experiment import Unmeasured

MEDIA_TYPE = "application/ocsp-request"
NONCE_OCTETS = 32


@dataclass(frozen=True, slots=True)
class Issuer:
    """The hashes by which a CertID names an issuer."""

    name_hash: bytes
    key_hash: bytes

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "Issuer":
        key = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
        name = hashes.Hash(hashes.SHA1())  # noqa: S303 - what most clients still send
        name.update(certificate.subject.public_bytes())
        return cls(name.finalize(), key)

    def request(self, serial: int, *, nonce: bytes | None = None) -> bytes:
        """A request about one certificate, in DER."""
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            self.name_hash,
            self.key_hash,
            serial,
            hashes.SHA1(),  # noqa: S303
        )
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return builder.build().public_bytes(serialization.Encoding.DER)


def get_path(request: bytes) -> str:
    """The request as the last part of a path (RFC 6960 appendix A.1)."""
    return quote(base64.b64encode(request).decode("ascii"), safe="")


def write_request(path: Path, request: bytes) -> Path:
    """For `lua/post.lua` and `lua/nonce.lua`."""
    path.write_bytes(request)
    return path


def write_requests(path: Path, requests: Iterable[bytes]) -> Path:
    """For `lua/many.lua`."""
    path.write_bytes(b"".join(len(each).to_bytes(2, "big") + each for each in requests))
    return path


class Asking:
    """One kept connection to a responder on loopback."""

    def __init__(self, port: int, path: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)
        self._path = path

    def post(self, request: bytes) -> bytes:
        """The answer's body. Raises Unmeasured when there is none."""
        return self._answer("POST", self._path, request)

    def get(self, request: bytes) -> bytes:
        """The same by GET."""
        return self._answer("GET", f"{self._path.rstrip('/')}/{get_path(request)}", None)

    def _answer(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {"Content-Type": MEDIA_TYPE} if body is not None else {}
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unmeasured(f"no OCSP answer: {error!r}") from error
        if response.status != http.client.OK:
            raise Unmeasured(f"no OCSP answer: HTTP {response.status}")
        return content

    def close(self) -> None:
        self._connection.close()


def is_revoked(answer: bytes, serial: int) -> bool:
    """What a successful answer says. Raises Unmeasured for any other answer, or one about another certificate."""
    response = ocsp.load_der_ocsp_response(answer)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise Unmeasured(f"the OCSP answer is {response.response_status.name}")
    if response.serial_number != serial:
        raise Unmeasured("the OCSP answer is about another certificate")
    return response.certificate_status is ocsp.OCSPCertStatus.REVOKED


def require_good(answer: bytes, serial: int, issuer: x509.Certificate | None = None) -> int:
    """The answer's length, when it says good and is rightly signed. Raises Unmeasured."""
    if is_revoked(answer, serial):
        raise Unmeasured("the OCSP answer says revoked of a certificate that holds")
    response = ocsp.load_der_ocsp_response(answer)
    certificates = [*response.certificates, *([issuer] if issuer is not None else [])]
    if not any(_signed_by(response, certificate) for certificate in certificates):
        raise Unmeasured("the OCSP answer is signed by nobody we know")
    return len(answer)


def _signed_by(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    key, algorithm = certificate.public_key(), response.signature_hash_algorithm
    if not isinstance(key, ec.EllipticCurvePublicKey) or algorithm is None:
        return False
    try:
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True
