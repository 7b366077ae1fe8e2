"""CRLs of ours, read back without holding them; and what may leave a list from one issue to the next.

Entries stand in the order of their serial numbers as text, so two lists are compared as they pass by. A revocation that
is lost is a revocation undone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ca.domain import der
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl import CRL_NUMBER, DELTA_INDICATOR, crl_entry, is_final, is_removal
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.serials import serial_text

Read = Callable[[int, int], bytes]
"""So many octets from an offset on; fewer at the end."""

_WHAT = "the CRL"
_HEAD_OCTETS = 16 * 1024
"""More than all that comes before the entries, and than all that comes after them."""
CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CRLHead:
    """What a CRL of ours says besides its entries, and where they are."""

    number: int
    base: int | None
    this_update: datetime
    next_update: datetime
    signature: bytes
    tbs: tuple[int, int]
    """Offset and end of what was signed."""
    entries: tuple[int, int]


def read_head(read: Read, size: int) -> CRLHead:
    """Looks at both ends only. Raises InvalidRequest when it is not a CRL as we make them."""
    try:
        return _read_head(read, size)
    except (ValueError, IndexError, KeyError) as error:
        raise InvalidRequest("this is not a CRL of ours") from error


def read_whole(blob: bytes) -> CRLHead:
    """The same of a CRL in memory."""
    return read_head(lambda offset, length: blob[offset : offset + length], len(blob))


def _read_head(read: Read, size: int) -> CRLHead:
    head = read(0, _HEAD_OCTETS)
    _, tbs_start, end = der.read_header(head, 0, _WHAT)
    tag, offset, tbs_end = der.read_header(head, tbs_start, _WHAT)
    if end != size or tag != der.SEQUENCE:
        raise InvalidRequest("this is not a CRL of ours")
    fields = []
    for _ in range(5):  # version, algorithm, issuer, this update, next update
        tag, start, offset_after = der.read_header(head, offset, _WHAT)
        fields.append(der.Element(tag, head[start:offset_after], head[offset:offset_after]))
        offset = offset_after
    tag, start, entries_end = der.read_header(head, offset, _WHAT)
    entries = (start, entries_end) if tag == der.SEQUENCE else (offset, offset)
    tail = read(entries[1], _HEAD_OCTETS)
    extensions, algorithm, signature = der.elements(tail, _WHAT)
    if entries[1] + len(extensions.der) != tbs_end or algorithm.der != fields[1].der:
        raise InvalidRequest("this is not a CRL of ours")
    values = _extension_values(extensions)
    return CRLHead(
        number=_integer(values[CRL_NUMBER]),
        base=_integer(values[DELTA_INDICATOR]) if DELTA_INDICATOR in values else None,
        this_update=_instant(fields[3]),
        next_update=_instant(fields[4]),
        signature=signature.content[1:],
        tbs=(tbs_start, tbs_end),
        entries=entries,
    )


def _extension_values(extensions: der.Element) -> dict[bytes, bytes]:
    (listed,) = extensions.children()
    return {parts[0].der: parts[-1].content for parts in (each.children() for each in listed.children())}


def _integer(blob: bytes) -> int:
    (element,) = der.elements(blob, _WHAT)
    return int.from_bytes(element.content, "big", signed=True)


def _instant(element: der.Element) -> datetime:
    text = element.content.decode("ascii")
    if element.tag == der.UTC_TIME:
        # Two digits mean 1950 to 2049 (RFC 5280 section 4.1.2.5.1).
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def entry_serial(entry: bytes) -> int:
    """Raises InvalidRequest."""
    _, start, _ = der.read_header(entry, 0, _WHAT)
    tag, start, end = der.read_header(entry, start, _WHAT)
    if tag != der.INTEGER or end > len(entry):
        raise InvalidRequest("an entry of the CRL does not begin with a serial number")
    return int.from_bytes(entry[start:end], "big", signed=True)


@dataclass(frozen=True)
class TBSChunks:
    """What was signed, read anew each time that it is gone through."""

    read: Read
    head: CRLHead

    def __iter__(self) -> Iterator[bytes]:
        offset, end = self.head.tbs
        while offset < end:
            chunk = self.read(offset, min(CHUNK, end - offset))
            yield chunk
            # A file that became shorter meanwhile must not be read for ever.
            offset = offset + len(chunk) if chunk else end


class Entries:
    """The entries of a list, passed over in their order."""

    def __init__(self, read: Read, head: CRLHead) -> None:
        self._read = read
        self._offset, self._end = head.entries
        self._window, self._window_offset = b"", self._offset

    def skip(self, entries: bytes) -> bool:
        """Pass over these, when they are exactly what comes next."""
        if self._read(self._offset, len(entries)) != entries or self._offset + len(entries) > self._end:
            return False
        self._offset += len(entries)
        return True

    def until(self, serial: str) -> Iterator[tuple[str, bytes]]:
        """Those up to and with a serial number. Raises InvalidRequest."""
        while self._offset < self._end:
            entry = self._next()
            found = serial_text(entry_serial(entry))
            if found > serial:
                return
            self._offset += len(entry)
            yield found, entry

    def rest(self) -> Iterator[tuple[str, bytes]]:
        """All that are left."""
        return self.until("~")  # after every hexadecimal digit

    def _next(self) -> bytes:
        start = self._offset - self._window_offset
        # No entry of ours is longer than this.
        if not 0 <= start <= len(self._window) - 128:
            self._window, self._window_offset, start = self._read(self._offset, CHUNK // 16), self._offset, 0
        _, _, end = der.read_header(self._window, start, _WHAT)
        return self._window[start:end]


def differences(before: Entries, chunk: Sequence[bytes]) -> Iterator[tuple[str, bytes, bytes | None]]:
    """Serial, old entry and new one or None, of what a list tells otherwise than the one before it.

    `chunk` is the next piece of the new list. A piece that is as before costs one comparison, however long it is.
    Raises Tampered when the new entries are not in their order.
    """
    if before.skip(b"".join(chunk)):
        return
    now = {serial_text(entry_serial(entry)): entry for entry in chunk}
    serials = list(now)
    if len(now) != len(chunk) or serials != sorted(serials):
        raise Tampered("the records' entries are not in the order of their serial numbers: somebody changed them")
    for serial, entry in before.until(serials[-1]):
        if now.get(serial) != entry:
            yield serial, entry, now.get(serial)


def verify_kept(before: CRLHead, serial: str, entry: bytes, now: bytes | None, record: Certificate | None) -> None:
    """Raise Tampered when a list would take back what the one before it said.

    `now` is the new entry, `record` what the records say. An entry may leave when it was a hold that is lifted, once a
    CRL made after the certificate's expiry has carried it (RFC 5280 section 3.3), or from a delta to its base.
    """
    if now is not None and is_final(entry):
        raise Tampered(f"the records tell another story of certificate {serial} than CRL {before.number}")
    if now is None and not _may_leave(before, entry, record):
        raise Tampered(f"certificate {serial} is revoked in CRL {before.number} and missing in its successor")


def _may_leave(before: CRLHead, entry: bytes, record: Certificate | None) -> bool:
    if record is None:
        return False
    if record.is_expired(before.this_update) or is_removal(entry):
        return True
    if before.base is not None:
        # What a delta said of a hold is over when the hold is; a revocation is in the full CRL it builds on.
        return not is_final(entry) or crl_entry(record) == entry
    return not is_final(entry) and record.status is CertificateStatus.ACTIVE
