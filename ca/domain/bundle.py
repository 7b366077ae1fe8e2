"""Bundles: everything of an issuer that does not hold, for look-ups without a network (docs/protocols/bundle.md).

A full bundle lists all of it, a patch what changed since the full bundle it names. The format is implemented a second
time, for relying parties, in `relying_party/verify_bundle.py`.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from ca.domain import der
from ca.domain.drafting import verify_signed
from ca.domain.errors import InvalidRequest, PKIError
from ca.domain.issuers import Issuer
from ca.domain.keys import PublicKey
from ca.domain.profiles import EXTENDED_KEY_USAGES
from ca.domain.tag_lists import TagList, tag_of
from ca.domain.tbs import read_certificate

NO_BASE = bytes(32)
"""Where a patch names its base, a full bundle has this."""

_MAGIC = b"VermilionBundle\x01"
_HEADER = struct.Struct(">16s B 32s Q Q Q 32s Q 32s")
_LENGTH = struct.Struct(">H")
_LAST_YEAR = datetime(9999, 12, 31, tzinfo=UTC)
_EXTENDED_KEY_USAGE = "2.5.29.37"
_PURPOSE = der.sequence(der.oid(EXTENDED_KEY_USAGES["bundleSigning"]))


class BundleKind(StrEnum):
    """Everything, or what changed since. The value is the published file's suffix."""

    FULL = "bundle"
    PATCH = "patch"


_KINDS = tuple(BundleKind)


class Standing(StrEnum):
    """What a relying party learns of a certificate of this issuer that is otherwise valid."""

    GOOD = "good"
    HELD = "held"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Lists:
    """What a bundle says: revoked for good, held, and in a patch what holds again or need not be listed any more."""

    revoked: TagList
    held: TagList
    gone: TagList

    @classmethod
    def of(cls, revoked: Iterable[int], held: Iterable[int], gone: Iterable[int] = ()) -> "Lists":
        return cls(TagList.of(revoked), TagList.of(held), TagList.of(gone))

    @classmethod
    def parse(cls, body: bytes) -> "Lists":
        revoked, at = TagList.parse(body, 0)
        held, at = TagList.parse(body, at)
        gone, at = TagList.parse(body, at)
        if at != len(body):
            raise InvalidRequest("something comes after the lists of the bundle")
        return cls(revoked, held, gone)

    @property
    def encoded(self) -> bytes:
        return self.revoked.encoded + self.held.encoded + self.gone.encoded

    @property
    def count(self) -> int:
        return self.revoked.count + self.held.count + self.gone.count

    def changes_since(self, base: "Lists") -> "Lists":
        """What a patch lists that leads from the base to this."""
        gone = [*base.revoked.minus(self.revoked, self.held), *base.held.minus(self.held, self.revoked)]
        return Lists.of(self.revoked.minus(base.revoked), self.held.minus(base.held), gone)

    def find(self, tag: int) -> Standing | None:
        """None when this does not speak of it."""
        if tag in self.revoked:
            return Standing.REVOKED
        if tag in self.held:
            return Standing.HELD
        return Standing.GOOD if tag in self.gone else None


def standing(serial: int, full: Lists, patch: Lists | None = None) -> Standing:
    """What the full bundle says, and before it a patch that is made for it."""
    tag = tag_of(serial)
    newer = patch.find(tag) if patch else None
    return newer or full.find(tag) or Standing.GOOD


@dataclass(frozen=True, slots=True)
class Header:
    """What is signed. The body, certificate and lists, is in it by its digest."""

    kind: BundleKind
    issuer: bytes
    """SHA-256 of the issuer's SubjectPublicKeyInfo."""
    number: int
    """Grows from bundle to bundle of an issuer, full ones and patches in one sequence."""
    this_update: datetime
    next_update: datetime
    base: bytes
    """SHA-256 of the full bundle that a patch is for."""
    body_length: int
    body_digest: bytes

    @property
    def encoded(self) -> bytes:
        return _HEADER.pack(
            _MAGIC,
            _KINDS.index(self.kind),
            self.issuer,
            self.number,
            int(self.this_update.timestamp()),
            int(self.next_update.timestamp()),
            self.base,
            self.body_length,
            self.body_digest,
        )

    @classmethod
    def parse(cls, blob: bytes) -> "Header":
        """The header at the beginning of a bundle. Raises InvalidRequest."""
        try:
            magic, kind, issuer, number, this_update, next_update, base, length, digest = _HEADER.unpack_from(blob)
        except struct.error as error:
            raise InvalidRequest("this is not a bundle: it is too short") from error
        if magic != _MAGIC or kind >= len(_KINDS):
            raise InvalidRequest("this is not a bundle of a version that we know")
        if max(this_update, next_update) > _LAST_YEAR.timestamp():
            raise InvalidRequest("the bundle's times are beyond all calendars")
        if (base == NO_BASE) != (_KINDS[kind] is BundleKind.FULL):
            raise InvalidRequest("a patch names its base, and a full bundle has none")
        begin, end = (datetime.fromtimestamp(at, UTC) for at in (this_update, next_update))
        return cls(_KINDS[kind], issuer, number, begin, end, base, length, digest)


