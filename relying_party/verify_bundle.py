#!/usr/bin/env python3
"""Looks up certificates in a bundle of what their issuer revoked: offline, in memory (docs/protocols/bundle.md).

One file to copy; it needs Python 3.11 or newer and the package `cryptography`. It shares no code with the CA.

    verify_bundle.py --issuer issuing.cer --bundle issuing.bundle [--patch issuing.patch] --state seen.json SERIAL...

prints `SERIAL good|held|revoked`, one a line. Exit codes: 0 all good; 1 one at least is held or revoked; 2 wrongly
asked; 3 the bundle is refused, and nothing was said of any certificate.
"""

import argparse
import hashlib
import json
import os
import struct
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MAGIC = b"VermilionBundle\x01"
HEADER = struct.Struct(">16s B 32s Q Q Q 32s Q 32s")
FULL, PATCH = 0, 1
BUNDLE_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.99999.2.1")
CLOCK_TOLERANCE = 60
"""Seconds by which the clock here may be behind the CA's. A bundle's end is kept to the second."""


class RefusedError(Exception):
    """The bundle must not be used; the message says why."""


@dataclass(frozen=True)
class Seen:
    """The newest that was accepted of an issuer. Keep it: nothing older is accepted after it."""

    issuer: str
    """SHA-256 of the issuer's public key, in hexadecimal."""
    number: int
    this_update: int
    sha256: str
    """Of the file with that number."""


class TagList:
    """A set of tags, the last seven octets of serial numbers, in buckets by their first octets."""

    def __init__(self, body: bytes, at: int) -> None:
        if at + 5 > len(body):
            raise RefusedError("a list is cut off")
        self.prefix = body[at]
        self.count = int.from_bytes(body[at + 1 : at + 5], "big")
        if self.prefix > 2:
            raise RefusedError("a list has buckets of an unknown kind")
        self.width = 7 - self.prefix
        buckets = 256**self.prefix if self.prefix else 0
        begin = at + 5 + 4 * buckets
        self.end = begin + self.count * self.width
        if self.end > len(body):
            raise RefusedError("a list is cut off")
        self._ends = struct.unpack_from(f">{buckets}I", body, at + 5) if buckets else (self.count,)
        self._remainders = body[begin : self.end]
        if list(self._ends) != sorted(self._ends) or self._ends[-1] != self.count:
            raise RefusedError("the buckets of a list are out of order")

    def __contains__(self, tag: bytes) -> bool:
        bucket = int.from_bytes(tag[: self.prefix], "big")
        begin = self._ends[bucket - 1] * self.width if bucket else 0
        end = self._ends[bucket] * self.width
        at = self._remainders.find(tag[self.prefix :], begin, end)
        while at >= 0 and (at - begin) % self.width:
            at = self._remainders.find(tag[self.prefix :], at + 1, end)
        return at >= 0


class Part:
    """One file, full or patch, checked by itself: its signature, its signer, its time and its form."""

    def __init__(self, content: bytes, issuer: x509.Certificate, kind: int, now: float) -> None:
        if len(content) < HEADER.size:
            raise RefusedError("this is not a bundle: it is too short")
        header = content[: HEADER.size]
        magic, kind_of_it, key, self.number, self.this_update, next_update, self.base, length, digest = HEADER.unpack(
            header
        )
        if magic != MAGIC:
            raise RefusedError("this is not a bundle of a version that is known here")
        if kind_of_it != kind or (self.base == bytes(32)) != (kind == FULL):
            raise RefusedError("a full bundle is given for a patch, or a patch for a full bundle")
        if key != public_key_digest(issuer):
            raise RefusedError("the bundle speaks of another issuer's certificates")
        signature, at = _counted(content, HEADER.size)
        body = content[at:]
        if len(body) != length or hashlib.sha256(body).digest() != digest:
            raise RefusedError("the body is not the one that the header names")
        certificate, at = _counted(body, 0)
        self.signer = _certified(certificate, issuer, self.this_update, next_update)
        _verify(self.signer, signature, header)
        # From here on everything is what the issuer's signer said.
        if self.this_update > now + CLOCK_TOLERANCE:
            raise RefusedError("the bundle is from the future: set the clock right")
        if now >= next_update:
            raise RefusedError("the bundle has run out: fetch a new one")
        self.revoked = TagList(body, at)
        self.held = TagList(body, self.revoked.end)
        self.gone = TagList(body, self.held.end)
        if self.gone.end != len(body) or (kind == FULL and self.gone.count):
            raise RefusedError("something is after the lists")
        self.sha256 = hashlib.sha256(content).digest()

    def find(self, tag: bytes) -> str | None:
        """None when this file does not speak of it."""
        if tag in self.revoked:
            return "revoked"
        if tag in self.held:
            return "held"
        return "good" if tag in self.gone else None


