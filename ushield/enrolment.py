"""The bank's side of a download, over TLS: EST (RFC 7030, 8951) and the confirmation of docs/protocols/enrolment.md.

The server is always verified and redirects are never followed, so the two codes reach the bank or nobody.
No call here takes a password, and none may ever.
"""

import http.client
import json
import ssl
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7

from ushield.errors import (
    AddressNotHttps,
    AnswerUnexpected,
    BankBusy,
    BankNotProved,
    BankUnreachable,
    CaFileUnreadable,
    CertificateStopped,
    CodesRefused,
    CodeUsed,
    ConfirmationRefused,
    RenewalRefused,
    RequestRefused,
    TooManyTries,
    UnlockRefused,
    UShieldError,
)

_TIMEOUT_SECONDS = 60
_LARGEST_ANSWER = 1 << 20
_NONCE_OCTETS = 32
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Codes:
    """The two codes from the branch. Kept out of every log and message."""

    reference: str
    authorization: str

    def __repr__(self) -> str:
        return "Codes(…)"

    def basic(self) -> str:
        return "Basic " + b64encode(f"{self.reference}:{self.authorization}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Hints:
    """What the bank is about to put into the certificate, and which keys it takes, best first."""

    profile: str
    subject: str
    device_serial: str | None
    key_algorithms: tuple[str, ...]
    confirm: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after: str | None

    def json(self) -> dict[str, Any]:
        try:
            read = json.loads(self.body)
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise _not_understood()
        return read

    def reason(self) -> str:
        """What the server says, fit to be shown: one line, no control characters, not endless."""
        text = self.body.decode("utf-8", "replace")
        try:
            read = json.loads(text)
            text = str(read["message"])
        except (ValueError, KeyError, TypeError):
            pass
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST_REASON]


