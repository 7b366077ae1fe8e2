"""ca/domain/crl_reading.py: what is written is read back; and what may leave a list."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ca.domain import der
from ca.domain.algorithms import SIGNATURE_OF
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl import CRLFrame, crl_entry, removal_entry, signed_around
from ca.domain.crl_reading import (
    CRLHead,
    Entries,
    TBSChunks,
    differences,
    entry_serial,
    read_head,
    read_whole,
    verify_kept,
)
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.revocation import RevocationReason
from tests.fakes.clock import NOON
from tests.fakes.status_world import DAY, StatusWorld

STAND_IN = der.sequence(der.integer(1), der.integer(1))


@pytest.fixture
def world() -> StatusWorld:
    return StatusWorld()


def crl_of(world: StatusWorld, *entries: bytes, this_update: datetime = NOON, **more: Any) -> bytes:
    tbs = CRLFrame(world.issuing, 7, this_update, this_update + DAY, **more).drafted(b"".join(entries))
    before, after = signed_around(len(tbs), SIGNATURE_OF[world.issuing.algorithm], STAND_IN)
    return before + tbs + after


def read_from(blob: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, length: blob[offset : offset + length]


def numbered(*serials: int, at: datetime = NOON) -> list[bytes]:
    """Entries for these serials, revoked for good at that time."""
    return [der.sequence(der.integer(serial), der.utc_or_generalized_time(at)) for serial in serials]


def entries_of(world: StatusWorld, *entries: bytes) -> Entries:
    blob = crl_of(world, *entries)
    return Entries(read_from(blob), read_whole(blob))


@pytest.mark.parametrize("entries", [0, 1, 3, 2000])
def test_what_is_written_is_read_back(world: StatusWorld, entries: int) -> None:
    listed = numbered(*range(0x1000, 0x1000 + entries))
    blob = crl_of(world, *listed)

    head = read_whole(blob)

    assert (head.number, head.base, head.signature) == (7, None, STAND_IN)
    assert (head.this_update, head.next_update) == (NOON, NOON + DAY)
    assert blob[slice(*head.entries)] == b"".join(listed)
    assert b"".join(TBSChunks(read_from(blob), head)) == der.elements(blob, "it")[0].children()[0].der
    assert [entry for _, entry in entries_of(world, *listed).rest()] == listed


def test_a_delta_is_known_by_its_base(world: StatusWorld) -> None:
    assert read_whole(crl_of(world, base=300)).base == 300


def test_only_both_ends_of_a_long_list_are_read(world: StatusWorld) -> None:
    blob = crl_of(world, *numbered(*range(0x10000, 0x20000)))
    asked: list[tuple[int, int]] = []

    def read(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return blob[offset : offset + length]

    read_head(read, len(blob))

    assert sum(length for _, length in asked) < 40_000 < len(blob)


@pytest.mark.parametrize("year", [1999, 2049, 2050, 2060])
def test_times_are_read_back_in_either_form(world: StatusWorld, year: int) -> None:
    at = datetime(year, 6, 1, tzinfo=UTC)
    assert read_whole(crl_of(world, this_update=at)).this_update == at


@pytest.mark.parametrize("blob", [b"", b"junk", der.sequence(), der.sequence(der.sequence(), der.null(), der.null())])
def test_what_is_no_crl_is_refused(blob: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_whole(blob)


@pytest.mark.parametrize("cut", [1, 2, 40, 100, 150])
def test_a_crl_that_is_cut_or_longer_is_refused(world: StatusWorld, cut: int) -> None:
    blob = crl_of(world, *numbered(0xA1))
    for wrong in (blob[:-cut], blob + bytes(cut)):
        with pytest.raises(InvalidRequest):
            read_whole(wrong)


def test_a_crl_without_number_is_not_ours(world: StatusWorld) -> None:
    outer = der.parse(crl_of(world)).children()
    fields = [each.der for each in outer[0].children()[:-1]]
    tbs = der.sequence(*fields, der.explicit(0, der.sequence()))
    with pytest.raises(InvalidRequest):
        read_whole(der.sequence(tbs, outer[1].der, outer[2].der))


def test_another_algorithm_outside_than_inside_is_refused(world: StatusWorld) -> None:
    outer = der.parse(crl_of(world)).children()
    with pytest.raises(InvalidRequest):
        read_whole(der.sequence(outer[0].der, der.sequence(der.oid("1.2.3")), outer[2].der))


def test_a_file_that_became_shorter_meanwhile_ends(world: StatusWorld) -> None:
    blob = crl_of(world)
    assert list(TBSChunks(lambda _offset, _length: b"", read_whole(blob))) == [b""]


@pytest.mark.parametrize("entry", [der.sequence(), der.sequence(der.null()), b"\x30\x03\x02\x05\x01"])
def test_an_entry_without_serial_is_refused(entry: bytes) -> None:
    with pytest.raises(InvalidRequest):
        entry_serial(entry)


def changes(old: Entries, *pieces: Sequence[bytes]) -> list[tuple[str, bool]]:
    """Serials of what differs, and whether it is still there."""
    told = [(serial, now is not None) for piece in pieces for serial, _, now in differences(old, piece)]
    return told + [(serial, False) for serial, _ in old.rest()]


BEFORE = numbered(0xA1, 0xA3, 0xA5, 0xA7)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (BEFORE, []),
        (numbered(0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA7, 0xA9), []),
        (numbered(0xA1, 0xA3, 0xA7), [("a5", False)]),
        (numbered(0xA3, 0xA5, 0xA7), [("a1", False)]),
        (numbered(0xA1, 0xA3, 0xA5), [("a7", False)]),
        ([], [("a1", False), ("a3", False), ("a5", False), ("a7", False)]),
        (numbered(0xB0, 0xB1), [("a1", False), ("a3", False), ("a5", False), ("a7", False)]),
        ([*numbered(0xA1), *numbered(0xA3, at=NOON + DAY), *numbered(0xA5, 0xA7)], [("a3", True)]),
    ],
    ids=["same", "more", "one lost", "first lost", "last lost", "all lost", "others", "told differently"],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_what_differs_between_two_lists_is_found_wherever_the_seams_are(
    world: StatusWorld, now: list[bytes], expected: list[tuple[str, bool]], size: int
) -> None:
    pieces = [now[start : start + size] for start in range(0, len(now), size)]
    assert changes(entries_of(world, *BEFORE), *pieces) == expected


def test_a_piece_that_is_as_before_is_not_looked_into(world: StatusWorld) -> None:
    junk = b"\xff" * 40
    assert list(differences(entries_of(world, junk), [junk])) == []


def test_more_than_the_old_list_has_is_not_passed_over(world: StatusWorld) -> None:
    blob = crl_of(world, *BEFORE)
    head = read_whole(blob)
    old = Entries(read_from(blob), head)
    assert not old.skip(blob[head.entries[0] : head.entries[1] + 4])


def test_long_lists_are_compared_in_pieces(world: StatusWorld) -> None:
    serials = list(range(0x10000, 0x13000))
    without = [serial for serial in serials if serial % 0x555]
    pieces = [numbered(*without[start : start + 1000]) for start in range(0, len(without), 1000)]
    lost = [(f"{serial:x}", False) for serial in serials if serial % 0x555 == 0]
    assert changes(entries_of(world, *numbered(*serials)), *pieces) == lost


@pytest.mark.parametrize("serials", [(0xA3, 0xA1), (0xA1, 0xA1)], ids=["not in order", "twice"])
def test_records_out_of_order_are_tampered_with(world: StatusWorld, serials: tuple[int, ...]) -> None:
    with pytest.raises(Tampered, match="order"):
        list(differences(entries_of(world, *BEFORE), numbered(*serials)))


# What may leave


def verify(before: Certificate, now: Certificate | None, record: Certificate | None, **more: Any) -> None:
    """`before` was listed, `now` is listed; `record` is what the records say."""
    at = more.pop("this_update", NOON)
    head = CRLHead(7, more.pop("base", None), at, at + DAY, b"", (0, 0), (0, 0))
    old, new = crl_entry(before), crl_entry(now) if now else None
    assert old is not None
    verify_kept(head, f"{before.serial:x}", old, new, record)


def test_a_released_hold_and_a_confirmed_certificate_may_leave(world: StatusWorld) -> None:
    world.issue(0xA1)
    verify(world.suspend(0xA1), None, world.resume(0xA1))
    verify(world.issue(0xA2, CertificateStatus.UNCONFIRMED), None, world.confirm(0xA2))


def test_a_hold_may_become_final(world: StatusWorld) -> None:
    world.issue(0xA1)
    held, final = world.suspend(0xA1), world.revoke(0xA1)
    verify(held, final, final)


def test_a_hold_that_still_stands_may_not_leave(world: StatusWorld) -> None:
    world.issue(0xA1)
    held = world.suspend(0xA1)
    with pytest.raises(Tampered, match="a1 is revoked in CRL 7"):
        verify(held, None, held)


def test_a_final_revocation_may_not_leave_whatever_the_records_say(world: StatusWorld) -> None:
    active = world.issue(0xA1)
    final = world.revoke(0xA1)
    for record in (None, active, final):
        with pytest.raises(Tampered):
            verify(final, None, record)


def test_a_final_revocation_may_not_be_told_differently(world: StatusWorld) -> None:
    held = world.issue(0xA1).suspend(at=NOON)
    with pytest.raises(Tampered, match="another story"):
        verify(world.revoke(0xA1), held, held)


def test_an_expired_certificate_leaves_after_one_list_more(world: StatusWorld) -> None:
    world.issue(0xA1, life=DAY)
    final = world.revoke(0xA1)
    with pytest.raises(Tampered):
        verify(final, None, final, this_update=final.not_after)
    verify(final, None, final, this_update=final.not_after + timedelta(seconds=1))


def test_what_a_delta_said_may_be_in_its_base_now(world: StatusWorld) -> None:
    world.issue(0xA1)
    held, final = world.suspend(0xA1), world.revoke(0xA1)
    verify(held, None, final, base=3)
    verify(final, None, final, base=3)


def test_a_delta_takes_nothing_back_either(world: StatusWorld) -> None:
    active = world.issue(0xA1)
    held, final = world.suspend(0xA1), world.revoke(0xA1, RevocationReason.SUPERSEDED)
    for record in (None, active, held):
        with pytest.raises(Tampered):
            verify(final, None, record, base=3)
    with pytest.raises(Tampered):
        verify(held, None, None, base=3)


def test_a_lifted_hold_is_said_until_the_base_knows_it(world: StatusWorld) -> None:
    head = CRLHead(7, 3, NOON, NOON + DAY, b"", (0, 0), (0, 0))
    active = world.issue(0xA1)
    verify_kept(head, "a1", removal_entry(0xA1, NOON), None, active)
    verify_kept(head, "a1", removal_entry(0xA1, NOON), crl_entry(world.revoke(0xA1)), None)
