"""ca/domain/tag_lists.py: packed sets of serial numbers."""

import hashlib

import pytest

from ca.domain.errors import InvalidRequest
from ca.domain.tag_lists import TagList, tag_of


def some_tags(count: int) -> list[int]:
    """The same each time, and as random as ours are."""
    return [int.from_bytes(hashlib.sha256(str(number).encode()).digest()[:7], "big") for number in range(count)]


def reparsed(packed: TagList) -> TagList:
    parsed, end = TagList.parse(b"before" + packed.encoded, 6)
    assert end == 6 + len(packed.encoded)
    return parsed


def test_a_tag_is_the_last_seven_octets_of_a_serial() -> None:
    assert tag_of(0x01_1122_3344_5566_7788_99AA_BBCC_DDEE_FF00) == 0xAA_BBCC_DDEE_FF00
    assert tag_of(0xA1) == 0xA1


@pytest.mark.parametrize(("count", "prefix"), [(0, 0), (1, 0), (1000, 0), (2000, 1), (300_000, 2)])
def test_what_is_packed_is_found_and_nothing_else(count: int, prefix: int) -> None:
    tags = some_tags(count)

    packed = reparsed(TagList.of(reversed(tags)))

    assert (packed.prefix, packed.count) == (prefix, count)
    assert list(packed) == sorted(tags)
    assert all(tag in packed for tag in tags[:500])
    assert not any(tag ^ 1 in packed or tag ^ (1 << 55) in packed for tag in tags[:500])


@pytest.mark.parametrize("prefix", [0, 1, 2])
def test_octets_that_lie_across_two_tags_are_no_tag(prefix: int) -> None:
    count = {0: 0, 1: 2000, 2: 300_000}[prefix]
    first, second = 0x00_0000_1111_1111, 0x00_0000_1111_2222
    packed = TagList.of([first, second, *(tag | 1 << 55 for tag in some_tags(count))])
    run = (first << 56 | second).to_bytes(14, "big")
    assert packed.prefix == prefix

    across = [int.from_bytes(run[at : at + 7], "big") for at in range(1, 7)]

    assert [tag in packed for tag in (first, second)] == [True, True]
    assert [tag for tag in across if tag in packed] == []


def test_a_tag_is_listed_once() -> None:
    assert TagList.of([7, 7, 7]).count == 1


@pytest.mark.parametrize("count", [10, 2000])
def test_serials_in_a_row_are_packed_too(count: int) -> None:
    packed = reparsed(TagList.of(range(count)))

    assert list(packed) == list(range(count))


@pytest.mark.parametrize(("ours", "theirs"), [(500, 480), (3000, 2990), (3000, 10)])
def test_what_others_lack_is_found(ours: int, theirs: int) -> None:
    tags = some_tags(ours)
    mine, other = TagList.of(tags), TagList.of(tags[:theirs])

    assert sorted(mine.minus(other)) == sorted(tags[theirs:])
    assert list(mine.minus(TagList.of([]), mine)) == []
    assert list(mine.minus()) == sorted(tags)


@pytest.mark.parametrize("count", [3, 2000])
def test_a_list_that_is_cut_off_is_refused(count: int) -> None:
    encoded = TagList.of(some_tags(count)).encoded
    for length in (0, 4, 5, 200, len(encoded) - 1):
        with pytest.raises(InvalidRequest):
            TagList.parse(encoded[: min(length, len(encoded) - 1)], 0)


def test_unknown_buckets_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="unknown kind"):
        TagList.parse(b"\x03" + bytes(2000), 0)


def test_buckets_out_of_order_are_refused() -> None:
    encoded = bytearray(TagList.of(some_tags(2000)).encoded)
    encoded[5 + 4 * 7 : 5 + 4 * 8] = (1999).to_bytes(4, "big")
    with pytest.raises(InvalidRequest, match="out of order"):
        TagList.parse(bytes(encoded), 0)
