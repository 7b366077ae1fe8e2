"""Experiments and the rows they promise."""

from pathlib import Path

import pytest

from bench.__main__ import EXPERIMENTS
from bench.experiment import QUICK, Bench, Experiment, Report, Unmeasured, chosen, judged, run_experiment
from bench.figures import Verdict, at_least

PROMISES = [judged("one", at_least(1)), judged("two", at_least(1))]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(QUICK, tmp_path, tmp_path, lambda _words: None)


def first_only(_bench: Bench, report: Report) -> None:
    report.put("one", [2.0])
    raise Unmeasured("the second has no server")


def broken(_bench: Bench, _report: Report) -> None:
    raise ZeroDivisionError("nobody answered")


def test_what_was_found_stays_when_the_rest_cannot_be_measured(bench: Bench) -> None:
    rows = run_experiment(Experiment("half", PROMISES, first_only), bench)

    assert [(row.verdict, row.note) for row in rows] == [
        (Verdict.MET, ""),
        (Verdict.UNMEASURED, "the second has no server"),
    ]


def test_a_defect_in_one_experiment_is_a_row_that_says_so(bench: Bench) -> None:
    rows = run_experiment(Experiment("broken", PROMISES, broken), bench)

    assert {row.verdict for row in rows} == {Verdict.UNMEASURED}
    assert "nobody answered" in rows[0].note


def test_a_row_that_nobody_promised_is_refused() -> None:
    with pytest.raises(KeyError):
        Report(PROMISES).put("three", [1.0])


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), [one.name for one in EXPERIMENTS]),
        (("crl",), ["crl"]),
        (("softhsm", "flat"), ["nonce-hsm", "flat"]),
    ],
    ids=["none", "by name", "by words of rows"],
)
def test_experiments_are_chosen_by_name_or_by_words_of_their_rows(words: tuple[str, ...], names: list[str]) -> None:
    assert [one.name for one in chosen(EXPERIMENTS, words)] == names


def test_words_that_fit_no_row_are_refused() -> None:
    with pytest.raises(LookupError, match="no row is called 'speed'"):
        chosen(EXPERIMENTS, ["speed"])


def test_no_two_rows_have_the_same_name() -> None:
    names = [promised.name for one in EXPERIMENTS for promised in one.promises]

    assert len(names) == len(set(names))
