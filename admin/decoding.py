"""What stands in a certificate or a request, field by field, for people who must read it (RFC 5280 4; RFC 2986 4)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.key_birth import STATEMENT

_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One field as RFC 5280 calls it, with what it says."""

    name: str
    says: str
    is_critical: bool = False


def decoded(certificate_der: bytes) -> list[Fact]:
    """Every field of a certificate in its order; empty for what is no certificate."""
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        return [*_fields(certificate), *_extensions(certificate)]
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return []


def decoded_request(request_der: bytes) -> list[Fact]:
    """Every field of a certification request (PKCS #10) in its order; empty for what cannot be read as one."""
    try:
        request = x509.load_der_x509_csr(_with_attributes(request_der))
        return [*_request_fields(request), *_attributes(request), *_extensions(request)]
    except (InvalidRequest, ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return []


def _with_attributes(request_der: bytes) -> bytes:
    """The library reads no request without its set of attributes, which some clients leave out when it is empty."""
    signed, *rest = der.parse_sequence(request_der, "the request")
    fields = signed.children()
    if len(fields) != 3:
        return request_der
    return der.sequence(der.sequence(*(field.der for field in fields), der.tlv(0xA0)), *(each.der for each in rest))


def _request_fields(request: x509.CertificateSigningRequest) -> Iterator[Fact]:
    yield Fact("subject", request.subject.rfc4514_string())
    yield Fact("subjectPublicKey", _key(request))
    yield Fact("signature", _names([request.signature_algorithm_oid]))


def _attributes(request: x509.CertificateSigningRequest) -> Iterator[Fact]:
    for attribute in request.attributes:
        # Asked extensions follow, each by itself.
        if attribute.oid != x509.ObjectIdentifier("1.2.840.113549.1.9.14"):
            name = "keyBirth" if attribute.oid.dotted_string == STATEMENT else _names([attribute.oid])
            yield Fact(name, _text(attribute.value))


def _text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.hex()
    return text if text.isprintable() else value.hex()


def _fields(certificate: x509.Certificate) -> Iterator[Fact]:
    yield Fact("version", f"{certificate.version.value + 1}")
    yield Fact("serialNumber", f"{certificate.serial_number:x}")
    yield Fact("signature", _names([certificate.signature_algorithm_oid]))
    yield Fact("issuer", certificate.issuer.rfc4514_string())
    yield Fact("notBefore", f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC")
    yield Fact("notAfter", f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC")
    yield Fact("subject", certificate.subject.rfc4514_string())
    yield Fact("subjectPublicKey", _key(certificate))


def _key(holder: x509.Certificate | x509.CertificateSigningRequest) -> str:
    key = holder.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA, {key.key_size} bits, exponent {key.public_numbers().e}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC, {key.curve.name}"
    return type(key).__name__


def _extensions(holder: x509.Certificate | x509.CertificateSigningRequest) -> Iterator[Fact]:
    for extension in holder.extensions:
        yield Fact(_names([extension.oid]), _says(extension.value), extension.critical)


def _names(oids: Iterable[x509.ObjectIdentifier]) -> str:
    return ", ".join(oid._name if oid._name != "Unknown OID" else oid.dotted_string for oid in oids)  # noqa: SLF001


def _basic(value: x509.BasicConstraints) -> str:
    length = "" if value.path_length is None else f", path length {value.path_length}"
    return f"CA: {'yes' if value.ca else 'no'}{length}"


def _access(value: x509.AuthorityInformationAccess) -> str:
    return ", ".join(f"{_names([one.access_method])} {one.access_location.value}" for one in value)


def _points(value: x509.CRLDistributionPoints) -> str:
    return ", ".join(str(name.value) for point in value for name in point.full_name or [])


_SAYS: dict[type, Callable[[Any], str]] = {
    # Of the last two usages, cryptography tells only when keyAgreement is set; no profile of ours has it.
    x509.KeyUsage: lambda value: ", ".join(word for name, word in _USAGES.items() if getattr(value, name)),
    x509.ExtendedKeyUsage: _names,
    x509.BasicConstraints: _basic,
    x509.SubjectAlternativeName: lambda value: ", ".join(f"{type(name).__name__} {name.value}" for name in value),
    x509.AuthorityInformationAccess: _access,
    x509.CRLDistributionPoints: _points,
    x509.CertificatePolicies: lambda value: _names(policy.policy_identifier for policy in value),
    x509.SubjectKeyIdentifier: lambda value: value.digest.hex(),
    x509.AuthorityKeyIdentifier: lambda value: (value.key_identifier or b"").hex(),
    x509.OCSPNoCheck: lambda _value: "yes",
    x509.UnrecognizedExtension: lambda value: value.value.hex(),
}


def _says(value: x509.ExtensionType) -> str:
    return _SAYS.get(type(value), repr)(value)
