"""Figures, targets and verdicts."""

import pytest

from bench.figures import MILLISECONDS, RATIO, TIMES, Figure, Row, Verdict, at_least, at_most, exit_status, percentile


def row(target: object, figure: Figure | None) -> Row:
    return Row("a row", RATIO, target, figure)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "median", "verdict"),
    [
        (at_least(0.45), 0.45, Verdict.MET),
        (at_least(0.45), 0.44, Verdict.MISSED),
        (at_most(5, MILLISECONDS), 5.0, Verdict.MET),
        (at_most(5, MILLISECONDS), 5.1, Verdict.MISSED),
        (None, 1.0, Verdict.SHOWN),
    ],
)
def test_the_median_is_judged_against_the_target(target: object, median: float, verdict: Verdict) -> None:
    assert row(target, Figure((0.0, median, 1e9))).verdict is verdict


def test_a_row_without_a_figure_is_not_measured() -> None:
    assert row(at_least(1), None).verdict is Verdict.UNMEASURED


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([], 0),
        ([row(at_least(1), Figure((2.0,))), row(None, Figure((2.0,)))], 0),
        ([row(at_least(1), Figure((2.0,))), row(at_least(1), Figure((0.5,)))], 1),
        ([row(at_least(1), None)], 1),
        ([row(None, None)], 0),
    ],
    ids=["nothing", "met and shown", "one missed", "one not measured", "one without target not measured"],
)
def test_a_target_that_is_missed_or_untried_fails_the_run(rows: list[Row], status: int) -> None:
    assert exit_status(rows) == status


def test_a_figure_shows_median_and_spread() -> None:
    assert Figure((0.5, 0.4, 0.6)).written(RATIO) == "0.50 (0.40-0.60)"


def test_a_single_figure_has_no_spread() -> None:
    assert Figure((1234.5,)).written(TIMES) == "1,234.50 x"


def test_a_target_is_written_with_its_unit() -> None:
    assert (str(at_least(2.5, TIMES)), str(at_most(25, MILLISECONDS))) == ("≥ 2.50 x", "≤ 25.00 ms")


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile(range(100, 0, -1), share) == value


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.99) == 7.0
