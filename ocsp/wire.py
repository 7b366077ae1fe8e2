"""HTTP/1.1 as it comes over a connection (RFC 9112), read strictly: what could be read in two ways is refused.

The fields of one client are the same in each of its requests, so a block of them is read once and then remembered.
"""

import re
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote_to_bytes

_T = TypeVar("_T")

MAX_LINE = 8 * 1024
"""The request line; longer is 414."""
MAX_HEAD = 16 * 1024
"""All fields; more is 431."""
_REMEMBERED = 1024
_WORTH_REMEMBERING = 1024

_LINE = re.compile(rb"([A-Z]{1,20}) (?:http://[^/?#\s]{1,255})?([/*][!-~]*) HTTP/1\.([01])")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*)")
_NUMBER = re.compile(r"[0-9]{1,9}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t -~]*)?")
_ONCE = frozenset({"host", "content-length", "transfer-encoding", "expect"})


class UnreadableError(Exception):
    """What came is no request that has one meaning; the connection ends after the answer."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Fields:
    """The header fields of a request: by lower-case name, lines of one name joined (RFC 9110 section 5.2)."""

    by_name: dict[str, str]
    length: int
    """Of the body; 0 when there is none, or it comes in chunks."""
    chunked: bool
    closing: bool
    """The client wants the connection closed."""
    persistent: bool
    """The client, though of HTTP/1.0, wants it kept."""
    continuing: bool
    """It waits for our word before it sends the body."""
    conditional: bool
    """It may have the answer already."""


@dataclass(slots=True)
class Head:
    """A request without its body."""

    method: str
    target: bytes
    """Path and query as they came."""
    version: int
    """0 or 1, of HTTP/1."""
    fields: Fields
    keeps_alive: bool = field(init=False)

    def __post_init__(self) -> None:
        self.keeps_alive = not self.fields.closing and (self.version == 1 or self.fields.persistent)

    @property
    def path(self) -> str:
        """Decoded once, each octet a character."""
        path = self.target.partition(b"?")[0]
        return (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")


@dataclass(slots=True)
class HeadReader:
    """Reads heads, remembering blocks of fields and whole heads."""

    _known: dict[bytes, Fields] = field(default_factory=dict)
    _heads: dict[bytes, Head] = field(default_factory=dict)

    def read(self, blob: bytes) -> tuple[Head, int] | None:
        """The head at the start, and where the body begins. None when more must come. Raises UnreadableError."""
        end = blob.find(b"\r\n\r\n")
        known = self._heads.get(blob[:end]) if 0 < end <= _WORTH_REMEMBERING else None
        if known is not None:
            return known, end + 4
        line_end = blob.find(b"\r\n", 0, MAX_LINE + 2)
        if line_end < 0 and len(blob) > MAX_LINE:
            raise UnreadableError("414 URI Too Long", "The path is too long.")
        if end < 0:
            if len(blob) > MAX_LINE + MAX_HEAD:
                raise UnreadableError("431 Request Header Fields Too Large", "The header fields are too long.")
            return None
        line = _LINE.fullmatch(blob, 0, line_end)
        if line is None:
            raise UnreadableError("400 Bad Request", "This is no request line of HTTP/1.1.")
        method, target, version = line.groups()
        fields = self._fields(blob[line_end:end])
        if version == b"1" and "host" not in fields.by_name:
            raise UnreadableError("400 Bad Request", "A request has exactly one Host.")
        if version == b"0" and fields.chunked:
            raise UnreadableError("400 Bad Request", "HTTP/1.0 has no chunks.")
        head = Head(method.decode(), target, version[0] - 48, fields)
        if end <= _WORTH_REMEMBERING:
            _remember(self._heads, blob[:end], head)
        return head, end + 4

    def _fields(self, block: bytes) -> Fields:
        known = self._known.get(block)
        if known is not None:
            return known
        if len(block) > MAX_HEAD:
            raise UnreadableError("431 Request Header Fields Too Large", "The header fields are too long.")
        fields = read_fields(block)
        if len(block) <= _WORTH_REMEMBERING:
            _remember(self._known, block, fields)
        return fields


def _remember(known: dict[bytes, _T], block: bytes, meaning: _T) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[block] = meaning


def read_fields(block: bytes) -> Fields:
    """The lines of a head after the first, each with the end of the line before it. Raises UnreadableError."""
    by_name: dict[str, str] = {}
    for line in block.split(b"\r\n")[1:]:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise UnreadableError("400 Bad Request", "A header field is not as HTTP has them.")
        name, value = match[1].decode().lower(), match[2].decode("latin-1").rstrip(" \t")
        if name in by_name and name in _ONCE:
            raise UnreadableError("400 Bad Request", f"A request has exactly one {name.capitalize()}.")
        by_name[name] = f"{by_name[name]}, {value}" if name in by_name else value
    connection = {option.strip().lower() for option in by_name.get("connection", "").split(",")}
    length, chunked = _framing(by_name)
    return Fields(
        by_name,
        length,
        chunked,
        closing="close" in connection,
        persistent="keep-alive" in connection,
        continuing=_expects(by_name),
        conditional=not by_name.keys().isdisjoint(("if-none-match", "if-modified-since")),
    )


def _framing(by_name: dict[str, str]) -> tuple[int, bool]:
    """How the body's end is found: one way, or none (RFC 9112 section 6.3)."""
    coding, length = by_name.get("transfer-encoding"), by_name.get("content-length")
    if coding is not None:
        if length is not None:
            raise UnreadableError("400 Bad Request", "A body has a length or chunks, not both.")
        if coding.lower() != "chunked":
            raise UnreadableError("501 Not Implemented", "Of the transfer codings only chunked is spoken here.")
        return 0, True
    if length is None:
        return 0, False
    if not _NUMBER.fullmatch(length):
        raise UnreadableError("400 Bad Request", "The Content-Length is not a number.")
    return int(length), False


