"""A small CA in files for the peers that bring none: an issuing key, a responder, one certificate that holds."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench.ocsp import Issuer

_LIFE = timedelta(days=30)
_PEM = serialization.Encoding.PEM
SERIAL = (1 << 128) + 0x5EA1


@dataclass(frozen=True, slots=True)
class Authority:
    """A directory with `ca.pem`, `ca.key`, `responder.pem`, `responder.key`, `index.txt`."""

    directory: Path
    certificate: x509.Certificate
    subject: x509.Certificate
    responder: x509.Certificate
    responder_key: ec.EllipticCurvePrivateKey

    @classmethod
    def made_in(cls, directory: Path) -> "Authority":
        key, responder_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        certificate = _certificate("Peer CA", key, "Peer CA", key, ca=True)
        responder = _certificate("Peer responder", responder_key, "Peer CA", key, ocsp_signing=True)
        subject = _certificate("Peer", ec.generate_private_key(ec.SECP256R1()), "Peer CA", key, serial=SERIAL)
        for name, pem in (
            ("ca.pem", certificate.public_bytes(_PEM)),
            ("responder.pem", responder.public_bytes(_PEM)),
            ("ca.key", _private(key)),
            ("responder.key", _private(responder_key)),
        ):
            (directory / name).write_bytes(pem)
        until = f"{subject.not_valid_after_utc:%y%m%d%H%M%SZ}"
        (directory / "index.txt").write_text(f"V\t{until}\t\t{SERIAL:X}\tunknown\t/CN=Peer\n", "ascii")
        return cls(directory, certificate, subject, responder, responder_key)

    @property
    def request(self) -> bytes:
        """A client's question about the one certificate."""
        return Issuer.of(self.certificate).request(SERIAL)

    def signed_answer(self) -> bytes:
        """An answer signed beforehand, as a responder of RFC 5019 is fed with."""
        now = datetime.now(UTC)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=self.subject,
            issuer=self.certificate,
            algorithm=hashes.SHA1(),  # noqa: S303 - what most clients send
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=now,
            next_update=now + timedelta(days=1),
            revocation_time=None,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.responder).certificates([self.responder])
        return builder.sign(self.responder_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def responses_file(self) -> Path:
        """Base64 of the answer on a line, as cfssl reads it."""
        path = self.directory / "responses"
        path.write_bytes(base64.b64encode(self.signed_answer()) + b"\n")
        return path


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    serial: int = 0,
    ca: bool = False,
    ocsp_signing: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if ocsp_signing:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        builder = builder.add_extension(usage, critical=False).add_extension(x509.OCSPNoCheck(), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