def issuer_id(issuer: Issuer) -> bytes:
    """How a bundle names the key whose certificates it speaks of."""
    return hashlib.sha256(issuer.spki_der).digest()


def draft_header(
    *,
    kind: BundleKind,
    issuer: Issuer,
    number: int,
    this_update: datetime,
    next_update: datetime,
    base: bytes,
    body: bytes,
) -> bytes:
    """The bytes to be signed as they are, over what `body_of` made. `base` is NO_BASE for a full bundle."""
    digest = hashlib.sha256(body).digest()
    return Header(kind, issuer_id(issuer), number, this_update, next_update, base, len(body), digest).encoded


def body_of(certificate_der: bytes, lists: Lists) -> bytes:
    """Whose key signs, and what it says."""
    return _LENGTH.pack(len(certificate_der)) + certificate_der + lists.encoded


def joined(header: bytes, signature: bytes, body: bytes) -> bytes:
    """The file."""
    return header + _LENGTH.pack(len(signature)) + signature + body


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle, read back."""

    header: Header
    signature: bytes
    certificate_der: bytes
    """Whose key signed it."""
    lists: Lists

    @classmethod
    def parse(cls, blob: bytes) -> "Bundle":
        """Raises InvalidRequest when it is not one, is cut off, or its body is not the one in the header."""
        header = Header.parse(blob)
        signature, at = _counted(blob, _HEADER.size)
        body = blob[at:]
        if len(body) != header.body_length or hashlib.sha256(body).digest() != header.body_digest:
            raise InvalidRequest("the body of the bundle is not the one that its header names")
        certificate, at = _counted(body, 0)
        return cls(header, signature, certificate, Lists.parse(body[at:]))

    def verify(self, issuer: Issuer) -> None:
        """Raise InvalidRequest unless it speaks of this issuer's certificates and the issuer certified its signer."""
        if self.header.issuer != issuer_id(issuer):
            raise InvalidRequest("the bundle speaks of another issuer's certificates")
        signer = read_certificate(self.certificate_der)
        try:
            verify_signed(self.certificate_der, issuer.spki_der)
        except PKIError as error:
            raise InvalidRequest("the bundle's signer was not certified by its issuer") from error
        purpose = signer.find(_EXTENDED_KEY_USAGE)
        if signer.issuer_der != issuer.subject_der or purpose is None or purpose.value != _PURPOSE:
            raise InvalidRequest("the bundle's signer was not certified for bundles")
        if not (signer.not_before <= self.header.this_update and self.header.next_update <= signer.not_after):
            raise InvalidRequest("the bundle's signer was not certified for all of its time")
        PublicKey.from_spki(signer.spki_der).verify(self.signature, self.header.encoded)


def _counted(blob: bytes, at: int) -> tuple[bytes, int]:
    """What is preceded by its length, and where it ends; what is cut off is noticed by the digest of the rest."""
    begin = at + _LENGTH.size
    end = begin + int.from_bytes(blob[at:begin], "big")
    return blob[begin:end], end


@dataclass(frozen=True, slots=True)
class BundleRecord:
    """A bundle we made."""

    issuer: str
    kind: BundleKind
    number: int
    this_update: datetime
    next_update: datetime
    crl_number: int
    """The last CRL number when it was drawn up: a later CRL means that statuses changed since."""
    content: bytes

    @property
    def digest(self) -> bytes:
        """How a patch names it."""
        return hashlib.sha256(self.content).digest()
