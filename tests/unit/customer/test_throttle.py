"""Guessing is slowed down; right codes are not."""

from contextlib import suppress

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import TooManyRequests

from ca.domain.errors import NotAuthenticated
from customer.throttle import Throttle, network


def fail(throttle: Throttle, source: str) -> None:
    with suppress(NotAuthenticated), throttle.attempt(source):
        raise NotAuthenticated("wrong")


def succeed(throttle: Throttle, source: str) -> None:
    with throttle.attempt(source):
        pass


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


def test_the_endpoint_answers_429_with_the_time_to_wait(client: FlaskClient) -> None:
    answers = [
        client.get("/enrolment/profile-hints", headers={"X-Forwarded-For": "192.0.2.7"}, auth=(f"{number:010}", "x"))
        for number in range(11)
    ]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert answers[-1].headers["Retry-After"] == "10"
    assert answers[-1].json is not None
    assert answers[-1].json["error"] == "too-many-requests"
    assert client.get("/enrolment/profile-hints", auth=("1234567890", "ABCD-EFGH-JKMN")).status_code == 200
