"""Guessing is slowed down; right codes are not."""

from contextlib import suppress

import pytest
from werkzeug.exceptions import TooManyRequests

from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    PKIError,
    ProfileViolation,
)
from ca.throttle import Throttle, network


def fail(throttle: Throttle, source: str) -> None:
    with suppress(NotAuthenticated), throttle.attempt(source):
        raise NotAuthenticated("wrong")


def succeed(throttle: Throttle, source: str) -> None:
    with throttle.attempt(source):
        pass


@pytest.fixture
def monotonic() -> list[float]:
    """One number: the time."""
    return [1000.0]


@pytest.fixture
def throttle(monotonic: list[float]) -> Throttle:
    return Throttle(burst=3, per_second=1, everyone_burst=9, everyone_per_second=1, monotonic=lambda: monotonic[0])


def test_a_source_that_fails_too_often_must_wait_and_may_then_go_on(throttle: Throttle, monotonic: list[float]) -> None:
    for _ in range(3):
        fail(throttle, "192.0.2.1")
    with pytest.raises(TooManyRequests) as refused:
        succeed(throttle, "192.0.2.1")
    assert refused.value.retry_after == 10

    monotonic[0] += 10

    succeed(throttle, "192.0.2.1")


def test_right_codes_cost_nothing(throttle: Throttle) -> None:
    for _ in range(1000):
        succeed(throttle, "192.0.2.1")

    assert throttle.sources_watched == 0


@pytest.mark.parametrize("refusal", [NotFound, NotAllowed, InvalidRequest, InvalidTransition, ProfileViolation])
def test_whatever_is_refused_and_recorded_costs_as_much_as_a_wrong_code(
    throttle: Throttle, refusal: type[PKIError]
) -> None:
    for _ in range(3):
        with pytest.raises(refusal), throttle.attempt("192.0.2.1"):
            raise refusal("no")

    with pytest.raises(TooManyRequests):
        succeed(throttle, "192.0.2.1")


def test_our_own_trouble_costs_the_caller_nothing(throttle: Throttle) -> None:
    for _ in range(9):
        with pytest.raises(NotReady), throttle.attempt("192.0.2.1"):
            raise NotReady("starting")

    assert throttle.sources_watched == 0


def test_another_source_is_not_touched(throttle: Throttle) -> None:
    for _ in range(3):
        fail(throttle, "192.0.2.1")

    succeed(throttle, "192.0.2.2")


def test_many_guessers_together_are_slowed_down_but_not_the_customers(throttle: Throttle) -> None:
    for number in range(9):
        fail(throttle, f"192.0.2.{number}")

    succeed(throttle, "198.51.100.1")
    with pytest.raises(TooManyRequests):
        fail(throttle, "192.0.2.1")


def test_attempts_at_once_do_not_slip_through_before_the_first_fails(throttle: Throttle) -> None:
    with throttle.attempt("a"), throttle.attempt("a"), throttle.attempt("a"), pytest.raises(TooManyRequests):
        succeed(throttle, "a")


def test_other_errors_cost_nothing(throttle: Throttle) -> None:
    with suppress(KeyError), throttle.attempt("192.0.2.1"):
        raise KeyError

    assert throttle.sources_watched == 0


def test_memory_is_bounded() -> None:
    throttle = Throttle(most_sources=50, everyone_burst=10_000)

    for number in range(500):
        fail(throttle, f"10.0.{number // 250}.{number % 250}")

    assert throttle.sources_watched == 50


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "unknown"),
        ("<script>", "unknown"),
    ],
)
def test_one_customer_is_one_source(source: str, expected: str) -> None:
    assert network(source) == expected