class Bundle:
    """What does not hold of an issuer's certificates, from a full bundle and perhaps a patch for it."""

    def __init__(
        self,
        issuer: x509.Certificate,
        full: bytes,
        patch: bytes | None = None,
        *,
        seen: Seen | None = None,
        now: float | None = None,
    ) -> None:
        """Raises RefusedError. `seen` is what was accepted last; None only the very first time."""
        now = time.time() if now is None else now
        self._full = Part(full, issuer, FULL, now)
        self._patch = None if patch is None else Part(patch, issuer, PATCH, now)
        if self._patch is not None and self._patch.base != self._full.sha256:
            raise RefusedError("the patch is for another full bundle: fetch both")
        newest = self._patch or self._full
        if newest.number < self._full.number:
            raise RefusedError("the patch is older than the full bundle it is for")
        self.seen = Seen(public_key_digest(issuer).hex(), newest.number, newest.this_update, newest.sha256.hex())
        """To be kept, and given the next time."""
        if seen is not None:
            _require_not_older(self.seen, seen)
        for part in filter(None, (self._full, self._patch)):
            if self.status(part.signer.serial_number) != "good":
                raise RefusedError("the certificate of the bundle's signer was revoked")

    def status(self, serial: int) -> str:
        """`good`, `held` or `revoked`. Good: not among those that do not hold; all else of it is yours to check."""
        tag = (serial % 256**7).to_bytes(7, "big")
        newer = self._patch.find(tag) if self._patch else None
        return newer or self._full.find(tag) or "good"


def _require_not_older(given: Seen, seen: Seen) -> None:
    if given.issuer != seen.issuer:
        raise RefusedError("what was seen last is of another issuer: keep a state file for each")
    if given.number < seen.number or given.this_update < seen.this_update:
        raise RefusedError("the bundle is older than one that was accepted before: fetch the newest, with its patch")
    if given.number == seen.number and given != seen:
        raise RefusedError("there is another bundle with this number: tell the bank")


def _certified(der: bytes, issuer: x509.Certificate, this_update: int, next_update: int) -> x509.Certificate:
    """The signer's certificate, if the issuer gave it for this and for all of this time."""
    try:
        signer = x509.load_der_x509_certificate(der)
    except Exception as error:
        raise RefusedError("the bundle's signer has no certificate that can be read") from error
    try:
        # Strict about what is not signed, too: one certificate has one encoding.
        if signer.public_bytes(Encoding.DER) != der:
            raise RefusedError("the signer's certificate has more than one encoding")
        signer.verify_directly_issued_by(issuer)
        purposes = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        usage = signer.extensions.get_extension_for_class(x509.KeyUsage).value
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise RefusedError("the bundle's signer was not certified by the issuer") from error
    if list(purposes) != [BUNDLE_SIGNING] or not usage.digital_signature:
        raise RefusedError("the bundle's signer was not certified for bundles")
    begin, end = signer.not_valid_before_utc.timestamp(), signer.not_valid_after_utc.timestamp()
    if not begin <= this_update <= next_update <= end:
        raise RefusedError("the bundle's signer was not certified for all of the bundle's time")
    return signer


def _verify(signer: x509.Certificate, signature: bytes, header: bytes) -> None:
    key = signer.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            algorithm = hashes.SHA384() if key.key_size == 384 else hashes.SHA256()
            key.verify(signature, header, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, header, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise RefusedError("the signer's key is of an unknown kind")
    except InvalidSignature as error:
        raise RefusedError("the bundle was changed after it was signed") from error


def _counted(content: bytes, at: int) -> tuple[bytes, int]:
    begin = at + 2
    end = begin + int.from_bytes(content[at:begin], "big")
    if end > len(content):
        raise RefusedError("the bundle is cut off")
    return content[begin:end], end


def public_key_digest(certificate: x509.Certificate) -> bytes:
    """How a bundle names the issuer's key."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


def load_issuer(content: bytes) -> x509.Certificate:
    """The issuing CA's certificate, DER or PEM, which must have come in a way that you trust."""
    if content.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_certificate(content)
    return x509.load_der_x509_certificate(content)


def read_seen(path: Path) -> Seen | None:
    """None the first time. Raises RefusedError when it cannot be read: to delete it is for a person to decide."""
    try:
        return Seen(**json.loads(path.read_text("ascii")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise RefusedError(f"{path} cannot be read: {error}") from error


def write_seen(path: Path, seen: Seen) -> None:
    """The old or the new one, never half."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with fresh.open("w", encoding="ascii") as file:
        json.dump(asdict(seen), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def parse_serial(text: str) -> int:
    """Hexadecimal, with or without colons and 0x."""
    serial = int(text.replace(":", ""), 16)
    if serial <= 0:
        raise ValueError(text)
    return serial


def main(arguments: list[str] | None = None) -> int:
    """The command line; gives the exit code."""
    parser = argparse.ArgumentParser(description="Look up certificates in a bundle of what their issuer revoked.")
    parser.add_argument("--issuer", type=Path, required=True, help="the issuing CA's certificate (DER or PEM)")
    parser.add_argument("--bundle", type=Path, required=True, help="the full bundle")
    parser.add_argument("--patch", type=Path, help="the patch for it")
    parser.add_argument("--state", type=Path, required=True, help="where the newest accepted is kept")
    parser.add_argument("serials", nargs="*", metavar="SERIAL", type=parse_serial, help="hexadecimal")
    given = parser.parse_args(arguments)
    try:
        bundle = Bundle(
            load_issuer(given.issuer.read_bytes()),
            given.bundle.read_bytes(),
            given.patch.read_bytes() if given.patch else None,
            seen=read_seen(given.state),
        )
        write_seen(given.state, bundle.seen)
    except (RefusedError, OSError, ValueError) as error:
        print(f"refused: {error}", file=sys.stderr)  # noqa: T201
        return 3
    answers = [bundle.status(serial) for serial in given.serials]
    for serial, answer in zip(given.serials, answers, strict=True):
        print(f"{serial:x} {answer}")  # noqa: T201
    return 0 if set(answers) <= {"good"} else 1


if __name__ == "__main__":
    sys.exit(main())
