"""What stands in a certificate, field by field, for people who must read it (RFC 5280 section 4)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

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


def decoded(der: bytes) -> list[Fact]:
    """Every field of a certificate in its order; empty for what is no certificate."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return [*_fields(certificate), *_extensions(certificate)]
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return []


def _fields(certificate: x509.Certificate) -> Iterator[Fact]:
    yield Fact("version", f"{certificate.version.value + 1}")
    yield Fact("serialNumber", f"{certificate.serial_number:x}")
    yield Fact("signature", _names([certificate.signature_algorithm_oid]))
    yield Fact("issuer", certificate.issuer.rfc4514_string())
    yield Fact("notBefore", f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC")
    yield Fact("notAfter", f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC")
    yield Fact("subject", certificate.subject.rfc4514_string())
    yield Fact("subjectPublicKey", _key(certificate))


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA, {key.key_size} bits, exponent {key.public_numbers().e}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC, {key.curve.name}"
    return type(key).__name__


def _extensions(certificate: x509.Certificate) -> Iterator[Fact]:
    for extension in certificate.extensions:
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
