"""From a certificate up to its root, with each link verified, and the files that hold them (RFC 5280 section 6.1)."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from sqlalchemy import select

from ca.adapters.db.rows import IssuerRow, db


@dataclass(frozen=True, slots=True)
class Link:
    """A CA's certificate in a chain. `holds`: it signed the one before it, or itself when it is a root."""

    name: str
    subject: str
    holds: bool


def chain_of(der: bytes) -> list[tuple[Link, bytes]]:
    """The CAs above a certificate with their DER, the issuing one first; ends early where one is not ours."""
    ours = [(row, _read(row.certificate_der)) for row in db.session.scalars(select(IssuerRow).order_by(IssuerRow.name))]
    found: list[tuple[Link, bytes]] = []
    below = _read(der)
    while below is not None and len(found) < len(ours):
        named = [(row, cert) for row, cert in ours if cert is not None and cert.subject == below.issuer]
        if not named:
            break
        # After a roll-over two keys may have one name: the one that signed it is meant.
        row, above = next((each for each in named if _signed(each[1], below)), named[0])
        link = Link(row.name, above.subject.rfc4514_string(), _signed(above, below))
        found.append((link, row.certificate_der))
        if above.subject == above.issuer:
            break
        below = above
    return found


def pem(certificates: Iterable[bytes]) -> bytes:
    """One below the other. Raises ValueError for what is no certificate."""
    return b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in certificates)


def request_pem(der: bytes) -> bytes:
    """A certification request as it is, whatever a library could make of it (RFC 7468 section 7)."""
    lines = wrap(b64encode(der).decode("ascii"), 64)
    return "\n".join(["-----BEGIN CERTIFICATE REQUEST-----", *lines, "-----END CERTIFICATE REQUEST-----", ""]).encode()


def p7c(certificates: Sequence[bytes]) -> bytes:
    """All of them in one file of DER: a PKCS #7 that signs nothing (RFC 8551 section 3.8). Raises ValueError."""
    return pkcs7.serialize_certificates([x509.load_der_x509_certificate(each) for each in certificates], Encoding.DER)


def _read(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _signed(above: x509.Certificate, below: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
