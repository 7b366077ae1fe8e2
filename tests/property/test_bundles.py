"""Bundles of any set, by two implementations: what the CA packs is what a relying party finds."""

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ca.domain import bundle as ours
from ca.domain.tag_lists import TagList
from ca.usecases.publish_bundle import bundle_key
from relying_party import verify_bundle as theirs
from tests.fakes.clock import NOON
from tests.fakes.status_world import DAY, StatusWorld

TAGS = st.integers(0, 2**56 - 1)
# Near each other, so that they share buckets and octets.
CLOSE = st.integers(0, 600)
SETS = st.sets(TAGS | CLOSE, max_size=60) | st.sets(CLOSE, min_size=100)
MANY = st.builds(lambda step, count: range(0, step * count, step), st.integers(1, 2**40), st.integers(1000, 3000))


@cache
def world() -> StatusWorld:
    return StatusWorld()


def made(kind: ours.BundleKind, number: int, lists: ours.Lists, base: bytes = ours.NO_BASE) -> bytes:
    body = ours.body_of(world().bundle_signer.der, lists)
    header = ours.draft_header(
        kind=kind,
        issuer=world().issuing,
        number=number,
        this_update=NOON,
        next_update=NOON + DAY,
        base=base,
        body=body,
    )
    signature = world().key_store.sign(bundle_key("issuing"), header)
    return ours.joined(header, signature, body)


def theirs_of(full: bytes, patch: bytes | None = None) -> theirs.Bundle:
    issuer = theirs.load_issuer(world().issuing.certificate_der)
    return theirs.Bundle(issuer, full, patch, now=NOON.timestamp())


@given(SETS | MANY.map(set), SETS)
def test_a_packed_set_is_the_set(inside: set[int], others: set[int]) -> None:
    packed, _ = TagList.parse(TagList.of(inside).encoded, 0)

    assert list(packed) == sorted(inside)
    assert {tag for tag in others | inside if tag in packed} == inside
    assert set(packed.minus(TagList.of(others))) == inside - others


@given(SETS, SETS, SETS, SETS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_both_say_the_same_of_every_certificate(
    revoked: set[int], held: set[int], then_revoked: set[int], then_held: set[int]
) -> None:
    signer = world().bundle_signer.serial
    revoked, held = revoked - {signer}, held - revoked - {signer}
    then_revoked = (revoked | then_revoked) - {signer}
    then_held = then_held - then_revoked - {signer}
    before, after = ours.Lists.of(revoked, held), ours.Lists.of(then_revoked, then_held)
    full = made(ours.BundleKind.FULL, 1, before)
    patch = made(ours.BundleKind.PATCH, 2, after.changes_since(before), theirs.hashlib.sha256(full).digest())

    alone, patched = theirs_of(full), theirs_of(full, patch)

    mine = [ours.Bundle.parse(blob).lists for blob in (full, patch)]
    for serial in revoked | held | then_revoked | then_held | set(range(200)):
        assert alone.status(serial) == ours.standing(serial, before)
        assert patched.status(serial) == ours.standing(serial, after) == ours.standing(serial, *mine)


@given(st.integers(0), st.integers(1, 255))
def test_a_byte_changed_anywhere_is_refused_by_both(place: int, change: int) -> None:
    blob = made(ours.BundleKind.FULL, 1, ours.Lists.of(range(1000, 2500), range(20)))
    at = place % len(blob)
    changed = blob[:at] + bytes([blob[at] ^ change]) + blob[at + 1 :]

    with pytest.raises(theirs.RefusedError):
        theirs_of(changed)
    with pytest.raises(ours.InvalidRequest):
        ours.Bundle.parse(changed).verify(world().issuing)


@given(st.binary(max_size=400))
def test_junk_is_refused_by_both(junk: bytes) -> None:
    for blob in (junk, b"VermilionBundle\x01" + junk):
        with pytest.raises(theirs.RefusedError):
            theirs_of(blob)
        with pytest.raises(ours.InvalidRequest):
            ours.Bundle.parse(blob)
