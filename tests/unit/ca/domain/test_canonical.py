"""ca/domain/canonical.py and times.py: one value, one text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ca.domain.canonical import canonical, digest
from ca.domain.times import instant, timestamp


def test_the_order_of_keys_does_not_matter() -> None:
    assert canonical({"b": 1, "a": [True, None, "张"]}) == '{"a":[true,null,"张"],"b":1}'.encode()
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})


@pytest.mark.parametrize("value", [1.0, [0.5], {"a": {"b": (1, float("nan"))}}], ids=str)
def test_floats_have_no_canonical_form(value: object) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, datetime(2026, 1, 1, tzinfo=UTC)], ids=str)
def test_what_json_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)


def test_a_digest_serves_one_purpose() -> None:
    assert digest("case", {"a": 1}) != digest("invitation", {"a": 1})
    assert digest("case", {"a": 1}) != digest("case", {"a": "1"})
    assert len(digest("case", None)) == 32


def test_an_instant_is_read_as_it_was_written() -> None:
    at = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
    assert timestamp(at) == "2026-11-23T15:04:05Z"
    assert instant(timestamp(at)) == at


def test_another_time_zone_is_the_same_instant() -> None:
    beijing = timezone(timedelta(hours=8))
    assert timestamp(datetime(2026, 11, 23, 23, 4, 5, tzinfo=beijing)) == "2026-11-23T15:04:05Z"
