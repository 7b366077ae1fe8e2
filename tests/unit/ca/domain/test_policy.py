"""ca/domain/policy.py: numbers that two people may choose, within bounds that nobody can leave."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from ca.domain.errors import InvalidRequest
from ca.domain.policy import (
    NUMBERS,
    POLICY,
    STRICTEST,
    USUAL,
    Policy,
    PolicyTexts,
    changed,
    first_policy,
    require_successor,
    text_of,
)
from ca.domain.times import duration_text

SECOND = timedelta(seconds=1)


def test_every_number_has_its_bounds() -> None:
    assert [each.name for each in fields(Policy)] == ["version", *NUMBERS]
    assert all(bounds.least <= bounds.usual <= bounds.most for bounds in NUMBERS.values())


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_leaves_its_bounds(name: str) -> None:
    bounds = NUMBERS[name]
    for value in (bounds.least, bounds.most):
        assert getattr(replace(USUAL, **{name: value}), name) == value  # type: ignore[arg-type]  # durations
    for value in (bounds.least - SECOND, bounds.most + SECOND, timedelta(0), -bounds.most, timedelta(days=3650)):
        with pytest.raises(InvalidRequest, match=name):
            replace(USUAL, **{name: value})  # type: ignore[arg-type]  # durations


@pytest.mark.parametrize("name", NUMBERS)
def test_no_text_and_no_configuration_says_more(name: str) -> None:
    beyond = duration_text(NUMBERS[name].most + SECOND)
    with pytest.raises(InvalidRequest, match=name):
        first_policy({name: beyond})
    with pytest.raises(InvalidRequest, match=name):
        PolicyTexts().parse(POLICY, text_of(USUAL.numbers() | {name: beyond}, 2))


@pytest.mark.parametrize("value", ["", "0", "10", "10 m", "-5m", "1e3m", "٣m", "5M", "999999m", "5m\n", "1.5h"])
def test_a_number_is_written_in_one_way(value: str) -> None:
    with pytest.raises(InvalidRequest):
        first_policy({"hold_undo": value})


def test_there_is_one_policy() -> None:
    with pytest.raises(InvalidRequest, match="there is no policy another"):
        PolicyTexts().parse("another", text_of(USUAL.numbers(), 2))


def test_parts_of_a_second_are_no_policy() -> None:
    with pytest.raises(InvalidRequest, match="hold_undo"):
        replace(USUAL, hold_undo=timedelta(minutes=5, milliseconds=1))


def test_a_session_does_not_idle_longer_than_it_lives() -> None:
    for idle, life in (("session_idle", "session_life"), ("portal_session_idle", "portal_session_life")):
        assert NUMBERS[idle].most <= NUMBERS[life].least


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = 2\n",
        text_of(USUAL.numbers(), 2) + "more = 1d\n",
        text_of(USUAL.numbers(), 2) + "hold_undo = 5m\n",
        "\n".join(reversed(text_of(USUAL.numbers(), 2).splitlines())),
        text_of(USUAL.numbers(), 2).replace(" = ", "="),
        text_of(USUAL.numbers(), 2).replace("version = 2", "version = -2"),
        text_of(USUAL.numbers(), 2).replace("version = 2", "version = ²"),
    ],
    ids=["nothing", "no number", "one more", "twice", "another order", "other spaces", "negative", "no digit"],
)
def test_a_text_says_every_number_once(text: str) -> None:
    with pytest.raises(InvalidRequest):
        PolicyTexts().parse(POLICY, text)


def test_a_text_means_what_was_written() -> None:
    policy = replace(USUAL, version=7, crl_within=timedelta(seconds=12), hold_longest=timedelta(days=14))
    assert PolicyTexts().parse(POLICY, PolicyTexts().write(policy)) == policy


def test_an_unknown_number_is_named() -> None:
    with pytest.raises(InvalidRequest, match="there is no number hold_undone"):
        first_policy({"hold_undone": "5m"})


def test_the_digest_tells_any_two_apart() -> None:
    other = replace(USUAL, hold_undo=timedelta(minutes=5))
    assert len({USUAL.digest, other.digest, replace(other, version=2).digest}) == 3
    assert changed(USUAL, other) == ["hold_undo"]


def test_a_version_follows_by_one_and_changes_something() -> None:
    require_successor(USUAL, replace(USUAL, version=2, hold_undo=timedelta(minutes=5)))
    for wrong in (replace(USUAL, version=2), replace(USUAL, version=3, hold_undo=timedelta(minutes=5))):
        with pytest.raises(InvalidRequest):
            require_successor(USUAL, wrong)


def test_the_strictest_policy_is_stricter_in_each() -> None:
    assert all(getattr(STRICTEST, name) <= getattr(USUAL, name) for name in NUMBERS)