class Bank:
    """The enrolment endpoint at one https address."""

    def __init__(self, address: str, ca_file: str | None = None, *, root_pem: str | None = None) -> None:
        """Beside the computer's own roots, trust the one in the file, or the one given as text."""
        self._host, self._port, self._prefix = _parts(address)
        self._tls = _trust(ca_file)
        if root_pem is not None:
            self._tls.load_verify_locations(cadata=root_pem)

    def hints(self, codes: Codes) -> Hints:
        answer = self._ask("GET", "/enrolment/profile-hints", {"Authorization": codes.basic()})
        if answer.status != 200:
            raise _refusal(answer)
        read = answer.json()
        try:
            serial, algorithms, confirm = read["device_serial"], read["key_algorithms"], read["confirm"]
            if not (isinstance(algorithms, list) and isinstance(confirm, bool)):
                raise _not_understood()
            return Hints(
                profile=str(read["profile"]),
                subject=str(read["subject"]),
                device_serial=None if serial is None else str(serial),
                key_algorithms=tuple(str(name) for name in algorithms),
                confirm=confirm,
            )
        except KeyError:
            raise _not_understood() from None

    def enrol(self, codes: Codes, request: bytes) -> list[bytes]:
        """The certificates in the answer, in DER. The same codes and request get the same certificate again."""
        answer = self._ask(
            "POST",
            "/.well-known/est/simpleenroll",
            {"Authorization": codes.basic(), "Content-Type": "application/pkcs10"},
            b64encode(request),
        )
        if answer.status != 200:
            raise _refusal(answer)
        try:
            return [found.public_bytes(Encoding.DER) for found in _certs_only(answer.body)]
        except ValueError:
            raise _not_understood() from None

    def ca_certificates(self) -> list[x509.Certificate]:
        """Those that sign certificates at this bank, and the root (RFC 7030 section 4.1)."""
        answer = self._ask("GET", "/.well-known/est/cacerts", {})
        if answer.status != 200:
            raise _refusal(answer)
        try:
            return _certs_only(answer.body)
        except ValueError:
            raise _not_understood() from None

    def challenge(self, serial: str) -> bytes:
        answer = self._ask_json("/enrolment/challenge", {"serial": serial})
        nonce = _octets(answer.get("nonce"))
        if len(nonce) != _NONCE_OCTETS:
            raise _not_understood()
        return nonce

    def confirm(self, serial: str, nonce: bytes, signature: bytes, by_old_key: bytes | None = None) -> str:
        """Prove the key, and the old one for a renewal; the answer is the certificate's new status."""
        told = {"serial": serial, "nonce": _text(nonce), "signature": _text(signature)}
        if by_old_key is not None:
            told["predecessor_signature"] = _text(by_old_key)
        return str(self._ask_json("/enrolment/confirm", told).get("status", ""))

    @property
    def origin(self) -> str:
        """The bank's web origin, as browsers write it (RFC 6454 section 6.2)."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"https://{host}" if self._port in (None, 443) else f"https://{host}:{self._port}"

    def offered(self, name: str, longest: int) -> bytes:
        """A file of the page Download Software Tool. Raises BankAway."""
        answer = self._ask("GET", f"/tool/{name}", {}, longest=longest)
        if answer.status != 200:
            raise _refusal(answer)
        return answer.body

    def renew(self, certificate: bytes, request: bytes, nonce: bytes, signature: bytes) -> list[bytes]:
        """The certificate for the new key, in DER. The same request gets the same certificate again."""
        told = {"certificate": certificate, "request": request, "nonce": nonce, "signature": signature}
        body = json.dumps({name: _text(octets) for name, octets in told.items()}).encode("ascii")
        answer = self._ask("POST", "/enrolment/renew", {"Content-Type": "application/json"}, body)
        if answer.status in {400, 403, 404, 409}:
            raise RenewalRefused(
                f"The bank does not renew this certificate: {answer.reason() or 'it gave no reason'}. The present one "
                "is as it was."
            )
        if answer.status != 200:
            raise _refusal(answer)
        return [_octets(answer.json().get("certificate"))]

    def unlock(self, reference: str, code: str, token_serial: str, public_key: bytes) -> str:
        """The bank's answer, a JWS. Raises UnlockRefused for a wrong code."""
        question = {
            "reference": reference,
            "code": code,
            "token_serial": token_serial,
            "public_key": _text(public_key),
        }
        return str(self._ask_unlock("/enrolment/unlock", question).get("answer"))

    def unlocked(self, reference: str, nonce: bytes, certificate: bytes, signature: bytes) -> None:
        """Prove that the U-Shield is open again."""
        proof = {"nonce": nonce, "certificate": certificate, "signature": signature}
        told = {name: _text(octets) for name, octets in proof.items()}
        self._ask_unlock("/enrolment/unlocked", {"reference": reference, **told})

    def _ask_unlock(self, path: str, question: dict[str, str]) -> dict[str, Any]:
        answer = self._ask("POST", path, {"Content-Type": "application/json"}, json.dumps(question).encode("ascii"))
        if answer.status in {400, 403, 404, 409}:
            raise UnlockRefused(f"The bank does not unlock this U-Shield: {answer.reason() or 'it gave no reason'}.")
        if answer.status != 200:
            raise _refusal(answer)
        return answer.json()

    def _ask_json(self, path: str, question: dict[str, str]) -> dict[str, Any]:
        answer = self._ask("POST", path, {"Content-Type": "application/json"}, json.dumps(question).encode("ascii"))
        if answer.status == 409:
            raise CertificateStopped(
                f"The bank does not let this certificate become active: {answer.reason() or 'it gave no reason'}. "
                "It was held or revoked meanwhile, and the same command again does not help. Ask your branch."
            )
        if answer.status in {400, 403, 404, 410, 422}:
            raise ConfirmationRefused(
                f"The bank did not accept the proof of the new key: {answer.reason() or 'it gave no reason'}. "
                "The certificate is on the U-Shield but not yet active. Run the same command again; "
                "if this stays, call the hotline."
            )
        if answer.status != 200:
            raise _refusal(answer)
        return answer.json()

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None, longest: int = _LARGEST_ANSWER
    ) -> _Answer:
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS, context=self._tls)
        try:
            connection.request(method, self._prefix + path, body, {"Accept": "*/*", "Connection": "close", **headers})
            response = connection.getresponse()
            read = response.read(longest + 1)
            if len(read) > longest:
                raise _not_understood()
            return _Answer(response.status, read, response.getheader("Retry-After"))
        except ssl.SSLCertVerificationError as error:
            raise BankNotProved(
                f"The server at {self._host} could not prove that it is the bank ({error.verify_message}). Nothing was "
                "sent to it. Check the address; if your branch gave you the bank's root certificate, name it with "
                "--ca-file."
            ) from None
        except (OSError, http.client.HTTPException):
            raise BankUnreachable(
                f"The bank's server {self._host} did not answer, or the connection broke. Nothing is lost. "
                "Check the network and run the same command again."
            ) from None
        finally:
            connection.close()


