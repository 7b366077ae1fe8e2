"""What wrk says, and whether it may be believed."""

from dataclasses import replace

import pytest

from bench.experiment import Unmeasured
from bench.load import Counted, Load, Subject, counted_in, require_right_answers

TOLD = (
    "Running 2s test @ http://127.0.0.1/\n  2 threads and 16 connections\n"
    'vermilion-bench {"requests":3000,"microseconds":1500000,"bytes":2400000,"p50":410,"p99":2300,'
    '"failed":1,"refused":2}\n'
)
COUNTED = Counted(requests=3000, seconds=1.5, octets=2_400_000, p50_ms=0.41, p99_ms=2.3, failed=1, refused=2)
SUBJECT = Subject("status", "http://127.0.0.1/", 1, answer_size=734)


def test_the_line_of_our_own_script_is_read() -> None:
    assert counted_in(TOLD) == COUNTED


def test_silence_is_no_figure() -> None:
    with pytest.raises(Unmeasured, match="unable to connect"):
        counted_in("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_no_answer_is_no_figure() -> None:
    with pytest.raises(Unmeasured, match="no request was answered"):
        counted_in(TOLD.replace("3000", "0"))


def test_rate_and_processor_time_are_those_of_the_run() -> None:
    load = Load(COUNTED, cpu_seconds=1.5, others_share=0.0)

    assert (load.rate, load.cpu_per_request) == (2000.0, 0.0005)


def test_a_few_failures_are_let_pass() -> None:
    require_right_answers(SUBJECT, COUNTED)


def test_many_failures_are_no_speed() -> None:
    with pytest.raises(Unmeasured, match="404 of 3000 requests failed"):
        require_right_answers(SUBJECT, replace(COUNTED, refused=403))


def test_short_answers_are_errors_sent_fast() -> None:
    with pytest.raises(Unmeasured, match="shorter than the right one"):
        require_right_answers(SUBJECT, replace(COUNTED, octets=3000 * 200))
