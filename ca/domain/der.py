"""DER, the one encoding of X.509 (ITU-T X.690 sections 10 and 11): a small writer and a strict reader.

The reader is ours because the libraries forgive: what comes from outside is refused here, with bounded work,
when it is BER, ends late or early, nests too deep or carries text that is not what its tag says (RFC 5280 C23).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from ca.domain.algorithms import SignatureAlgorithm
from ca.domain.errors import InvalidRequest

MAX_DEPTH = 32

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
ENUMERATED = 0x0A
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
IA5_STRING = 0x16
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

_CONSTRUCTED = 0x20
_UNIVERSAL_STRUCTURES = (0x08, 0x0B, 0x10, 0x11)  # EXTERNAL, EMBEDDED PDV, SEQUENCE, SET

PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*")

_SIGNATURE_OIDS = {
    SignatureAlgorithm.RSA_SHA256: "1.2.840.113549.1.1.11",
    SignatureAlgorithm.ECDSA_SHA256: "1.2.840.10045.4.3.2",
    SignatureAlgorithm.ECDSA_SHA384: "1.2.840.10045.4.3.3",
}


# Writing


def tlv(tag: int, *content: bytes) -> bytes:
    """One element: tag, shortest definite length, content."""
    body = b"".join(content)
    return header(tag, len(body)) + body


def header(tag: int, length: int) -> bytes:
    """Tag and length, for a content that is written by itself."""
    if length < 0x80:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets


def sequence(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, *parts)


def set_of(*parts: bytes) -> bytes:
    """DER sorts the elements of a SET OF by their encoding (X.690 section 11.6)."""
    return tlv(SET, *sorted(parts))


def integer(value: int) -> bytes:
    return tlv(INTEGER, _integer_octets(value))


def enumerated(value: int) -> bytes:
    return tlv(ENUMERATED, _integer_octets(value))


def _integer_octets(value: int) -> bytes:
    # One bit more than the magnitude, for the sign: 128 needs two octets, -128 one.
    bits = (value if value >= 0 else ~value).bit_length() + 1
    return value.to_bytes((bits + 7) // 8, "big", signed=True)


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(OBJECT_IDENTIFIER, *(_base128(arc) for arc in (40 * first + second, *rest)))


def _base128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(0x80 | arc & 0x7F)
    return bytes(reversed(octets))


def octet_string(content: bytes) -> bytes:
    return tlv(OCTET_STRING, content)


def bit_string(content: bytes) -> bytes:
    """A BIT STRING of whole octets: keys and signatures."""
    return tlv(BIT_STRING, b"\x00", content)


def null() -> bytes:
    return tlv(NULL)


def boolean(value: bool) -> bytes:  # noqa: FBT001 - the value itself, not a switch
    return tlv(BOOLEAN, b"\xff" if value else b"\x00")


def explicit(number: int, content: bytes) -> bytes:
    return tlv(0xA0 | number, content)


def utc_or_generalized_time(moment: datetime) -> bytes:
    """UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5)."""
    stamp = _stamp(moment)
    if 1950 <= moment.astimezone(UTC).year < 2050:
        return tlv(UTC_TIME, stamp[2:].encode())
    return tlv(GENERALIZED_TIME, stamp.encode())


@lru_cache(maxsize=1024)
def generalized_time(moment: datetime) -> bytes:
    return tlv(GENERALIZED_TIME, _stamp(moment).encode())


def _stamp(moment: datetime) -> str:
    if moment.tzinfo is None or moment.microsecond:
        raise InvalidRequest("a time in a certificate, CRL or answer is UTC and in whole seconds")
    utc = moment.astimezone(UTC)
    return f"{utc.year:04d}{utc.month:02d}{utc.day:02d}{utc.hour:02d}{utc.minute:02d}{utc.second:02d}Z"


@lru_cache
def algorithm_identifier(algorithm: SignatureAlgorithm) -> bytes:
    """RSA has NULL parameters (RFC 8017 appendix A.2.4), ECDSA has none at all (RFC 5758 section 3.2)."""
    parameters = null() if algorithm is SignatureAlgorithm.RSA_SHA256 else b""
    return sequence(oid(_SIGNATURE_OIDS[algorithm]), parameters)


def signed(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """A certificate or CRL: what was signed, how, and the signature (RFC 5280 sections 4.1 and 5.1)."""
    return sequence(tbs, algorithm_identifier(algorithm), bit_string(signature))


# Reading


@dataclass(frozen=True, slots=True)
class Element:
    """One element that has been read: its tag, its content and the whole of it."""

    tag: int
    content: bytes
    der: bytes

    def children(self) -> list["Element"]:
        """Raises InvalidRequest for an element that holds a value, not elements."""
        if not self.tag & _CONSTRUCTED:
            raise InvalidRequest(f"tag {self.tag:#04x} holds a value where a structure belongs")
        return list(_elements(self.content, "the element"))


def parse(blob: bytes, what: str = "the blob") -> Element:
    """The one element that `blob` is. Raises InvalidRequest unless it is DER throughout."""
    require_der(blob, what)
    return next(_elements(blob, what))


def parse_sequence(blob: bytes, what: str) -> list[Element]:
    """What the SEQUENCE holds that `blob` is. Raises InvalidRequest for anything else."""
    element = parse(blob, what)
    if element.tag != SEQUENCE:
        raise InvalidRequest(f"{what} is not a SEQUENCE")
    return element.children()


def require_der(blob: bytes, what: str) -> None:
    """Raise InvalidRequest unless `blob` is exactly one element, in DER throughout, nested at most MAX_DEPTH deep."""
    waiting = list(_elements(blob, what))
    if len(waiting) != 1:
        raise InvalidRequest(f"{what} is not one DER element: nothing may follow it")
    depth = 1
    while waiting:
        if depth > MAX_DEPTH:
            raise InvalidRequest(f"{what} is nested more than {MAX_DEPTH} levels deep")
        deeper: list[Element] = []
        for element in waiting:
            deeper += _verified_children(element, what)
        waiting = deeper
        depth += 1


def elements(blob: bytes, what: str) -> list[Element]:
    """The elements that `blob` is, one after another. Raises InvalidRequest; what is inside them is not looked at."""
    return list(_elements(blob, what))


def read_header(content: bytes, offset: int, what: str) -> tuple[int, int, int]:
    """Tag, start and end of the element at `offset`, whose own content may lie beyond what is given."""
    start, length = _length(content, offset + 1, what)
    return content[offset], start, start + length


def _elements(content: bytes, what: str) -> Iterator[Element]:
    offset = 0
    while offset < len(content):
        if content[offset] & 0x1F == 0x1F:
            raise InvalidRequest(f"{what} has a tag of more than one octet")
        start, length = _length(content, offset + 1, what)
        end = start + length
        if end > len(content):
            raise InvalidRequest(f"{what} is cut short")
        yield Element(content[offset], content[start:end], content[offset:end])
        offset = end


def _length(content: bytes, offset: int, what: str) -> tuple[int, int]:
    """Where the content starts and how long it is."""
    first = content[offset] if offset < len(content) else -1
    if 0 <= first < 0x80:
        return offset + 1, first
    octets = content[offset + 1 : offset + 1 + (first & 0x7F)]
    length = int.from_bytes(octets, "big")
    # 0x80 is BER's indefinite length; a short length in the long form or a leading zero octet is BER too.
    if first < 0 or not 1 <= len(octets) <= 4 or len(octets) != first & 0x7F or octets[0] == 0 or length < 0x80:
        raise InvalidRequest(f"{what} is not DER: a length is missing, indefinite or not the shortest")
    return offset + 1 + len(octets), length


def _verified_children(element: Element, what: str) -> list[Element]:
    if element.tag < 0x40 and bool(element.tag & _CONSTRUCTED) != (element.tag & 0x1F in _UNIVERSAL_STRUCTURES):
        raise InvalidRequest(f"{what} is not DER: a string in pieces, or a sequence that is none")
    if not element.tag & _CONSTRUCTED:
        if not _is_canonical(element):
            raise InvalidRequest(f"{what} is not DER: tag {element.tag:#04x} has a value it may not have")
        return []
    children = list(_elements(element.content, what))
    encodings = [child.der for child in children]
    if element.tag == SET and encodings != sorted(encodings):
        raise InvalidRequest(f"{what} is not DER: a set is not in order")
    return children


def _is_canonical(element: Element) -> bool:
    content = element.content
    match element.tag:
        case 0x01:
            canonical = content in (b"\x00", b"\xff")
        case 0x02 | 0x0A:
            canonical = bool(content) and _integer_octets(int.from_bytes(content, "big", signed=True)) == content
        case 0x03:
            canonical = _is_bit_string(content)
        case 0x05:
            canonical = not content
        case 0x06:
            canonical = bool(content) and content[-1] < 0x80 and not _has_padded_arc(content)
        case 0x0C | 0x13 | 0x16:
            canonical = _is_text(element.tag, content)
        case _:
            canonical = True
    return canonical


def _has_padded_arc(content: bytes) -> bool:
    """An arc starts after an octet below 0x80, and never with a zero digit (0x80)."""
    return any(octet == 0x80 and before < 0x80 for before, octet in zip(b"\x00" + content, content, strict=False))


def _is_bit_string(content: bytes) -> bool:
    if not content or content[0] > 7:
        return False
    unused = content[0]
    if len(content) == 1:
        return unused == 0
    return content[-1] & ((1 << unused) - 1) == 0


def _is_text(tag: int, content: bytes) -> bool:
    """Text is in the alphabet its tag promises, and free of NUL and control characters (THREATS T-24, T-25)."""
    try:
        text = content.decode("utf-8" if tag == UTF8_STRING else "ascii")
    except UnicodeDecodeError:
        return False
    if tag == PRINTABLE_STRING:
        return PRINTABLE.fullmatch(text) is not None
    return not any(character < " " or "\x7f" <= character < "\xa0" for character in text)
