"""ca/domain/bundle.py: what is read back is what was said, and only of the issuer by its signer."""

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ca.domain.bundle import (
    NO_BASE,
    Bundle,
    BundleKind,
    Header,
    Lists,
    Standing,
    body_of,
    draft_header,
    joined,
    standing,
)
from ca.domain.errors import InvalidRequest
from ca.ports import KeyId
from ca.usecases.publish_bundle import bundle_key
from tests.fakes.clock import NOON
from tests.fakes.status_world import DAY, StatusWorld

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def world() -> StatusWorld:
    return StatusWorld()


def header(world: StatusWorld, body: bytes = b"", **changes: object) -> bytes:
    given: dict[str, object] = {
        "kind": BundleKind.FULL,
        "issuer": world.issuing,
        "number": 7,
        "this_update": NOON,
        "next_update": NOON + HOUR,
        "base": NO_BASE,
        "body": body,
    }
    return draft_header(**(given | changes))  # type: ignore[arg-type]  # as above


def signed(world: StatusWorld, lists: Lists, *, key: KeyId | None = None, **changes: object) -> bytes:
    body = body_of(world.bundle_signer.der, lists)
    head = header(world, body, **changes)
    return joined(head, world.key_store.sign(key or bundle_key("issuing"), head), body)


LISTS = Lists.of([1, 2], [3])


def test_a_bundle_is_read_back(world: StatusWorld) -> None:
    bundle = Bundle.parse(signed(world, LISTS))

    bundle.verify(world.issuing)
    assert (bundle.header.kind, bundle.header.number) == (BundleKind.FULL, 7)
    assert (bundle.header.this_update, bundle.header.next_update) == (NOON, NOON + HOUR)
    assert bundle.lists == LISTS
    assert bundle.lists.count == 3


def test_a_patch_goes_before_its_base(world: StatusWorld) -> None:
    base = Lists.of([1], [2, 3, 4])
    now = Lists.of([1, 3, 6], [4, 5])

    patch = base_to_now = now.changes_since(base)

    assert (list(patch.revoked), list(patch.held), list(patch.gone)) == ([3, 6], [5], [2])
    for serial in range(1, 8):
        assert standing(serial, base, base_to_now) is standing(serial, now)
    assert [standing(serial, now) for serial in (1, 4, 7)] == [Standing.REVOKED, Standing.HELD, Standing.GOOD]


@pytest.mark.parametrize("at", [0, 15, 16])
def test_another_format_version_or_kind_is_not_read(world: StatusWorld, at: int) -> None:
    blob = bytearray(signed(world, LISTS))
    blob[at] ^= 0x40
    with pytest.raises(InvalidRequest, match="version"):
        Header.parse(bytes(blob))


@pytest.mark.parametrize("length", [0, 16, 144])
def test_what_is_too_short_is_none(world: StatusWorld, length: int) -> None:
    with pytest.raises(InvalidRequest, match="too short"):
        Bundle.parse(signed(world, LISTS)[:length])


@pytest.mark.parametrize(("kind", "base"), [(BundleKind.FULL, b"b" * 32), (BundleKind.PATCH, NO_BASE)])
def test_a_patch_has_a_base_and_a_full_bundle_none(world: StatusWorld, kind: BundleKind, base: bytes) -> None:
    with pytest.raises(InvalidRequest, match="base"):
        Header.parse(header(world, kind=kind, base=base))


def test_times_beyond_all_calendars_are_refused(world: StatusWorld) -> None:
    blob = bytearray(header(world))
    blob[57:65] = struct.pack(">Q", 2**63)
    with pytest.raises(InvalidRequest, match="calendars"):
        Header.parse(bytes(blob))
    assert Header.parse(header(world, next_update=datetime(9999, 12, 31, tzinfo=UTC))).next_update.year == 9999


@pytest.mark.parametrize("change", [b"", b"more"])
def test_lists_that_were_changed_or_cut_off_are_refused(world: StatusWorld, change: bytes) -> None:
    blob = signed(world, LISTS)
    with pytest.raises(InvalidRequest, match="header names"):
        Bundle.parse(blob[:-1] + change)


def test_nothing_may_come_after_the_lists(world: StatusWorld) -> None:
    body = body_of(b"certificate", LISTS) + b"\x00"
    blob = joined(header(world, body), b"signature", body)
    with pytest.raises(InvalidRequest, match="after the lists"):
        Bundle.parse(blob)


def test_another_issuers_bundle_is_refused(world: StatusWorld) -> None:
    with pytest.raises(InvalidRequest, match="another issuer"):
        Bundle.parse(signed(world, LISTS)).verify(world.root)


def test_a_bundle_signed_with_another_key_is_refused(world: StatusWorld) -> None:
    with pytest.raises(InvalidRequest, match="not made with this key"):
        Bundle.parse(signed(world, LISTS, key=KeyId(b"issuing"))).verify(world.issuing)


def test_a_signer_of_another_issuer_is_refused(world: StatusWorld) -> None:
    bundle = replace(Bundle.parse(signed(world, LISTS)), certificate_der=StatusWorld().bundle_signer.der)
    with pytest.raises(InvalidRequest, match="not certified by its issuer"):
        bundle.verify(world.issuing)


def test_a_signer_that_was_certified_for_something_else_is_refused(world: StatusWorld) -> None:
    for certificate in (world.responder, world.issue(0xE1)):
        bundle = replace(Bundle.parse(signed(world, LISTS)), certificate_der=certificate.der)
        with pytest.raises(InvalidRequest, match="not certified for bundles"):
            bundle.verify(world.issuing)


@pytest.mark.parametrize(("begin", "end"), [(-HOUR, HOUR), (HOUR, 15 * DAY)])
def test_a_signer_is_believed_for_the_time_of_its_certificate(
    world: StatusWorld, begin: timedelta, end: timedelta
) -> None:
    blob = signed(world, LISTS, this_update=NOON + begin, next_update=NOON + end)
    with pytest.raises(InvalidRequest, match="all of its time"):
        Bundle.parse(blob).verify(world.issuing)