def _expects(by_name: dict[str, str]) -> bool:
    expected = by_name.get("expect")
    if expected is not None and expected.lower() != "100-continue":
        raise UnreadableError("417 Expectation Failed", "Only 100-continue can be expected here.")
    return expected is not None


def read_chunks(blob: bytes, limit: int) -> tuple[bytes, int] | None:
    """A body in chunks (RFC 9112 section 7.1) and where it ends. None when more must come.

    Raises UnreadableError, with 413 for a body over the limit. Trailers are read over.
    """
    body, offset = bytearray(), 0
    while True:
        line_end = blob.find(b"\r\n", offset)
        if line_end < 0:
            if len(blob) - offset > MAX_LINE:
                raise UnreadableError("400 Bad Request", "A chunk's length is not as HTTP has it.")
            return None
        size_line = _CHUNK.fullmatch(blob, offset, line_end)
        if size_line is None:
            raise UnreadableError("400 Bad Request", "A chunk's length is not as HTTP has it.")
        size, start = int(size_line[1], 16), line_end + 2
        if size == 0:
            return _after_trailers(blob, bytes(body), line_end)
        if len(body) + size > limit:
            raise UnreadableError("413 Content Too Large", "An OCSP request has at most 8 KiB.")
        if len(blob) < start + size + 2:
            return None
        if blob[start + size : start + size + 2] != b"\r\n":
            raise UnreadableError("400 Bad Request", "A chunk does not end where it should.")
        body += blob[start : start + size]
        offset = start + size + 2


def _after_trailers(blob: bytes, body: bytes, last_line_end: int) -> tuple[bytes, int] | None:
    end = blob.find(b"\r\n\r\n", last_line_end)
    if end < 0:
        if len(blob) - last_line_end > MAX_HEAD:
            raise UnreadableError("431 Request Header Fields Too Large", "The trailer fields are too long.")
        return None
    read_fields(blob[last_line_end:end])
    return body, end + 4
