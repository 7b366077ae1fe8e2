"""What is said in one second of certificates that hold, with a nonce, differs in two places: serial number and nonce.

So it is put together once and then cut out again and again. A stencil is tried before it is used: filled with another
serial number and another nonce it must be what would have been put together.
"""

from collections.abc import Callable
from typing import NamedTuple

from ca.domain.ocsp import CertId, Question

_KEPT = 64


class Stencil(NamedTuple):
    """Everything that is said, but for two places."""

    before: bytes
    between: bytes
    after: bytes

    def filled(self, serial: bytes, nonce: bytes) -> bytes:
        return b"".join((self.before, serial, self.between, nonce, self.after))


class Stencils:
    """Those of one second. Used by any thread: second and stencils are exchanged together."""

    def __init__(self) -> None:
        self._kept: tuple[object, dict[tuple[bytes, int], Stencil | None]] = None, {}

    def find(self, head: bytes, nonce_octets: int, second: object) -> Stencil | None:
        """That of CertIDs with this head, if one was cut in this second."""
        of, known = self._kept
        return known.get((head, nonce_octets)) if of == second else None

    def data(self, cert_id: CertId, nonce: bytes, second: object, build: Callable[[Question], bytes]) -> bytes:
        """What `build` would say of a certificate that holds; `second` is all else that it depends on."""
        of, known = self._kept
        if of != second or len(known) >= _KEPT:
            known = {}
            self._kept = second, known
        key = cert_id.head, len(nonce)
        if key not in known:
            known[key] = _cut(cert_id, nonce, build)
        stencil = known[key]
        if stencil is None:
            return build(Question((cert_id,), nonce))
        return stencil.filled(cert_id.serial_octets, nonce)


def _cut(cert_id: CertId, nonce: bytes, build: Callable[[Question], bytes]) -> Stencil | None:
    """None when it cannot be told where the two stand."""
    whole = build(Question((cert_id,), nonce))
    start, found, rest = whole.partition(cert_id.der)
    between, _, after = rest.rpartition(nonce)
    stencil = Stencil(start + cert_id.head, between, after)
    octets = cert_id.serial_octets
    other = cert_id.with_serial(b"\x01" + b"\x5a" * (len(octets) - 1))
    tried = bytes(octet ^ 0xA5 for octet in nonce)
    fits = found and stencil.filled(other.serial_octets, tried) == build(Question((other,), tried))
    return stencil if fits else None
