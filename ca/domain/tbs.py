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
    not_before: datetime
    not_after: datetime
    subject_der: bytes
    spki_der: bytes
    extensions: tuple[Extension, ...]

    def find(self, oid: str) -> Extension | None:
        return next((extension for extension in self.extensions if extension.oid == oid), None)


_FIELDS = [0xA0, der.INTEGER, *[der.SEQUENCE] * 5, 0xA3]


@lru_cache(maxsize=64)
def read_tbs(tbs_der: bytes) -> TBS:
    """Raises InvalidRequest for what is not a TBSCertificate with extensions."""
    fields = der.parse_sequence(tbs_der, "the certificate")
    if [field.tag for field in fields] != _FIELDS:
        raise InvalidRequest("the certificate is not a version 3 certificate as this CA makes them")
    return TBS(
        version=int.from_bytes(_content(fields[0]).content, "big"),
        serial=int.from_bytes(fields[1].content, "big", signed=True),
        algorithm_der=fields[2].der,
        issuer_der=fields[3].der,
        not_before=_moment(fields[4], 0),
        not_after=_moment(fields[4], 1),
        subject_der=fields[5].der,
        spki_der=fields[6].der,
        extensions=tuple(_extension(element) for element in _content(fields[7]).children()),
    )


@lru_cache(maxsize=64)
def read_certificate(certificate_der: bytes) -> TBS:
    """Raises InvalidRequest for what is not a version 3 certificate."""
    return read_tbs(split_certificate(certificate_der)[0])


def split_certificate(certificate_der: bytes) -> tuple[bytes, bytes, bytes]:
    """What was signed, the AlgorithmIdentifier beside it, and the signature value."""
    parts = der.parse_sequence(certificate_der, "the certificate")
    if [part.tag for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise InvalidRequest("the certificate is not three parts: what was signed, how, and the signature")
    if parts[2].content[:1] != b"\x00":
        raise InvalidRequest("the certificate's signature is not whole octets")
    return parts[0].der, parts[1].der, parts[2].content[1:]


def _content(tagged: der.Element) -> der.Element:
    inside = tagged.children()
    if len(inside) != 1:
        raise InvalidRequest("the certificate has an explicit tag that does not hold one element")
    return inside[0]


def _extension(element: der.Element) -> Extension:
    parts = element.children()
    if [part.tag for part in parts] not in (_EXTENSION, [_EXTENSION[0], _EXTENSION[2]]):
        raise InvalidRequest("the certificate has an extension that is none")
    critical = len(parts) == 3 and parts[1].content == b"\xff"
    return Extension(_dotted(parts[0].content), critical, parts[-1].content)


_EXTENSION = [der.OBJECT_IDENTIFIER, der.BOOLEAN, der.OCTET_STRING]


def _dotted(content: bytes) -> str:
    arcs = [0]
    for octet in content:
        arcs[-1] = arcs[-1] << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(0)
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:-1]))


def _moment(validity: der.Element, index: int) -> datetime:
    """notBefore (0) or notAfter (1); two digits mean 1950 to 2049 (RFC 5280 section 4.1.2.5.1)."""
    texts = [moment.content.decode("latin-1") for moment in validity.children()]
    if [len(text) in (13, 15) for text in texts] != [True, True]:
        raise InvalidRequest("the certificate's validity is not two times")
    text = texts[index]
    century = "" if len(text) == 15 else "20" if text < "50" else "19"
    try:
        return datetime.strptime(century + text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidRequest("the certificate's validity is not two times") from error