def _parts(address: str) -> tuple[str, int | None, str]:
    """Host, port and path. Raise AddressNotHttps for whatever could not be called."""
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname or ""
        host.encode("idna")
        callable_ = parts.path.isascii() and address.isprintable() and " " not in address
    except ValueError:
        callable_ = False
    if not callable_ or parts.scheme != "https" or not host or parts.username or parts.query:
        raise AddressNotHttps(
            "The bank's address must look like https://name or https://name:port: over anything else your codes "
            "could be read on the way. Nothing was sent. Check the address on the letter from your branch."
        )
    return host, port, parts.path.rstrip("/")


def _trust(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ValueError):
            raise CaFileUnreadable(
                f"The bank's root certificate could not be read from {ca_file}. Nothing was sent. "
                "Name a file in PEM form, as your branch gave it to you."
            ) from None
    return context


def certificate_with_key(certificates: list[bytes], spki: bytes) -> bytes | None:
    """The one certificate of the answer that is for this key."""
    for der in certificates:
        try:
            found = x509.load_der_x509_certificate(der)
        except ValueError:
            continue
        if found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == spki:
            return der
    return None


def _certs_only(body: bytes) -> list[x509.Certificate]:
    """RFC 8951: base64 without regard to headers; white space may occur. Raises ValueError."""
    return pkcs7.load_der_pkcs7_certificates(b64decode(b"".join(body.split()), validate=True))


def _text(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")


def _octets(encoded: object) -> bytes:
    try:
        return b64decode(str(encoded), validate=True)
    except ValueError:
        raise _not_understood() from None


def _not_understood() -> AnswerUnexpected:
    return AnswerUnexpected(
        "The bank's server answered something this tool does not understand. Nothing is lost. Check the address; "
        "a newer version of the tool may be needed."
    )


def _refusal(answer: _Answer) -> UShieldError:
    """The one table from HTTP status to what the customer can do."""
    match answer.status:
        case 401:
            return CodesRefused(
                "The bank did not accept the reference number and authorization code together. Check both on the "
                "letters from your branch; after some wrong tries they are locked, and your branch gives you new ones."
            )
        case 409:
            return CodeUsed(
                "These codes have already been used for another request, from another U-Shield or computer. "
                "If that was not you, call the hotline at once; else ask your branch for new codes."
            )
        case 429:
            return TooManyTries("There were too many tries in a short time. Wait some minutes, then try once more.")
        case 400 | 403 | 422:
            return RequestRefused(
                f"The bank refused the request: {answer.reason() or 'it gave no reason'}. The key pair stays on the "
                "U-Shield, without a certificate. Ask your branch, with the code of this message."
            )
        case 202 | 503:
            wait = answer.retry_after if answer.retry_after and answer.retry_after.isdigit() else None
            when = f"in {wait} seconds" if wait else "in some minutes"
            return BankBusy(
                f"The bank cannot issue the certificate just now. Nothing is lost. Run the same command again {when}."
            )
        case _:
            return AnswerUnexpected(
                f"The bank's server gave an answer that does not belong here (HTTP {answer.status}). "
                "Nothing is lost. Check the address and run the same command again later."
            )
