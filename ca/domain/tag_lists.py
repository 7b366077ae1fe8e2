"""Sets of serial numbers, packed for look-ups where they lie (docs/protocols/bundle.md, docs/adr/0020).

Serial numbers are listed by their tags. No two certificates that we issue have the same tag, so a look-up is exact:
what holds is never called revoked.
"""

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ca.domain.errors import InvalidRequest

TAG_OCTETS = 7

_LIST_HEAD = struct.Struct(">B I")


def tag_of(serial: int) -> int:
    """The last 56 bits of a serial number: random in all of ours."""
    return serial & ((1 << 8 * TAG_OCTETS) - 1)


@dataclass(frozen=True, slots=True)
class TagList:
    """A set of tags as it is written: in buckets by their first octets, each bucket a run of what is left of the tags.

    Nothing is unpacked to look one up, and the memory it takes is its length.
    """

    prefix: int
    """How many octets of a tag say its bucket: 0, 1 or 2."""
    count: int
    ends: bytes
    """Four octets for each bucket: how many tags there are up to its end."""
    remainders: bytes

    @classmethod
    def of(cls, tags: Iterable[int]) -> "TagList":
        """Pack. Sorted in 256 parts, so that other threads have their turn and little is in memory twice."""
        parts = [array("Q") for _ in range(256)]
        for tag in tags:
            parts[tag >> 48].append(tag)
        prefix = _best_prefix(sum(map(len, parts)))
        ends: list[int] = []
        remainders = bytearray()
        count = 0
        for first, part in enumerate(parts):
            ordered = sorted(set(part))
            remainders += b"".join([tag.to_bytes(TAG_OCTETS, "big")[prefix:] for tag in ordered])
            if prefix == 2:
                ends += [count + bisect_left(ordered, (first << 8 | second) + 1 << 40) for second in range(256)]
            count += len(ordered)
            if prefix == 1:
                ends.append(count)
        return cls(prefix, count, struct.pack(f">{len(ends)}I", *ends), bytes(remainders))

    @classmethod
    def parse(cls, body: bytes, start: int) -> tuple["TagList", int]:
        """The list that begins there, and where it ends. Raises InvalidRequest."""
        try:
            prefix, count = _LIST_HEAD.unpack_from(body, start)
        except struct.error as error:
            raise InvalidRequest("a list of the bundle is cut off") from error
        if prefix > 2:
            raise InvalidRequest("a list of the bundle has buckets of an unknown kind")
        ends_at = start + _LIST_HEAD.size
        remainders_at = ends_at + (4 << 8 * prefix if prefix else 0)
        end = remainders_at + count * (TAG_OCTETS - prefix)
        parsed = cls(prefix, count, body[ends_at:remainders_at], body[remainders_at:end])
        if end > len(body) or not parsed._is_ordered():
            raise InvalidRequest("a list of the bundle is cut off or its buckets are out of order")
        return parsed, end

    def _is_ordered(self) -> bool:
        ends = struct.unpack(f">{len(self.ends) // 4}I", self.ends) if self.prefix else (self.count,)
        return ends[-1] == self.count and all(begin <= end for begin, end in pairwise(ends))

    @property
    def encoded(self) -> bytes:
        return _LIST_HEAD.pack(self.prefix, self.count) + self.ends + self.remainders

    def __contains__(self, tag: int) -> bool:
        octets = tag.to_bytes(TAG_OCTETS, "big")
        begin, end = self._bounds(int.from_bytes(octets[: self.prefix], "big"))
        wanted, width = octets[self.prefix :], TAG_OCTETS - self.prefix
        at = self.remainders.find(wanted, begin, end)
        # Found across two of them: look on behind it.
        while at >= 0 and (at - begin) % width:
            at = self.remainders.find(wanted, at + 1, end)
        return at >= 0

    def __iter__(self) -> Iterator[int]:
        return (tag for bucket in range(self._buckets) for tag in self._tags(bucket))

    def minus(self, *others: "TagList") -> Iterator[int]:
        """The tags that are in none of the others. A bucket that is the same in the first one is passed over."""
        alike = bool(others) and others[0].prefix == self.prefix
        for bucket in range(self._buckets):
            if alike and self.run(bucket) == others[0].run(bucket):
                continue
            for tag in self._tags(bucket):
                if not any(tag in other for other in others):
                    yield tag

    @property
    def _buckets(self) -> int:
        return 1 << 8 * self.prefix

    def _bounds(self, bucket: int) -> tuple[int, int]:
        """Where the bucket's run begins and ends."""
        width = TAG_OCTETS - self.prefix
        if not self.prefix:
            return 0, len(self.remainders)
        begin = int.from_bytes(self.ends[4 * bucket - 4 : 4 * bucket], "big") if bucket else 0
        return begin * width, int.from_bytes(self.ends[4 * bucket : 4 * bucket + 4], "big") * width

    def run(self, bucket: int) -> bytes:
        """What is left of the bucket's tags, one after another."""
        begin, end = self._bounds(bucket)
        return self.remainders[begin:end]

    def _tags(self, bucket: int) -> Iterator[int]:
        run, width = self.run(bucket), TAG_OCTETS - self.prefix
        high = bucket << 8 * width
        return (high | int.from_bytes(run[at : at + width], "big") for at in range(0, len(run), width))


def _best_prefix(count: int) -> int:
    """With which buckets the list is shortest."""
    return min((0, 1, 2), key=lambda prefix: (4 << 8 * prefix if prefix else 0) + count * (TAG_OCTETS - prefix))
