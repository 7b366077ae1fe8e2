"""Requests that were met before, but for the serial number and the nonce: known by all their other octets.

Clients write one request like another. Once one was read, the next of the same length with the same octets everywhere
else has the same meaning, and need not be read: DER allows any octets of the same number in these two places, as long
as the serial number stays positive.
"""

from dataclasses import dataclass
from typing import NamedTuple

from ca.domain.errors import InvalidRequest
from ca.domain.ocsp import CertId, Question
from ca.domain.serials import SERIAL_OCTETS
from ocsp.kept import variant
from ocsp.request import parse_request

_KNOWN = 256
_LAYOUTS = 16
_OTHER_SERIAL = b"\x01" + b"\xaa" * (SERIAL_OCTETS - 1)


@dataclass(frozen=True, slots=True)
class Shape:
    """What all requests of a shape ask about, but for the serial number."""

    issuer: str
    issuer_octets: bytes
    like: CertId
    head: bytes
    """Of its CertIDs."""
    variant: bytes

    @classmethod
    def of(cls, issuer: str, cert_id: CertId) -> "Shape":
        return cls(issuer, issuer.encode("ascii"), cert_id, cert_id.head, variant(cert_id.head))


class Asked(NamedTuple):
    """A request of a known shape, with a nonce."""

    shape: Shape
    serial: bytes
    nonce: bytes

    @property
    def question(self) -> Question:
        return Question((self.shape.like.with_serial(self.serial),), self.nonce)


class _Layout(NamedTuple):
    """Where serial number and nonce stand in requests of one length."""

    length: int
    serial_at: int
    nonce_at: int
    nonce_octets: int

    def constant(self, blob: bytes) -> bytes:
        """All else."""
        return (
            blob[: self.serial_at]
            + blob[self.serial_at + SERIAL_OCTETS : self.nonce_at]
            + blob[self.nonce_at + self.nonce_octets :]
        )

    def serial(self, blob: bytes) -> bytes:
        return blob[self.serial_at : self.serial_at + SERIAL_OCTETS]

    def nonce(self, blob: bytes) -> bytes:
        return blob[self.nonce_at : self.nonce_at + self.nonce_octets]

    def filled(self, blob: bytes, serial: bytes, nonce: bytes) -> bytes:
        """The request with another serial number and nonce."""
        between = blob[self.serial_at + SERIAL_OCTETS : self.nonce_at]
        return blob[: self.serial_at] + serial + between + nonce + blob[self.nonce_at + self.nonce_octets :]


class Shapes:
    """The shapes that are known: not many, because clients are not many."""

    def __init__(self) -> None:
        self._plain: dict[bytes, Shape] = {}
        self._with_nonce: dict[bytes, Shape] = {}
        self._layouts: set[_Layout] = set()
        self._by_length: dict[int, list[_Layout]] = {}

    def find(self, blob: bytes) -> tuple[Shape, bytes] | None:
        """For a request without a nonce: its shape, and the octets of the serial number."""
        shape = self._plain.get(blob[:-SERIAL_OCTETS])
        # A serial of ours starts with 01, so that no other number is written in these octets.
        if shape is None or blob[-SERIAL_OCTETS] != 1:
            return None
        return shape, blob[-SERIAL_OCTETS:]

    def find_asked(self, blob: bytes) -> Asked | None:
        """For a request with a nonce."""
        for layout in self._by_length.get(len(blob), ()):
            shape = self._with_nonce.get(layout.constant(blob))
            if shape is not None and blob[layout.serial_at] == 1:
                return Asked(shape, layout.serial(blob), layout.nonce(blob))
        return None

    def learn(self, blob: bytes, question: Question, issuer: str) -> None:
        """A request that was read, about one certificate of this issuer of ours."""
        (cert_id,) = question.cert_ids
        if len(cert_id.serial_octets) != SERIAL_OCTETS:
            return
        shape = Shape.of(issuer, cert_id)
        if question.nonce is not None:
            self._learn_nonce(blob, question.nonce, shape)
        elif blob.endswith(cert_id.der):
            self._learn_plain(blob, shape)

    def _learn_plain(self, blob: bytes, shape: Shape) -> None:
        # What ends the request may be a copy of what is asked: another serial number there must be read as just that.
        other = blob[:-SERIAL_OCTETS] + _OTHER_SERIAL
        if _reads_as(other, Question((shape.like.with_serial(_OTHER_SERIAL),))):
            _remember(self._plain, blob[:-SERIAL_OCTETS], shape)

    def _learn_nonce(self, blob: bytes, nonce: bytes, shape: Shape) -> None:
        serial_at = blob.find(shape.like.der) + len(shape.like.head)
        layout = _Layout(len(blob), serial_at, blob.rfind(nonce), len(nonce))
        # Another serial number and another nonce in these places must be read as just these.
        other = b"\x55" * len(nonce)
        expected = Question((shape.like.with_serial(_OTHER_SERIAL),), other)
        if not _reads_as(layout.filled(blob, _OTHER_SERIAL, other), expected):
            return
        if layout not in self._layouts:
            if len(self._layouts) >= _LAYOUTS:
                # Odd requests must not keep out the usual ones, which are soon known again.
                self._layouts.clear()
                self._by_length.clear()
                self._with_nonce.clear()
            self._layouts.add(layout)
            self._by_length.setdefault(layout.length, []).append(layout)
        _remember(self._with_nonce, layout.constant(blob), shape)


def _reads_as(blob: bytes, question: Question) -> bool:
    try:
        return parse_request(blob) == question
    except InvalidRequest:
        return False


def _remember(known: dict[bytes, Shape], key: bytes, shape: Shape) -> None:
    if len(known) >= _KNOWN:
        known.clear()
    known[key] = shape
