"""A hierarchy with keys in memory, for tests of the doors: a root, an issuing CA, and whatever they certify."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ca.domain.key_birth import STATEMENT

_KEY_USAGE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


_ANY_SIDE = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@dataclass(frozen=True)
class Holder:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write(self, directory: Path, stem: str) -> tuple[Path, Path]:
        certificate, key = directory / f"{stem}.pem", directory / f"{stem}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        return certificate, key


class SoftwareCA:
    """Root and issuing CA; `organization` tells two of them apart."""

    def __init__(self, organization: str = "Test Bank") -> None:
        root_key, issuing_key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
        root_name = name(f"{organization} root")
        self.root = Holder(_certify(root_name, root_key.public_key(), root_name, root_key, authority=True), root_key)
        self.issuing = Holder(
            _certify(name(f"{organization} issuing"), issuing_key.public_key(), root_name, root_key, authority=True),
            issuing_key,
        )

    @property
    def chain_pem(self) -> bytes:
        return self.issuing.pem + self.root.pem

    def certify(self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        return _certify(subject, public_key, self.issuing.certificate.subject, self.issuing.key)

    def holder(
        self,
        common_name: str,
        *,
        life: timedelta = timedelta(days=30),
        purposes: Sequence[x509.ObjectIdentifier] = _ANY_SIDE,
    ) -> Holder:
        key = ec.generate_private_key(ec.SECP256R1())
        given = name(common_name), key.public_key(), self.issuing.certificate.subject, self.issuing.key
        certificate = _certify(*given, life=life, purposes=purposes)
        return Holder(certificate, key)


def certification_request(common_name: str = "anybody", *, born: str = "") -> bytes:
    """DER of a PKCS#10 request with a new key, and with what is said of how it was made."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(name(common_name))
    if born:
        builder = builder.add_attribute(x509.ObjectIdentifier(STATEMENT), born.encode())
    request = builder.sign(key, SHA256())
    return request.public_bytes(Encoding.DER)


def _certify(
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool = False,
    life: timedelta = timedelta(days=30),
    purposes: Sequence[x509.ObjectIdentifier] = _ANY_SIDE,
) -> x509.Certificate:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)
    usages = ("key_cert_sign", "crl_sign") if authority else ("digital_signature",)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=60) + life)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**(_KEY_USAGE | dict.fromkeys(usages, True))), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not authority:
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(issuer_key, SHA256())
