"""What a certificate says, field by field and byte by byte (RFC 5280 section 4.1).

Names and keys are handed on as the bytes that they are, never encoded anew: an issuer is found by its exact name.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from ca.domain import der
from ca.domain.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension; `value` is what its OCTET STRING holds."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class TBS:
    """The fields of a TBSCertificate with extensions."""

    version: int
    serial: int
    algorithm_der: bytes
    issuer_der: bytes
    validity: tuple[der.Element, ...]
    subject_der: bytes
    spki_der: bytes
    extensions: tuple[Extension, ...]

    @property
    def not_before(self) -> datetime:
        return _moment(self.validity[0])

    @property
    def not_after(self) -> datetime:
        return _moment(self.validity[1])

    def find(self, oid: str) -> Extension | None:
        return next((extension for extension in self.extensions if extension.oid == oid), None)


@lru_cache(maxsize=64)
def read_tbs(tbs_der: bytes) -> TBS:
    """Raises InvalidRequest for what is not a TBSCertificate with extensions."""
    fields = der.parse(tbs_der, "the certificate").children()
    tags = [field.tag for field in fields]
    if tags != [0xA0, der.INTEGER, *[der.SEQUENCE] * 5, 0xA3]:
        raise InvalidRequest("the certificate is not a version 3 certificate as this CA makes them")
    return TBS(
        version=int.from_bytes(fields[0].children()[0].content, "big"),
        serial=int.from_bytes(fields[1].content, "big", signed=True),
        algorithm_der=fields[2].der,
        issuer_der=fields[3].der,
        validity=tuple(fields[4].children()),
        subject_der=fields[5].der,
        spki_der=fields[6].der,
        extensions=tuple(_extension(element) for element in fields[7].children()[0].children()),
    )


@lru_cache(maxsize=64)
def read_certificate(certificate_der: bytes) -> TBS:
    """Raises InvalidRequest for what is not a version 3 certificate."""
    return read_tbs(split_certificate(certificate_der)[0])


def split_certificate(certificate_der: bytes) -> tuple[bytes, bytes, bytes]:
    """What was signed, the AlgorithmIdentifier beside it, and the signature value."""
    parts = der.parse(certificate_der, "the certificate").children()
    if [part.tag for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise InvalidRequest("the certificate is not three parts: what was signed, how, and the signature")
    return parts[0].der, parts[1].der, parts[2].content[1:]


def _extension(element: der.Element) -> Extension:
    oid, *critical, value = element.children()
    return Extension(_dotted(oid.content), bool(critical) and critical[0].content == b"\xff", value.content)


def _dotted(content: bytes) -> str:
    arcs = [0]
    for octet in content:
        arcs[-1] = arcs[-1] << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(0)
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:-1]))


def _moment(element: der.Element) -> datetime:
    text = element.content.decode()
    if element.tag == der.UTC_TIME:
        # Two digits mean 1950 to 2049 (RFC 5280 section 4.1.2.5.1).
        text = ("20" if text < "50" else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
