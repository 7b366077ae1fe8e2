"""A relying party of its own: HTTP, OCSP and CRLs read with `cryptography`, none of the code that made them."""

import base64
import http.client
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from ca.domain.certificates import Certificate
from ca.domain.errors import NotReady, Tampered
from ca.domain.receipts import OCSP_GET, OCSP_NONCE
from ca.domain.revocation import RevocationReason
from ca.domain.times import CLOCK_TOLERANCE
from ca.ports import Clock
from ca.probing import Addresses

_PATIENCE_SECONDS = 5.0
_LIST_SECONDS = 60.0
"""A CRL of a million entries is 40 MB."""
_LONGEST_ANSWER, _LONGEST_LIST = 64 << 10, 256 << 20
_PIECE = 1 << 16
_FEW = 8
"""Up to so many serials are searched one by one; more in one pass through the list."""
_UNREADABLE = (
    *(ValueError, TypeError, UnsupportedAlgorithm),
    *(x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType),
)
_REASONS = {
    x509.ReasonFlags.unspecified: RevocationReason.UNSPECIFIED,
    x509.ReasonFlags.key_compromise: RevocationReason.KEY_COMPROMISE,
    x509.ReasonFlags.affiliation_changed: RevocationReason.AFFILIATION_CHANGED,
    x509.ReasonFlags.superseded: RevocationReason.SUPERSEDED,
    x509.ReasonFlags.cessation_of_operation: RevocationReason.CESSATION_OF_OPERATION,
    x509.ReasonFlags.certificate_hold: RevocationReason.CERTIFICATE_HOLD,
    x509.ReasonFlags.privilege_withdrawn: RevocationReason.PRIVILEGE_WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class _ReadCRL:
    """probing.AskedCRL."""

    crl: x509.CertificateRevocationList
    etag: str
    number: int
    freshest: str | None

    def reasons(self, serials: Sequence[int]) -> dict[int, RevocationReason | None]:
        with _readable("the CRL there has entries that cannot be read"):
            if len(serials) <= _FEW:
                found = [self.crl.get_revoked_certificate_by_serial_number(serial) for serial in serials]
            else:
                wanted = set(serials)
                found = [entry for entry in self.crl if entry.serial_number in wanted]
            return {entry.serial_number: _entry_reason(entry) for entry in found if entry is not None}


class HttpAsker:
    """probing.Asker over HTTP, at the addresses that certificates name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lists: dict[str, _ReadCRL] = {}

    def addresses(self, certificate: Certificate) -> Addresses:
        extensions = x509.load_der_x509_certificate(certificate.der).extensions
        responder = crl = None
        for extension in extensions:
            if isinstance(extension.value, x509.AuthorityInformationAccess):
                named = [
                    one.access_location.value
                    for one in extension.value
                    if one.access_method == AuthorityInformationAccessOID.OCSP
                ]
                responder = named[0] if named else None
            elif isinstance(extension.value, x509.CRLDistributionPoints):
                crl = _first_url(extension.value)
        return Addresses(responder, crl)

    def ocsp(self, certificate: Certificate, issuer_der: bytes, channel: str) -> RevocationReason | None:
        address = self.addresses(certificate).ocsp
        if address is None:
            raise NotReady("the certificate names no OCSP responder")
        subject, issuer = x509.load_der_x509_certificate(certificate.der), x509.load_der_x509_certificate(issuer_der)
        builder = ocsp.OCSPRequestBuilder().add_certificate(subject, issuer, hashes.SHA256())
        nonce = os.urandom(32) if channel == OCSP_NONCE else None
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        asked = builder.build().public_bytes(Encoding.DER)
        if channel == OCSP_GET:
            path = quote(base64.b64encode(asked).decode("ascii"), safe="")
            _, _, content = _exchange("GET", f"{address.rstrip('/')}/{path}")
        else:
            _, _, content = _exchange("POST", address, asked, {"Content-Type": "application/ocsp-request"})
        with _readable("the OCSP answer cannot be read, or lacks the nonce"):
            answer = ocsp.load_der_ocsp_response(content)
            if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                raise NotReady(f"the responder says {answer.response_status.name}")
            _require_current(answer, issuer, self._clock.now())
            return _ocsp_reason(answer, subject.serial_number, nonce)

    def crl(self, url: str, issuer_der: bytes) -> _ReadCRL:
        known = self._lists.get(url)
        headers = {"If-None-Match": known.etag} if known else {}
        status, etag, content = _exchange("GET", url, headers=headers, seconds=_LIST_SECONDS, longest=_LONGEST_LIST)
        if status == http.client.NOT_MODIFIED and known is not None:
            _require_time(known.crl.last_update_utc, known.crl.next_update_utc, self._clock.now(), "the CRL there")
            return known
        issuer = x509.load_der_x509_certificate(issuer_der)
        with _readable("what is there is no CRL that can be read"):
            crl = x509.load_der_x509_crl(content)
            if not crl.is_signature_valid(_public_key(issuer)) or crl.issuer != issuer.subject:
                raise Tampered("the CRL there is not signed by the issuing CA")
            _require_time(crl.last_update_utc, crl.next_update_utc, self._clock.now(), "the CRL there")
            number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            read = _ReadCRL(crl, etag, number, _freshest(crl))
        if etag:
            self._lists[url] = read
        return read

    def forget(self, but: Sequence[str]) -> None:
        self._lists = {url: crl for url, crl in self._lists.items() if url in but}


@contextmanager
def _readable(otherwise: str) -> Iterator[None]:
    """What others send may be anything; `cryptography` says so in many ways, some only when a field is looked at."""
    try:
        yield
    except _UNREADABLE as error:
        raise Tampered(otherwise) from error


def _exchange(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    *,
    seconds: float = _PATIENCE_SECONDS,
    longest: int = _LONGEST_ANSWER,
) -> tuple[int, str, bytes]:
    """Status, ETag and content. Raises NotReady unless it is 200 or 304, whole within that time and not longer."""
    ends_at = time.monotonic() + seconds
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError as error:
        raise NotReady(f"{url[:100]} is no address") from error
    if parts.scheme != "http" or not host:
        raise NotReady(f"{url[:100]} is not asked: only http is")
    connection = http.client.HTTPConnection(host, port, timeout=min(seconds, _PATIENCE_SECONDS))
    try:
        connection.request(method, parts.path or "/", body, headers or {})
        response = connection.getresponse()
        content = _content(response, longest, ends_at)
        status, etag = response.status, response.getheader("ETag") or ""
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotReady(f"no answer: {error}") from error
    finally:
        connection.close()
    if status not in {http.client.OK, http.client.NOT_MODIFIED}:
        raise NotReady(f"the answer is HTTP {status}")
    return status, etag, content


def _content(response: http.client.HTTPResponse, longest: int, ends_at: float) -> bytes:
    content = bytearray()
    # read1: a server that sends an octet every few seconds is never found out by the time-out of one read.
    while piece := response.read1(_PIECE):
        content += piece
        if len(content) > longest or time.monotonic() > ends_at:
            raise NotReady("the answer does not end")
    return bytes(content)


def _require_current(answer: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> None:
    """RFC 6960 section 3.2: signed by who may, and neither old nor of times to come."""
    _verify_responder(answer, issuer, now)
    _require_time(answer.this_update_utc, answer.next_update_utc, now, "the OCSP answer")


def _require_time(begins: datetime, ends: datetime | None, now: datetime, what: str) -> None:
    if begins > now + CLOCK_TOLERANCE or ends is None or ends < now:
        raise NotReady(f"{what} does not hold now")


def _ocsp_reason(answer: ocsp.OCSPResponse, serial: int, nonce: bytes | None) -> RevocationReason | None:
    if answer.serial_number != serial:
        raise Tampered("the OCSP answer is about another serial")
    if nonce is not None and answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce != nonce:
        raise Tampered("the OCSP answer has another nonce")
    if answer.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return None
    if answer.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        raise NotReady("the responder does not know the certificate")
    reason = answer.revocation_reason
    return RevocationReason.UNSPECIFIED if reason is None else _REASONS.get(reason, RevocationReason.UNSPECIFIED)


def _verify_responder(answer: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> None:
    """A delegated responder (RFC 6960 section 4.2.2.2), or the issuer itself."""
    signer = answer.certificates[0] if answer.certificates else issuer
    try:
        if signer != issuer:
            signer.verify_directly_issued_by(issuer)
            usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            if ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
                raise Tampered("the certificate in the OCSP answer is no responder's")
            _require_time(signer.not_valid_before_utc, signer.not_valid_after_utc, now, "the responder's certificate")
        key, algorithm = signer.public_key(), answer.signature_hash_algorithm
        if isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            raise Tampered("the OCSP answer is signed with a kind of key that is not ours")
    except (InvalidSignature, TypeError, x509.ExtensionNotFound) as error:
        raise Tampered("the OCSP answer is not signed by a responder of the issuing CA") from error


def _public_key(issuer: x509.Certificate) -> CertificateIssuerPublicKeyTypes:
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise Tampered("the issuing CA has a kind of key that is not ours")
    return key


def _entry_reason(entry: x509.RevokedCertificate) -> RevocationReason | None:
    try:
        flag = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return RevocationReason.UNSPECIFIED
    if flag is x509.ReasonFlags.remove_from_crl:
        return None
    return _REASONS.get(flag, RevocationReason.UNSPECIFIED)


def _freshest(crl: x509.CertificateRevocationList) -> str | None:
    try:
        return _first_url(crl.extensions.get_extension_for_class(x509.FreshestCRL).value)
    except x509.ExtensionNotFound:
        return None


def _first_url(points: x509.CRLDistributionPoints | x509.FreshestCRL) -> str | None:
    for point in points:
        for name in point.full_name or ():
            if isinstance(name, x509.UniformResourceIdentifier):
                return name.value
    return None
