"""Ask the bank's responder whether a certificate holds (RFC 6960), as everybody asks who relies on it."""

import http.client
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

_TIMEOUT_SECONDS = 5
_LARGEST_ANSWER = 64 * 1024
_CLOCKS_APART = timedelta(minutes=5)
_WORDS = {
    ocsp.OCSPCertStatus.GOOD: "good",
    ocsp.OCSPCertStatus.REVOKED: "revoked",
    ocsp.OCSPCertStatus.UNKNOWN: "unknown",
}


class NoAnswer(Exception):
    """The responder did not answer, or its answer is not worth anything. Its text says why, for customers."""


def issuer_of(certificate: x509.Certificate, issuers: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """The one that signed it; None when none of these did."""
    for issuer in issuers:
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return issuer
    return None


def ask(url: str, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> str:
    """good, revoked or unknown. Raises NoAnswer."""
    question = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA256()).build()
    try:
        answer = ocsp.load_der_ocsp_response(_post(url, question.public_bytes(Encoding.DER)))
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise NoAnswer("the bank's status service has no answer at this moment")
        _require_signed(answer, issuer, now)
        if answer.serial_number != certificate.serial_number:
            raise NoAnswer("the answer is about another certificate")
    except (ValueError, TypeError) as error:
        raise NoAnswer("the answer cannot be read") from error
    ends = answer.next_update_utc
    if answer.this_update_utc > now + _CLOCKS_APART or (ends is not None and now > ends + _CLOCKS_APART):
        raise NoAnswer("the answer is not of now: is the clock right?")
    return _WORDS[answer.certificate_status]


def reach(url: str, issuers: Sequence[x509.Certificate]) -> None:
    """Raise NoAnswer unless a responder answers at all: it is asked about an issuer, which it need not know."""
    for issuer in issuers:
        if (above := issuer_of(issuer, issuers)) is not None:
            question = ocsp.OCSPRequestBuilder().add_certificate(issuer, above, SHA256()).build()
            break
    else:
        raise NoAnswer("the bank's own certificates do not belong together")
    try:
        ocsp.load_der_ocsp_response(_post(url, question.public_bytes(Encoding.DER)))
    except ValueError as error:
        raise NoAnswer("the answer cannot be read") from error


def _post(url: str, question: bytes) -> bytes:
    """Without redirects and proxies, like everything the tool asks."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", parts.path, question, {"Content-Type": "application/ocsp-request"})
        response = connection.getresponse()
        body = response.read(_LARGEST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer("it cannot be reached from here: a firewall may be in the way") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise NoAnswer("something else than the bank's status service answered: a proxy may be in the way")
    return body


def _require_signed(answer: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> None:
    """By the issuer, or by a responder that it certified for this (RFC 6960 section 4.2.2.2). Raises NoAnswer."""
    algorithm = answer.signature_hash_algorithm
    signers = [issuer, *(one for one in answer.certificates if _is_responder(one, issuer, now))]
    if algorithm is None or not any(_signed_by(answer, signer, algorithm) for signer in signers):
        raise NoAnswer("the answer was not signed by the bank")


def _is_responder(certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    in_time = certificate.not_valid_before_utc - _CLOCKS_APART <= now <= certificate.not_valid_after_utc + _CLOCKS_APART
    return ExtendedKeyUsageOID.OCSP_SIGNING in usages and in_time and issuer_of(certificate, [issuer]) is not None


def _signed_by(answer: ocsp.OCSPResponse, signer: x509.Certificate, algorithm: HashAlgorithm) -> bool:
    key, signed = signer.public_key(), answer.tbs_response_bytes
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(answer.signature, signed, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(answer.signature, signed, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True
